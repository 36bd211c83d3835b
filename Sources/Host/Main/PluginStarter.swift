import Controller
import Kubernetes
import Logging
import PluginHost

/// Starts the plugins that the manifests need, as they need them, and keeps them running.
struct PluginStarter: Sendable {
    let api: any KubernetesAPI
    let named: [PluginSupervisor.Executable]
    let executables: PluginExecutables
    let socketPath: String
    let logger: Logger

    func run() async {
        let (wanted, queue) = AsyncStream.makeStream(of: PluginSupervisor.Executable.self)
        await withDiscardingTaskGroup { group in
            for executable in self.named { queue.yield(executable) }
            group.addTask { await self.followTypes { queue.yield($0) } }
            var started: Set<String> = []
            for await executable in wanted where started.insert(executable.name).inserted {
                let supervisor = PluginSupervisor(
                    executable: executable,
                    socketPath: self.socketPath,
                    logger: self.logger
                )
                group.addTask { await supervisor.run() }
            }
        }
    }

    /// Reports the executable of every trigger type that a ScaledJob names.
    private func followTypes(_ report: @escaping @Sendable (PluginSupervisor.Executable) -> Void) async {
        let reflector = Reflector<ScaledJob>(api: self.api, logger: self.logger)
        await reflector.run { change in
            switch change {
            case .replaced(let scaledJobs, _):
                for type in Set(scaledJobs.flatMap(Self.types)) { self.executables.find(type: type).map(report) }
            case .upserted(let scaledJob):
                for type in Self.types(of: scaledJob) { self.executables.find(type: type).map(report) }
            case .deleted, .interrupted: break
            }
        }
    }

    static func types(of scaledJob: ScaledJob) -> [String] {
        (scaledJob.spec?["triggers"]?.arrayValue ?? []).compactMap { $0["type"]?.stringValue }
    }
}
