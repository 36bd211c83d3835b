/// How Jobs that exist count against what waits: `scalingStrategy.strategy`, and one that only the host chooses.
package enum ScalingStrategy: Sendable, Equatable {
    /// All running Jobs are subtracted: right where an item counts until its Job has finished with it.
    case `default`
    /// A share of the running Jobs and a constant are subtracted.
    case custom(deduction: Int, percentage: Double)
    /// Only pending Jobs are subtracted: right where an item counts until a Job has claimed it.
    case accurate
    /// Free slots are filled as long as anything waits.
    case eager
    /// Waiting items and those that Jobs have in work, less all running Jobs.
    case inFlight

    /// The name in manifests, decisions and metrics.
    package var name: String {
        switch self {
        case .default: "default"
        case .custom: "custom"
        case .accurate: "accurate"
        case .eager: "eager"
        case .inFlight: "in-flight"
        }
    }

    /// Whether its numbers depend on which Jobs are pending, and so on Pods.
    package var needsPending: Bool {
        switch self {
        case .accurate, .eager: true
        case .default, .custom, .inFlight: false
        }
    }
}

/// What a strategy is given, in whole Jobs.
package struct StrategyInput: Sendable, Equatable {
    /// What the backlog is worth, cut to the ceiling.
    package var maxScale: Int
    /// Unfinished Jobs beyond the base.
    package var running: Int
    /// Unfinished Jobs whose Pods have not started; base Jobs among them.
    ///
    /// A base Job that has not started will take an item like any other, so it counts.
    package var pending: Int
    /// The most Jobs on top of the base.
    package var ceiling: Int
    /// The queue length itself.
    package var scaleTo: Int

    package init(maxScale: Int, running: Int, pending: Int, ceiling: Int, scaleTo: Int) {
        self.maxScale = maxScale
        self.running = running
        self.pending = pending
        self.ceiling = ceiling
        self.scaleTo = scaleTo
    }
}

/// What a strategy answers: the lesser of the two is created.
package struct StrategyOutput: Sendable, Equatable {
    /// May be negative.
    package var effective: Int
    package var scaleTo: Int

    package init(effective: Int, scaleTo: Int) {
        self.effective = effective
        self.scaleTo = scaleTo
    }
}

extension ScalingStrategy {
    /// The well-known formulas, number for number.
    package func numbers(_ input: StrategyInput) -> StrategyOutput {
        switch self {
        case .default, .inFlight:
            return StrategyOutput(effective: input.maxScale - input.running, scaleTo: input.scaleTo)
        case .custom(let deduction, let percentage):
            let wanted = input.maxScale - deduction - Self.share(of: input.running, percentage)
            return StrategyOutput(effective: Swift.min(wanted, input.ceiling), scaleTo: input.scaleTo)
        case .accurate:
            let wanted = input.maxScale - input.pending
            return StrategyOutput(
                effective: Swift.min(wanted, input.ceiling - input.running),
                scaleTo: input.scaleTo
            )
        case .eager:
            let free = input.ceiling - input.running - input.pending
            return StrategyOutput(effective: Swift.min(free, input.maxScale), scaleTo: input.ceiling)
        }
    }

    /// A share of Jobs, cut toward zero; within what sums can hold, whatever the percentage is.
    static func share(of jobs: Int, _ percentage: Double) -> Int {
        let product = Double(jobs) * percentage
        if product.isNaN { return 0 }
        if product >= 1e15 { return 1_000_000_000_000_000 }
        if product <= -1e15 { return -1_000_000_000_000_000 }
        return Int(product)
    }
}
