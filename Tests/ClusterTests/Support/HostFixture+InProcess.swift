import Controller
import Kubernetes
import Logging
import PluginHost
import PluginPeers

extension HostFixture {
    /// Runs the host's parts inside the test while the body runs, so that the line to the API server can be made to fail.
    func withController(
        over api: any KubernetesAPI,
        cleaning: CleaningSettings = CleaningSettings(),
        _ body: () async throws -> Void
    ) async throws {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        let hub = PluginHub(configuration: HubConfiguration(socketPath: self.folder.path), logger: logger)
        let supervisor = PluginSupervisor(
            executable: PluginSupervisor.Executable(name: "scripted", path: builtExecutable("ScriptedPlugin")),
            socketPath: self.folder.path,
            logger: logger
        )
        var configuration = ControllerConfiguration(version: "test", namespaces: [self.namespace])
        configuration.cleaning = cleaning
        let controller = Controller(
            configuration: configuration,
            api: api,
            plugins: hub,
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await hub.run() }
            group.addTask { await supervisor.run() }
            group.addTask { await controller.run() }
            defer { group.cancelAll() }
            try await body()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }
}
