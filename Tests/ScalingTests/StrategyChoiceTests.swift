import Scaling
import Testing

@Suite struct StrategyChoiceTests {
    @Test(arguments: [
        ("0", 0), ("0.5", 0.5), (".5", 0.5), ("5.", 5), ("-1", -1), ("+0.25", 0.25), ("1e-1", 0.1), ("0x1p-2", 0.25),
    ])
    func numbersAreReadAsExistingManifestsWriteThem(row: (text: String, number: Double)) {
        let choice = StrategyChoice.custom(deduction: 2, percentage: row.text)
        #expect(choice.named == .custom(deduction: 2, percentage: row.number))
        #expect(choice.warning == nil)
    }

    @Test(arguments: ["", "abc", "50%", " 0.5", "0,5", "1e999", "NaN", "Inf", "0x1", "1_000", "1e", "--1"])
    func whatIsNoNumberMakesCustomWorkLikeDefault(text: String) throws {
        let choice = StrategyChoice.custom(deduction: 2, percentage: text)
        #expect(choice.named == .default)
        let warning = try #require(choice.warning)
        #expect(warning.contains("customScalingRunningJobPercentage"))
        let policy = ScalingPolicy(bounds: ReplicaBounds(), strategy: .default, warning: warning)
        #expect(policy.decide(.unknown("away"), .init(unfinished: 0)).reason.contains(warning))
    }

    @Test func aNameInTheManifestWins() {
        let claimed = TriggerStanding.known(
            TriggerBacklog(waiting: 1, target: 1, isActive: true, counts: .untilClaimed),
            askedAt: .now
        )
        #expect(StrategyChoice(named: .default).strategy(for: [claimed]) == .default)
        #expect(StrategyChoice.automatic.strategy(for: [claimed]) == .accurate)
        #expect(StrategyChoice.automatic.strategy(for: [claimed, .unknown("away")]) == .accurate)
        #expect(StrategyChoice.automatic.strategy(for: []) == .default)
    }
}
