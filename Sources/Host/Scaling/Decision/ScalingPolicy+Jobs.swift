extension ScalingPolicy {
    /// The Jobs of one ScaledJob, as the decision needs them: as they are now, and since the backlog was asked for.
    ///
    /// A reading is a little old when it arrives and older when it is used again. Which Jobs may have an item in it
    /// depends on what the source counts. Counted until finished: every Job that was unfinished at any time since.
    /// Counted until claimed: every Job that had not started at any time since, even if it has finished meanwhile.
    package struct Jobs: Sendable, Equatable {
        /// Created or asked for, and not finished.
        package let unfinished: Int
        /// Those among them whose Pods have not started; nil when that is not known.
        package let pending: Int?
        /// Why that is not known, where a reason is.
        package let whyPendingIsUnknown: String?
        /// Unfinished at any time since the backlog was asked for; at least `unfinished`.
        package let servedSinceReading: Int
        /// Asked for since the backlog was asked for, finished or not; at most `servedSinceReading`.
        package let createdSinceReading: Int
        /// Pending at any time since the backlog was asked for; at least `pending`, nil when that is not known.
        package let pendingSinceReading: Int?

        /// What is not given is what a reading of this moment would find.
        package init(
            unfinished: Int,
            pending: Int? = 0,
            servedSinceReading: Int? = nil,
            createdSinceReading: Int = 0,
            pendingSinceReading: Int? = nil,
            whyPendingIsUnknown: String? = nil
        ) {
            self.unfinished = Swift.max(0, unfinished)
            self.pending = pending.map { Swift.max(0, $0) }
            self.whyPendingIsUnknown = pending == nil ? whyPendingIsUnknown : nil
            self.servedSinceReading = Swift.max(self.unfinished, servedSinceReading ?? self.unfinished)
            self.createdSinceReading = Swift.min(Swift.max(0, createdSinceReading), self.servedSinceReading)
            self.pendingSinceReading = self.pending.map { Swift.max($0, pendingSinceReading ?? $0) }
        }
    }
}
