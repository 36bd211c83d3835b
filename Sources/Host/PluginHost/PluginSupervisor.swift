package import Logging
internal import Pace
internal import PluginProtocol
internal import Subprocess
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Starts one plugin executable and starts it again whenever it ends, until the task is cancelled.
///
/// For the standalone host; in a cluster the kubelet does this. A plugin that is stopped gets SIGTERM, time to drain, then
/// SIGKILL. A plugin whose host is killed ends by itself: it is told the host's process number and watches for it. (The kernel's
/// death signal would fire when the *thread* that started the plugin ends, which says nothing about the host.)
package struct PluginSupervisor: Sendable {
    /// A plugin as a file.
    package struct Executable: Sendable {
        /// For the log.
        package var name: String
        package var path: String
        package var arguments: [String]
        /// Variables that only this plugin gets; they may be secret.
        package var environment: [String: String]

        package init(name: String, path: String, arguments: [String] = [], environment: [String: String] = [:]) {
            self.name = name
            self.path = path
            self.arguments = arguments
            self.environment = environment
        }
    }

    /// Variables of the host that every plugin gets; all others stay with the host.
    package static let passedVariables = [
        "HOME", "LANG", "LC_ALL", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "SLUICE_LOG_LEVEL", "TMPDIR", "TZ",
    ]

    /// How long a plugin may drain.
    package var grace: Duration = .seconds(15)
    /// A plugin that ran this long was healthy: it is started again quickly.
    package var healthyAfter: Duration = .seconds(30)
    package var shortestPause: Duration = .milliseconds(200)
    package var longestPause: Duration = .seconds(30)

    private let executable: Executable
    private let socketPath: String
    private let logger: Logger

    package init(executable: Executable, socketPath: String, logger: Logger = Logger(label: "sluice.supervisor")) {
        self.executable = executable
        self.socketPath = socketPath
        var logger = logger
        logger[metadataKey: "plugin"] = "\(executable.name)"
        self.logger = logger
    }

    /// Keeps the plugin running; returns when the task is cancelled and the plugin has ended.
    package func run() async {
        var backoff = Backoff(base: self.shortestPause, cap: self.longestPause)
        while !Task.isCancelled {
            let startedAt = ContinuousClock.now
            let outcome = await self.runOnce()
            guard !Task.isCancelled else { return }
            if startedAt.duration(to: .now) >= self.healthyAfter {
                backoff.reset()
            }
            let pause = backoff.next()
            self.logger.warning(
                "the plugin ended and is started again",
                metadata: ["outcome": "\(outcome)", "pause": "\(pause)"]
            )
            try? await Task.sleep(for: pause)
        }
    }

    /// The environment of the plugin.
    package func environment(of host: [String: String]) -> [String: String] {
        var environment = host.filter { Self.passedVariables.contains($0.key) }
        environment.merge(self.executable.environment) { $1 }
        environment[ProtocolLimits.socketPathVariable] = self.socketPath
        environment[ProtocolLimits.exitWithParentVariable] = "\(getpid())"
        return environment
    }

    private func runOnce() async -> String {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: self.grace)]
        // A group of its own: Ctrl-C reaches the host, which then stops its plugins in order.
        options.processGroupID = 0
        var variables: [Environment.Key: String] = [:]
        for (name, value) in self.environment(of: Self.hostEnvironment()) {
            variables[Environment.Key(stringLiteral: name)] = value
        }
        do {
            let result = try await Subprocess.run(
                .path(FilePath(self.executable.path)),
                arguments: Arguments(self.executable.arguments),
                environment: .custom(variables),
                platformOptions: options,
                input: .none,
                output: .currentStandardError,
                error: .currentStandardError
            )
            return "\(result.terminationStatus)"
        } catch {
            return "cannot be started: \(error)"
        }
    }

    private static func hostEnvironment() -> [String: String] {
        var environment: [String: String] = [:]
        for name in Self.passedVariables {
            if let value = getenv(name) {
                environment[name] = String(cString: value)
            }
        }
        return environment
    }
}
