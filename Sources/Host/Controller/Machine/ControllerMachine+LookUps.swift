import Kubernetes
import Scaling

extension ControllerMachine {
    /// Hands free places for look-ups to the ScaledJobs in turn, one Job each.
    mutating func dispatchLookUps() {
        while self.lookUpsUnderWay < self.configuration.largestLookUpsUnderWay, let job = self.lookUps.next() {
            // One that the watch has shown meanwhile needs no call any more.
            guard self.trackers[job.owner]?.assumed[job.key.name] != nil else { continue }
            self.lookUpsUnderWay += 1
            self.actions.append(.lookUpJob(job))
        }
    }
}
