import Scaling

/// The Jobs of all ScaledJobs, with a note of each whose tracker may have changed.
///
/// Whoever changes a tracker does it through here, so that nothing that counts Jobs can miss a change.
struct JobTrackers: Sendable {
    private var byOwner: [String: JobTracker] = [:]
    private var changed: [String] = []
    private var isChanged: Set<String> = []

    var keys: some Collection<String> { self.byOwner.keys }

    subscript(owner: String) -> JobTracker? {
        get { self.byOwner[owner] }
        _modify {
            self.note(owner)
            yield &self.byOwner[owner]
        }
    }

    subscript(owner: String, default fresh: @autoclosure () -> JobTracker) -> JobTracker {
        get { self.byOwner[owner] ?? fresh() }
        _modify {
            self.note(owner)
            yield &self.byOwner[owner, default: fresh()]
        }
    }

    mutating func removeValue(forKey owner: String) -> JobTracker? {
        self.note(owner)
        return self.byOwner.removeValue(forKey: owner)
    }

    /// Those that may have changed since this was last asked, in order.
    mutating func takeChanged() -> [String] {
        guard !self.changed.isEmpty else { return [] }
        defer {
            self.changed = []
            self.isChanged.removeAll(keepingCapacity: true)
        }
        return self.changed
    }

    private mutating func note(_ owner: String) {
        if self.isChanged.insert(owner).inserted { self.changed.append(owner) }
    }
}
