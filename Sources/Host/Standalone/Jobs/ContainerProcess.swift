internal import Glibc
internal import Subprocess
internal import SystemPackage

/// One local process with everything that it needs, resolved.
struct ContainerProcess: Sendable {
    let command: [String]
    let environment: [String: String]
    let workingDirectory: String?
    let gracePeriod: Duration
    let output: FileDescriptor

    /// Runs to the end of the process and of everything that it has started.
    ///
    /// When the task is cancelled the whole process group gets `SIGTERM`, and `SIGKILL` when its grace is over.
    func run(started: @escaping @Sendable (Int32) -> Void) async -> LocalJobMachine.Exit {
        var options = PlatformOptions()
        // A session of its own: signals reach children of children, and Ctrl-C in the host's terminal does not.
        options.createSession = true
        options.teardownSequence = [
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: self.gracePeriod)
        ]
        let program = self.command.first ?? ""
        do {
            let result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program),
                arguments: Arguments(Array(self.command.dropFirst())),
                environment: .custom(
                    Dictionary(uniqueKeysWithValues: self.environment.map { (Environment.Key(stringLiteral: $0), $1) })
                ),
                workingDirectory: self.workingDirectory.map { FilePath($0) },
                platformOptions: options,
                input: .none,
                output: .fileDescriptor(self.output, closeAfterSpawningProcess: true),
                error: .combinedWithOutput
            ) { execution in
                started(execution.processIdentifier.value)
            }
            // What the first process has left behind ends with it, as in a container. The number cannot have been
            // given to another group while a member is left, and without one the call has no effect.
            kill(-result.processIdentifier.value, SIGKILL)
            switch result.terminationStatus {
            case .exited(let code): return .code(code)
            case .signaled(let signal): return .signal(signal)
            }
        } catch {
            // The error may quote the environment; the file says which program could not be started and no more.
            return .failedToStart
        }
    }
}
