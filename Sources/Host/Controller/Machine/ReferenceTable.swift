/// Which ScaledJobs refer to what, so that a change of one thing concerns only those.
struct ReferenceTable<Target: Hashable & Sendable>: Sendable {
    private var users: [Target: Set<String>] = [:]
    private var references: [String: Set<Target>] = [:]
    /// What was in use at the last ``takeChanges()``.
    private var taken: Set<Target> = []
    /// What is in use and was not then, or the other way round.
    private var changed: Set<Target> = []

    /// Everything that is referred to.
    var targets: some Collection<Target> { self.users.keys }

    /// The UIDs of the ScaledJobs that refer to it.
    func users(of target: Target) -> Set<String> { self.users[target] ?? [] }

    /// Takes what a ScaledJob refers to from now on.
    mutating func set(_ owner: String, to targets: Set<Target>) {
        let before = self.references[owner] ?? []
        guard before != targets else { return }
        self.references[owner] = targets.isEmpty ? nil : targets
        for target in before where !targets.contains(target) {
            self.users[target]?.remove(owner)
            guard self.users[target]?.isEmpty == true else { continue }
            self.users[target] = nil
            self.toggle(target)
        }
        for target in targets where !before.contains(target) {
            if self.users[target] == nil { self.toggle(target) }
            self.users[target, default: []].insert(owner)
        }
    }

    private mutating func toggle(_ target: Target) {
        if self.changed.remove(target) == nil { self.changed.insert(target) }
    }

    /// What is in use and was not at the last call, and the other way round.
    mutating func takeChanges() -> (begun: Set<Target>, ended: Set<Target>) {
        guard !self.changed.isEmpty else { return ([], []) }
        var (begun, ended): (Set<Target>, Set<Target>) = ([], [])
        for target in self.changed {
            if self.taken.remove(target) != nil {
                ended.insert(target)
            } else {
                self.taken.insert(target)
                begun.insert(target)
            }
        }
        self.changed = []
        return (begun, ended)
    }
}
