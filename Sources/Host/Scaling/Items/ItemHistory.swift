/// What the Jobs in the cluster say about the items of one ScaledJob, by the hash of the key.
package struct ItemHistory: Sendable, Equatable {
    /// The Jobs of one item.
    package struct Entry: Sendable, Equatable {
        /// The highest number in a name that is taken.
        package var lastNumber = 0
        /// A Job of it is unfinished, or was asked for.
        package var isInWork = false
        /// When this host last saw a Job of it end.
        package var endedAt: ContinuousClock.Instant?
        /// The finished Job with the highest number.
        package var newest: Finished?
        /// The highest number of a Job that the API server has shown.
        package var lastShown = 0
        /// The key that one of its Jobs was made for; nil where none says.
        package var key: String?
    }

    /// A Job that has finished.
    package struct Finished: Sendable, Equatable {
        package let name: String
        package let number: Int
        package let attempt: Int
        package let hasSucceeded: Bool
        /// When the condition became true, in Unix seconds.
        package let at: Int64
    }

    package private(set) var entries: [String: Entry] = [:]

    /// Reads the Jobs of a tracker.
    package init(_ tracker: JobTracker, names: ItemNames) {
        for job in tracker.observed.values {
            guard let (hash, number) = names.parse(job.name) else { continue }
            var entry = self.entries[hash] ?? Entry()
            entry.lastNumber = Swift.max(entry.lastNumber, number)
            entry.lastShown = Swift.max(entry.lastShown, number)
            if let item = job.item { entry.key = item.key }
            switch job.phase {
            case .unfinished: entry.isInWork = true
            case .succeeded(let at), .failed(let at):
                guard number > entry.newest?.number ?? 0 else { break }
                let isSuccess = if case .succeeded = job.phase { true } else { false }
                entry.newest = Finished(
                    name: job.name,
                    number: number,
                    attempt: job.item?.attempt ?? number,
                    hasSucceeded: isSuccess,
                    at: at
                )
            }
            self.entries[hash] = entry
        }
        for name in tracker.assumed.keys {
            guard let (hash, number) = names.parse(name) else { continue }
            var entry = self.entries[hash] ?? Entry()
            entry.isInWork = true
            entry.lastNumber = Swift.max(entry.lastNumber, number)
            self.entries[hash] = entry
        }
        for (name, instant) in tracker.ends {
            guard let (hash, _) = names.parse(name) else { continue }
            var entry = self.entries[hash] ?? Entry()
            entry.endedAt = entry.endedAt.map { Swift.max($0, instant) } ?? instant
            self.entries[hash] = entry
        }
    }

    package subscript(hash: String) -> Entry? { self.entries[hash] }
}
