import Controller
import PluginHost

/// What most plays begin with, repeat and end with.
extension ModelCluster {
    /// A host that follows one ScaledJob whose triggers are open.
    static func started(
        _ scaledJob: ScaledJob = ModelCluster.scaledJob(),
        countsUntilClaimed: Bool = false
    ) -> ModelCluster {
        var cluster = ModelCluster()
        cluster.countsUntilClaimed = countsUntilClaimed
        cluster.start(scaledJob)
        cluster.openTriggers()
        cluster.settle()
        return cluster
    }

    /// The source says that something changed.
    mutating func push() {
        self.take(.plugin(.changed(TriggerID(owner: Self.uid, index: 0))))
    }

    /// Lets the world behave from here on: every Job runs to its end, and time passes.
    mutating func workOff(rounds: Int) {
        for _ in 0..<rounds {
            self.settle()
            for (name, job) in self.jobs where !job.isFinished { self.runJob(name) }
            self.settle()
            self.advanceToNextWake(atMost: .seconds(20))
        }
    }
}
