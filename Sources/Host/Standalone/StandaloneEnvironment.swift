package import Kubernetes
package import Logging
internal import NIOConcurrencyHelpers
package import SystemPackage

/// Everything that takes the place of a cluster on a single machine: the API, the manifests and the Job runner.
package final class StandaloneEnvironment: Sendable {
    /// What the controller talks to; it cannot tell it from an API server.
    package let cluster: InProcessCluster
    /// Where the processes' output is.
    package let output: JobOutput
    package let runner: JobRunner
    /// What the Jobs have come to so far.
    package let observer: RunObserver
    private let watcher: ManifestWatcher

    package var api: any KubernetesAPI { self.cluster }

    /// Reads the manifests once.
    ///
    /// - Parameters:
    ///   - files: manifest files and folders.
    ///   - stateDirectory: where the output of Jobs is kept.
    ///   - settings: how Jobs are run.
    ///   - report: where to write what happens, for scripts.
    ///   - logger: for what a person should know.
    /// - Throws: ``ManifestProblem`` when they cannot be used, so that a start with a mistake ends with its place.
    package init(
        files: [FilePath],
        stateDirectory: FilePath,
        settings: JobRunner.Settings,
        report: RunReport? = nil,
        logger: Logger
    ) throws(ManifestProblem) {
        self.cluster = InProcessCluster()
        self.output = JobOutput(stateDirectory: stateDirectory)
        self.runner = JobRunner(cluster: self.cluster, output: self.output, settings: settings, logger: logger)
        self.observer = RunObserver(cluster: self.cluster, report: report, logger: logger)
        self.watcher = ManifestWatcher(folder: ManifestFolder(paths: files), cluster: self.cluster, logger: logger)
        try self.watcher.load()
    }

    /// Runs Jobs and follows the manifests until it is cancelled.
    ///
    /// Then it starts nothing more, asks every running process to end, and returns when the last one has.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.watcher.run() }
            group.addTask { await self.observer.run() }
            group.addTask { try await self.runner.run() }
            try await group.waitForAll()
        }
        self.observer.end()
    }
}
