import Kubernetes
import Scaling

/// What the ResourceQuotas of one namespace leave to this host's Jobs.
///
/// What a quota counts includes Jobs of this host and whatever else is in the namespace. What others use is what the quota
/// counts less what is counted of this host's for certain; the rest is room for all Jobs of this host together.
struct QuotaRoom: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var hard: Int128
        /// Nil as long as nobody has counted: then there is no room at all, as the API server sees it.
        var used: Int128?
    }

    /// By the name of the quota and the resource as it is counted here.
    private var quotas: [String: [String: Entry]] = [:]

    /// The name under which Job objects are counted.
    static let jobObjects = "count/jobs.batch"

    var isEmpty: Bool { self.quotas.isEmpty }
    var names: some Collection<String> { self.quotas.keys }

    /// Takes a quota as it is now; nil once it is gone.
    ///
    /// One with scopes counts only some Pods, and which that are is left to the API server.
    mutating func set(_ name: String, to quota: ResourceQuota?) {
        guard let quota, !quota.hasScopes else {
            self.quotas[name] = nil
            return
        }
        var entries: [String: Entry] = [:]
        for (key, text) in quota.hard.merging(quota.wanted, uniquingKeysWith: { stored, _ in stored }) {
            guard let resource = Self.resource(key), let stored = ResourceAmounts.thousandths(text) else { continue }
            // A quota that was lowered a moment ago counts before its status says so.
            let wanted = quota.wanted[key].flatMap(ResourceAmounts.thousandths) ?? stored
            let entry = Entry(
                hard: Swift.min(stored, wanted),
                used: quota.used[key].flatMap(ResourceAmounts.thousandths)
            )
            // `cpu` and `requests.cpu` are the same.
            if let other = entries[resource], other.hard < entry.hard { continue }
            entries[resource] = entry
        }
        self.quotas[name] = entries
    }

    /// The limits for all Jobs of this host, of which some are counted for certain.
    func limits(counted: ResourceAmounts) -> AdmissionLimits {
        var limits = AdmissionLimits()
        for entries in self.quotas.values {
            for (resource, entry) in entries {
                let room = entry.used.map { used in
                    Swift.max(0, entry.hard - Swift.max(0, used - counted[resource]))
                }
                if resource == Self.jobObjects {
                    let objects = Int(clamping: (room ?? 0) / 1_000)
                    limits.jobObjects = Swift.min(limits.jobObjects ?? objects, objects)
                } else {
                    limits.resources[resource] = Swift.min(limits.resources[resource] ?? room ?? 0, room ?? 0)
                }
            }
        }
        return limits
    }

    /// The quota that leaves the least of a resource, in words; nil where none counts it.
    func words(for resource: String) -> String? {
        let entries = self.quotas.compactMap { name, entries in entries[resource].map { (name, $0) } }
        func rest(_ entry: Entry) -> Int128 { entry.used.map { entry.hard - $0 } ?? 0 }
        guard let (name, entry) = entries.min(by: { (rest($0.1), $0.0) < (rest($1.1), $1.0) }) else { return nil }
        guard let used = entry.used else { return "ResourceQuota \(name): nobody has counted \(resource) yet" }
        let (usedText, hardText) = (Quantity.text(thousandths: used), Quantity.text(thousandths: entry.hard))
        return "ResourceQuota \(name): \(resource) \(usedText) of \(hardText) in use"
    }

    /// The resource that a key of a quota counts, as it is counted here; nil for one that is left to the API server.
    private static func resource(_ key: String) -> String? {
        if key == Self.jobObjects || key == JobNeeds.podsResource { return key }
        if key.hasPrefix("requests.") {
            let name = String(key.dropFirst("requests.".count))
            return name == "storage" ? nil : name
        }
        return ["cpu", "memory", "ephemeral-storage"].contains(key) || key.hasPrefix("hugepages-") ? key : nil
    }
}
