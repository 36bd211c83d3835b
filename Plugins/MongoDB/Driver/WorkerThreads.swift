internal import DequeModule
internal import Glibc

/// A few threads of our own for calls that block, so that the cooperative pool never does.
///
/// Threads start when there is work and none is idle, up to the limit. Jobs beyond that wait in a bounded queue, in order.
final class WorkerThreads: Sendable {
    private let queue: JobQueue

    /// - Parameters:
    ///   - limit: The most threads.
    ///   - bound: The most jobs that wait.
    init(limit: Int, bound: Int) {
        self.queue = JobQueue(limit: limit, bound: bound)
    }

    deinit {
        self.queue.stop(last: {})
    }

    /// Runs a job on one of the threads; false when the queue is full.
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        self.queue.submit(job)
    }

    /// Ends the threads when all jobs are done; `last` is the last one, and not subject to the bound.
    func stop(last: @escaping @Sendable () -> Void) {
        self.queue.stop(last: last)
    }

    /// Starts one thread beside all others, for a loop that blocks as long as it lives.
    ///
    /// - Returns: False when the system gave no thread; the body is not run then.
    @discardableResult
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        // Room for a TLS handshake; the system's default of 8 MiB is reserved and never used.
        unsafe pthread_attr_setstacksize(&attributes, 512 << 10)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let entry = unsafe Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let failed = unsafe pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            entry.toOpaque()
        )
        guard failed == 0 else {
            unsafe entry.release()
            return false
        }
        return true
    }
}

/// Carries a closure through `pthread_create`.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// The queue behind the threads; it lives as long as the last of them.
///
/// `@unchecked`: every variable is touched under `mutex` only.
@safe private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private let bound: Int
    private var jobs: Deque<@Sendable () -> Void> = []
    private var threads = 0
    private var idle = 0
    private var isStopping = false

    init(limit: Int, bound: Int) {
        self.limit = limit
        self.bound = bound
        unsafe pthread_mutex_init(self.mutex, nil)
        unsafe pthread_cond_init(self.condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(self.condition)
        unsafe pthread_mutex_destroy(self.mutex)
        unsafe self.condition.deallocate()
        unsafe self.mutex.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(self.mutex)
        defer { unsafe pthread_mutex_unlock(self.mutex) }
        return body()
    }

    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        self.locked {
            guard !self.isStopping, self.jobs.count < self.bound else { return false }
            return self.enqueue(job)
        }
    }

    func stop(last: @escaping @Sendable () -> Void) {
        self.locked {
            guard !self.isStopping else { return }
            _ = self.enqueue(last)
            self.isStopping = true
            unsafe pthread_cond_broadcast(self.condition)
        }
    }

    /// Call with the lock held.
    private func enqueue(_ job: @escaping @Sendable () -> Void) -> Bool {
        self.jobs.append(job)
        if self.idle > 0 {
            unsafe pthread_cond_signal(self.condition)
        }
        if self.idle < self.jobs.count, self.threads < self.limit {
            if WorkerThreads.start({ self.work() }) {
                self.threads += 1
            } else if self.threads == 0 {
                self.jobs.removeLast()
                return false
            }
        }
        return true
    }

    private func work() {
        while let job = self.next() {
            job()
        }
    }

    /// Waits for a job; nil when the thread shall end.
    private func next() -> (@Sendable () -> Void)? {
        self.locked {
            while true {
                if let job = self.jobs.popFirst() {
                    return job
                }
                if self.isStopping {
                    self.threads -= 1
                    return nil
                }
                self.idle += 1
                unsafe pthread_cond_wait(self.condition, self.mutex)
                self.idle -= 1
            }
        }
    }
}
