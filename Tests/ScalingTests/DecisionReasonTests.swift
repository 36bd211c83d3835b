import Scaling
import Testing

@Suite struct DecisionReasonTests {
    private static let start = ContinuousClock.now

    /// Decisions of many kinds; `after` is when their readings were asked for.
    private func decisions(after pause: Duration) -> [ScalingDecision] {
        var decisions = [ScalingPolicy(bounds: ReplicaBounds()).paused()]
        for strategy in [ScalingStrategy.default, .accurate, .eager] {
            let policy = ScalingPolicy(bounds: ReplicaBounds(), strategy: strategy)
            for waiting in [0.0, 1, 4] {
                let trigger = TriggerBacklog(waiting: waiting, target: 1, isActive: waiting > 0)
                let backlog = BacklogCombination.max.combine(
                    [.known(trigger, askedAt: Self.start + pause)],
                    demandCeiling: 100
                )
                for unfinished in [0, 2] {
                    decisions.append(policy.decide(backlog, .init(unfinished: unfinished, pending: unfinished)))
                }
            }
            let unknown = BacklogCombination.max.combine([.unknown("away")], demandCeiling: 100)
            decisions.append(policy.decide(unknown, .init(unfinished: 1, pending: 1)))
        }
        return decisions
    }

    @Test func decisionsReadAlikeExactlyWhenTheirReasonsAreTheSame() {
        let (early, late) = (self.decisions(after: .zero), self.decisions(after: .seconds(30)))
        for (index, one) in early.enumerated() {
            #expect(one.readsLike(late[index]), "\(one.reason)")
            for other in late where one.readsLike(other) { #expect(one.reason == other.reason) }
        }
    }
}
