internal import DequeModule
package import Kubernetes

/// The newest changes of the cluster, by revision, for watches to read from.
///
/// It is bounded: a watch that falls further behind than the log reaches has to list again.
package struct ChangeLog: Sendable {
    /// One object before and after one write.
    package struct Change: Sendable {
        package let revision: Int64
        package let resource: APIResource
        package let before: JSONValue?
        package let after: JSONValue?
    }

    private let capacity: Int
    private var changes: Deque<Change> = []

    package init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// Adds a change; revisions must come without gaps.
    package mutating func append(_ change: Change) {
        if self.changes.count == self.capacity { self.changes.removeFirst() }
        self.changes.append(change)
    }

    /// The change that made the given revision; nil when it is not in the log, any more or yet.
    package subscript(revision: Int64) -> Change? {
        guard let first = self.changes.first?.revision, revision >= first else { return nil }
        let index = Int(revision - first)
        return index < self.changes.count ? self.changes[index] : nil
    }
}
