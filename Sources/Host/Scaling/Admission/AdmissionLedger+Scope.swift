extension AdmissionLedger {
    /// What is known of one scope.
    struct Scope: Sendable {
        let name: AdmissionScope
        var limits = AdmissionLimits()
        var hasLimits = false
        var use = AdmissionUse()
        var members: Set<Int> = []
        var rate: AdmissionRate?
        /// Whether a wake for the rate is noted.
        var isRateNoted = false

        /// Those that wait for this scope; the first lane of the host holds those that were not looked at yet.
        var lanes: [AdmissionLane] = []
        var laneIndex: [ResourceAmounts: Int] = [:]
        /// Something came free since those that wait were last looked at.
        var isOpen = false
        /// ScaledJobs that wait, by what for.
        var waiting: [AdmissionDimension: Int] = [:]

        var groups: [Group] = []
        var groupIndex: [GroupKey: Int] = [:]
        var freeGroups: [Int] = []
        /// By priority, the service for each weight that the last one in turn had: where newcomers begin.
        var floor: [Int: Double] = [:]
        var pace = Pace()

        /// One whose Job does not fit and that smaller ones have overtaken.
        var overtaken: Overtaken?
        /// Grants since one that had waited long came first.
        var turnsByPriority = AdmissionLedger.turnsBetweenOverdue

        init(name: AdmissionScope) { self.name = name }

        /// Whether Jobs that are not known to exist could exceed a limit.
        var countsJobs: Bool {
            self.limits.runningJobs != nil || self.limits.jobObjects != nil || !self.limits.resources.isEmpty
        }
    }

    struct Overtaken: Sendable {
        let claimant: Int
        let since: Double
    }

    struct GroupKey: Hashable, Sendable {
        let priority: Int
        let group: AdmissionClaim.Group
    }

    /// The ScaledJobs of one group and one priority within one scope.
    struct Group: Sendable {
        let key: GroupKey
        var weight: Double
        var members = 0
        /// Those that want Jobs.
        var active = 0
        var use = AdmissionUse()
        var account = Account()
        /// Where newcomers within the group begin.
        var floor = 0.0
    }

    /// What one had of a scope while it wanted more.
    struct Account: Sendable {
        /// The greatest part of any limit that it has in use.
        var part = 0.0
        /// The same summed over time.
        var service = 0.0
        private var since = 0.0

        mutating func settle(now: Double, isActive: Bool) {
            if isActive { self.service += self.part * (now - self.since) }
            self.since = now
        }

        func service(at now: Double) -> Double { self.service + self.part * (now - self.since) }
    }

    /// How long Jobs hold their slots, from the slots in use and those that come free.
    struct Pace: Sendable {
        private var slotSeconds = 15.0
        private var releases = 0.25
        private var since = 0.0
        /// The time over which what was had before counts as much as what is in use.
        private(set) var horizon = 60.0

        mutating func settle(jobs: Int, now: Double) {
            self.slotSeconds += Double(jobs) * (now - self.since)
            self.since = now
        }

        /// Takes note of slots that came free; true when the horizon became shorter.
        mutating func released(_ count: Int) -> Bool {
            self.releases += Double(count)
            let mean = Swift.min(Swift.max(self.slotSeconds / self.releases, 0.1), 86_400)
            if self.releases > 64 {
                self.releases /= 2
                self.slotSeconds /= 2
            }
            if mean > self.horizon {
                self.horizon = mean
            } else if mean < self.horizon / 4 {
                self.horizon = mean
                return true
            }
            return false
        }
    }
}
