import FoundationEssentials
package import Kubernetes
package import Scaling

/// What one Job's Pods state about resources: everything that the Job's cost follows from, and the same for all Jobs of
/// one template.
package struct JobNeeds: Sendable, Hashable {
    package var pod: PodResources
    /// Pods that run at a time.
    package var pods: Int

    package init(pod: PodResources = PodResources(), pods: Int = 1) {
        self.pod = pod
        self.pods = pods
    }

    /// Of a Job that the API server showed.
    package init(_ job: Job) {
        self.init(
            pod: job.spec.template?.spec ?? PodResources(),
            pods: Self.pods(
                parallelism: job.spec.parallelism.map(Int.init),
                completions: job.spec.completions.map(Int.init)
            )
        )
    }

    /// Of the Jobs that a ScaledJob's `jobTargetRef` describes.
    package init(jobTargetRef: JSONValue) {
        let pod = (jobTargetRef[path: "template", "spec"])
            .flatMap { try? JSONDecoder().decode(PodResources.self, from: Data($0.encoded())) }
        func number(_ key: String) -> Int? { jobTargetRef[key]?.integerValue.map { Int(clamping: $0) } }
        self.init(
            pod: pod ?? PodResources(),
            pods: Self.pods(parallelism: number("parallelism"), completions: number("completions"))
        )
    }

    private static func pods(parallelism: Int?, completions: Int?) -> Int {
        let wanted = Swift.max(0, parallelism ?? 1)
        return completions.map { Swift.min(wanted, Swift.max(0, $0)) } ?? wanted
    }

    /// What the Job costs while it is not finished, in a namespace with these defaults.
    package func cost(defaults: ResourceAmounts = ResourceAmounts()) -> ResourceAmounts {
        var cost = self.pod.requests(defaults: defaults) * self.pods
        cost[Self.podsResource] = Int128(self.pods) * 1_000
        return cost
    }

    /// The resource that counts Pods.
    package static let podsResource = "pods"
}

extension PodResources {
    /// What the scheduler and a ResourceQuota count for one Pod.
    func requests(defaults: ResourceAmounts) -> ResourceAmounts {
        var running = ResourceAmounts()
        var sidecars = ResourceAmounts()
        for container in self.containers { running += container.requests(defaults: defaults) }
        // An init container runs beside the sidecars that were started before it.
        var largest = ResourceAmounts()
        for container in self.initContainers {
            let requests = container.requests(defaults: defaults)
            var phase = sidecars
            phase += requests
            if container.isSidecar {
                running += requests
                sidecars = phase
            }
            largest.raise(to: phase)
        }
        running.raise(to: largest)
        if let pod {
            let limits = ResourceAmounts(pod.limits)
            for name in limits.names where running[name] == 0 { running[name] = limits[name] }
            for (name, amount) in pod.requests { running[name] = ResourceAmounts.thousandths(amount) ?? 0 }
        }
        running += ResourceAmounts(self.overhead)
        return running
    }
}

extension PodResources.Container {
    fileprivate func requests(defaults: ResourceAmounts) -> ResourceAmounts {
        var amounts = ResourceAmounts()
        for name in defaults.names { amounts[name] = defaults[name] }
        for (name, text) in self.limits { amounts[name] = ResourceAmounts.thousandths(text) ?? 0 }
        for (name, text) in self.requests { amounts[name] = ResourceAmounts.thousandths(text) ?? 0 }
        return amounts
    }
}

extension ResourceAmounts {
    /// Amounts as they are written; what is no amount counts as none, and no API server would take it.
    package init(_ texts: PodResources.Amounts) {
        self.init()
        for (name, text) in texts { self[name] = Self.thousandths(text) ?? 0 }
    }

    static func thousandths(_ text: String) -> Int128? {
        guard case .success(let amount) = Quantity.thousandths(of: .string(text)) else { return nil }
        return amount
    }

    /// Takes the larger one of each resource.
    mutating func raise(to other: ResourceAmounts) {
        for name in other.names where other[name] > self[name] { self[name] = other[name] }
    }
}
