import Glibc
import PluginPeers
import Subprocess
import SystemPackage
import Testing

/// What `sluice host` makes of its options before there is a cluster.
@Suite struct HostOptionsTests {
    @Test(arguments: [
        (["--kube-api-qps", "0"], "--kube-api-qps: 0.0 is not between 0.1 and 100000"),
        (["--kube-api-qps=-3"], "--kube-api-qps: -3.0 is not between 0.1 and 100000"),
        (["--kube-api-qps", "inf"], "--kube-api-qps: inf is not between 0.1 and 100000"),
        (["--kube-api-qps", "nan"], "--kube-api-qps: nan is not between 0.1 and 100000"),
        (["--kube-api-qps", "many"], "many"),
        (["--kube-api-qps", "5", "--kube-api-burst", "0"], "--kube-api-burst: 0 is not between 1 and 100000"),
        (["--kube-api-burst", "30"], "--kube-api-burst: 30 has no effect without --kube-api-qps; add it"),
    ])
    func aBudgetThatCannotBeKeptIsRefused(_ arguments: [String], _ message: String) async throws {
        let outcome = try await ValidateTests.sluice(["host"] + arguments)
        #expect(!outcome.isFine)
        #expect(outcome.error.contains(message), "\(outcome.error)")
    }

    @Test(.timeLimit(.minutes(1))) func theLimitOfOpenFilesIsRaised() async throws {
        let socket = TemporarySocket()
        defer { socket.remove() }
        // Nobody listens there; the host tries again and again.
        let kubeconfig = socket.write(
            """
            apiVersion: v1
            kind: Config
            current-context: c
            clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
            users: [{name: c, user: {}}]
            contexts: [{name: c, context: {cluster: c, user: c}}]
            """,
            to: "kubeconfig"
        )
        let script =
            "ulimit -Sn 300; exec \"$0\" host --kubeconfig \"$1\" --socket \"$2\" "
            + "--metrics-bind-address 0 --health-probe-bind-address 0"
        let result = try await Subprocess.run(
            .path("/bin/sh"),
            arguments: ["-c", script, builtExecutable("sluice"), kubeconfig, socket.path],
            input: .none,
            output: .discarded,
            error: .discarded
        ) { execution in
            let pid = execution.processIdentifier.value
            let deadline = ContinuousClock.now + .seconds(30)
            var limit: (soft: Int, hard: Int)?
            while ContinuousClock.now < deadline {
                // Until then it is the shell, before or after it has lowered its own.
                if Self.text("/proc/\(pid)/comm") == "sluice\n" { limit = Self.openFiles(pid) }
                if let limit, limit.soft == Swift.min(limit.hard, 65_536) { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            kill(pid, SIGTERM)
            return limit
        }
        let limit = try #require(result.closureResult)
        #expect(limit.soft == Swift.min(limit.hard, 65_536))
    }

    /// What `/proc` says about a process.
    private static func openFiles(_ pid: pid_t) -> (soft: Int, hard: Int)? {
        let lines = Self.text("/proc/\(pid)/limits").split(separator: "\n")
        let fields = lines.first { $0.hasPrefix("Max open files") }?.split(separator: " ") ?? []
        guard fields.count >= 5, let soft = Int(fields[3]), let hard = Int(fields[4]) else { return nil }
        return (soft, hard)
    }

    private static func text(_ path: String) -> String {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly) else { return "" }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = (try? file.closeAfter { try buffer.withUnsafeMutableBytes { try file.read(into: $0) } }) ?? 0
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
