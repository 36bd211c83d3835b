internal import NIOCore

/// Runs the tasks of a plugin's calls on the thread of its connection.
///
/// A call then costs no change of threads. In return a plugin must not block inside a call; a plugin with a blocking C
/// library has a thread or executor of its own for it anyway.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.eventLoop.execute {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
