import Kubernetes
import Scaling

/// What LimitRanges fill in for containers of one namespace that state neither a request nor a limit.
struct ContainerDefaults: Sendable, Equatable {
    private var byName: [String: PodResources.Amounts] = [:]
    /// Of several LimitRanges that speak of a resource the largest: which of them comes first is the API server's secret.
    private(set) var requests = ResourceAmounts()

    /// Takes a LimitRange as it is now; nil once it is gone.
    mutating func set(_ name: String, to defaults: PodResources.Amounts?) {
        self.byName[name] = defaults
        self.requests = self.byName.values.reduce(into: ResourceAmounts()) { $0.raise(to: ResourceAmounts($1)) }
    }

    var names: some Collection<String> { self.byName.keys }
}
