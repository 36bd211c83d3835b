import Kubernetes
import Scaling

extension ControllerMachine {
    /// Asks for a Job, unless that is being asked already: of two answers the older could come last.
    mutating func lookUp(_ job: JobReference) {
        if !self.lookUpsUnderWay.contains(job) { self.lookUps.add(job) }
    }

    /// Hands free places for look-ups to the ScaledJobs in turn, one Job each.
    mutating func dispatchLookUps() {
        while self.lookUpsUnderWay.count < self.configuration.largestLookUpsUnderWay, let job = self.lookUps.next() {
            // One that the watch has shown meanwhile needs no call any more.
            guard self.trackers[job.owner]?.assumed[job.key.name] != nil else { continue }
            self.lookUpsUnderWay.insert(job)
            self.actions.append(.lookUpJob(job))
        }
    }
}
