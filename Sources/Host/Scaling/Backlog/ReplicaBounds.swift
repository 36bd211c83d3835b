/// How many Jobs a ScaledJob may and must have: `minReplicaCount` and `maxReplicaCount` with what follows from them.
package struct ReplicaBounds: Sendable, Equatable {
    /// What `maxReplicaCount` means when it is not set.
    package static let defaultMaximum = 100

    /// `minReplicaCount`; nil when not set.
    package let minimum: Int?
    /// `maxReplicaCount`; nil when not set.
    package let maximum: Int?

    package init(minimum: Int? = nil, maximum: Int? = nil) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// Jobs that always run, whatever waits.
    package var base: Int {
        guard let minimum else { return 0 }
        guard let maximum, minimum > maximum else { return minimum }
        return maximum
    }

    /// The ceiling for Jobs that the backlog asks for, on top of ``base``.
    ///
    /// When both are set and crossed, this is the maximum itself; ``mostUnfinished`` then keeps the sum within it.
    package var demandCeiling: Int {
        guard let maximum else { return Self.defaultMaximum }
        if let minimum, minimum > maximum { return maximum }
        return maximum - self.base
    }

    /// What the unfinished Jobs never exceed.
    package var mostUnfinished: Int {
        self.maximum ?? (Self.defaultMaximum + self.base)
    }
}
