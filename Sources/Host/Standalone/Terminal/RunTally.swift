package import Kubernetes

/// What the Jobs of a run have come to, by ScaledJob, from the changes of the Job objects.
package struct RunTally: Sendable {
    package struct Counts: Sendable, Equatable {
        package var created = 0
        package var running = 0
        package var done = 0
        package var failed = 0
        package var cleaned = 0

        package init() {}
    }

    private struct Job: Sendable {
        let scaledJob: ObjectKey
        var ending: RunReport.Entry.Event?
    }

    package private(set) var counts: [ObjectKey: Counts] = [:]
    /// Jobs that exist now, by uid.
    private var jobs: [String: Job] = [:]

    package init() {}

    package var jobsLeft: Int { self.jobs.count }

    /// The sum over all ScaledJobs.
    package var total: Counts {
        self.counts.values.reduce(into: Counts()) { sum, counts in
            sum.created += counts.created
            sum.running += counts.running
            sum.done += counts.done
            sum.failed += counts.failed
            sum.cleaned += counts.cleaned
        }
    }

    /// Takes in one change of a Job object and returns what is new about it.
    package mutating func observed(_ event: WatchEvent, at time: Int64) -> [RunReport.Entry] {
        let object = event.object
        guard event.kind != .error else { return [] }
        var news: [RunReport.Entry.Event] = []
        if self.jobs[object.uid] == nil, event.kind != .deleted {
            let owner = object.labels["scaledjob.keda.sh/name"] ?? object.name
            let scaledJob = ObjectKey(namespace: object.namespace, name: owner)
            self.jobs[object.uid] = Job(scaledJob: scaledJob)
            self.counts[scaledJob, default: Counts()].created += 1
            self.counts[scaledJob]?.running += 1
            news.append(.created)
        }
        guard let job = self.jobs[object.uid] else { return [] }
        if job.ending == nil, let ending = Self.ending(of: object) {
            self.jobs[object.uid]?.ending = ending
            self.counts[job.scaledJob]?.running -= 1
            if ending == .finished { self.counts[job.scaledJob]?.done += 1 }
            if ending == .failed { self.counts[job.scaledJob]?.failed += 1 }
            news.append(ending)
        }
        if event.kind == .deleted {
            if self.jobs.removeValue(forKey: object.uid)?.ending == nil {
                self.counts[job.scaledJob]?.running -= 1
            }
            self.counts[job.scaledJob]?.cleaned += 1
            news.append(.cleaned)
        }
        return news.map {
            RunReport.Entry($0, namespace: object.namespace, name: job.scaledJob.name, job: object.name, at: time)
        }
    }

    /// After a gap in the changes: what is not in the list has been deleted meanwhile.
    package mutating func relisted(_ uids: Set<String>) {
        for (uid, job) in self.jobs where !uids.contains(uid) {
            if job.ending == nil { self.counts[job.scaledJob]?.running -= 1 }
            self.counts[job.scaledJob]?.cleaned += 1
            self.jobs[uid] = nil
        }
    }

    private static func ending(of job: JSONValue) -> RunReport.Entry.Event? {
        for condition in job[path: "status", "conditions"]?.arrayValue ?? [] where condition["status"] == "True" {
            if condition["type"] == "Complete" { return .finished }
            if condition["type"] == "Failed" { return .failed }
        }
        return nil
    }
}
