internal import NIOConcurrencyHelpers
internal import Subprocess
internal import SystemPackage

/// Ends what the runner has started if the host itself dies without a chance to: `SIGKILL`, out of memory, a crash.
///
/// A small shell outside the host's session reads the numbers of the process groups from a pipe. The pipe ends with
/// the host, however it ends, and then the shell kills every group that is still listed. A process that is started in
/// the very moment of the host's death may be missed.
package final class ProcessGuard: Sendable {
    private let lines: AsyncStream<String>
    private let input: AsyncStream<String>.Continuation

    package init() {
        // One line for each start and end: bounded by the processes, and the shell reads faster than they come.
        (self.lines, self.input) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1 << 16))
    }

    /// A process group that must not outlive the host.
    package func started(_ group: Int32) { self.input.yield("+\(group)\n") }

    package func ended(_ group: Int32) { self.input.yield("-\(group)\n") }

    /// Runs the shell until ``finish()``.
    package func run() async throws {
        var options = PlatformOptions()
        options.createSession = true
        _ = try await Subprocess.run(
            .path("/bin/sh"),
            arguments: ["-c", Self.script],
            environment: .custom([:]),
            platformOptions: options,
            input: .inputWriter,
            output: .discarded,
            error: .discarded
        ) { execution in
            for await line in self.lines { _ = try await execution.standardInputWriter.write(line) }
            try await execution.standardInputWriter.finish()
        }
    }

    /// Lets ``run()`` return once every line is written.
    package func finish() { self.input.finish() }

    private static let script = """
        trap '' INT TERM HUP
        groups=' '
        while read -r line; do
          group=${line#?}
          case $line in
            +*) groups="$groups$group " ;;
            -*) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
          esac
        done
        for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
        """
}
