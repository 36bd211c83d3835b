extension AdmissionLedger {
    /// One ScaledJob.
    struct Claimant: Sendable {
        enum Place: Sendable, Equatable {
            case none
            /// Until its next poll.
            case asleep
            case lane(scope: Int, lane: Int)
        }

        let uid: String
        var namespace: String
        var claim: AdmissionClaim?
        var use = AdmissionUse()
        /// Jobs that it wants now.
        var demand = 0
        /// Whether a call could be sent for one of them.
        var isReady = false
        /// Jobs created since its last poll.
        var batch = 0
        var waitingSince = 0.0
        var ticket: UInt64 = 0
        /// Of the time when it was put where it is.
        var arrival: UInt64 = 0
        var place = Place.none
        var wait: AdmissionWait?
        var shares: [Share] = []

        var priority: Int { self.claim?.priority ?? 0 }
        var weight: Double { Self.positive(self.claim?.weight) }
        var groupWeight: Double { Self.positive(self.claim?.groupWeight) }
        var isActive: Bool { self.demand > 0 }

        /// Its part in a scope; nil where it has none.
        func share(in scope: Int) -> Share? { self.shares.first { $0.scope == scope } }

        private static func positive(_ weight: Double?) -> Double {
            guard let weight, weight > 0, weight.isFinite else { return 1 }
            return weight
        }
    }

    /// What one ScaledJob has of one scope.
    struct Share: Sendable {
        let scope: Int
        /// The index of its group in the scope; nil for one without a group.
        var group: Int?
        var account = Account()
        /// What one Job takes of the limited resources.
        var need = ResourceAmounts()
        /// What one more Job adds to ``Account/part``.
        var step = 0.0
    }
}
