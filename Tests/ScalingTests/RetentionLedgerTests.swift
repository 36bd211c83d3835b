import Scaling
import Testing

@Suite struct RetentionLedgerTests {
    private var ledger = RetentionLedger(grace: 5)

    private static func job(
        _ name: String,
        at endedAt: Int64,
        _ outcome: FinishedJob.Outcome = .succeeded,
        ttl: Int32? = nil
    ) -> FinishedJob {
        FinishedJob(name: name, outcome: outcome, endedAt: endedAt, timeToLive: ttl)
    }

    private mutating func excess(of owner: String, at now: Int64) -> [String] {
        self.ledger.expire(at: now)
        var names: [String] = []
        while let job = self.ledger.takeExcess(of: owner, at: now) { names.append(job.name) }
        return names
    }

    @Test mutating func aJobGoesWhenItIsAsOldAsTheRuleSaysAndNotBefore() {
        self.ledger.set(RetentionPolicy(longest: 60), of: "a")
        self.ledger.add(Self.job("one", at: 1_000), of: "a")
        self.ledger.add(Self.job("two", at: 1_010, .failed), of: "a")
        #expect(self.ledger.nextExpiry == 1_060)
        #expect(self.excess(of: "a", at: 1_059) == [])
        #expect(self.excess(of: "a", at: 1_060) == ["one"])
        #expect(self.ledger.nextExpiry == 1_070)
        #expect(self.excess(of: "a", at: 2_000) == ["two"])
        #expect(self.ledger.nextExpiry == nil)
    }

    /// By seconds after the end at 1,000: the rule of age, the Job's own time to live, and when it goes.
    @Test(
        arguments: [
            (60, nil, 1_060), (60, 600, 1_605), (600, 60, 1_065), (nil, 60, 1_065), (60, 0, 1_005), (nil, nil, nil),
        ] as [(Int64?, Int32?, Int64?)]
    )
    mutating func aTimeToLiveStandsInPlaceOfTheAge(longest: Int64?, ttl: Int32?, goesAt: Int64?) {
        self.ledger.set(RetentionPolicy(longest: longest), of: "a")
        self.ledger.add(Self.job("one", at: 1_000, ttl: ttl), of: "a")
        guard let goesAt else {
            #expect(self.excess(of: "a", at: .max) == [])
            return
        }
        #expect(self.excess(of: "a", at: goesAt - 1) == [])
        #expect(self.excess(of: "a", at: goesAt) == ["one"])
    }

    @Test mutating func numberAndTotalHoldForJobsWithATimeToLiveToo() {
        self.ledger.set(RetentionPolicy(successful: 1), of: "a")
        self.ledger.set(total: 0, of: .host)
        self.ledger.add(Self.job("old", at: 1, ttl: 9_999), of: "a")
        self.ledger.add(Self.job("new", at: 2, ttl: 9_999), of: "a")
        #expect(self.excess(of: "a", at: 10) == ["old", "new"])
    }

    @Test mutating func aConditionInTheFutureIsNeitherOldNorTheFirstToGo() {
        self.ledger.set(RetentionPolicy(successful: 1, longest: 60), of: "a")
        self.ledger.add(Self.job("future", at: 9_000), of: "a")
        self.ledger.add(Self.job("past", at: 990), of: "a")
        #expect(self.excess(of: "a", at: 1_000) == ["past"])
        #expect(self.excess(of: "a", at: 9_059) == [])
    }

    @Test mutating func aClockThatIsPutBackTakesBackWhatHasExpired() {
        self.ledger.set(RetentionPolicy(longest: 60), of: "a")
        self.ledger.add(Self.job("one", at: 1_000), of: "a")
        self.ledger.expire(at: 5_000)
        #expect(self.ledger.hasExcess("a") == true)
        #expect(self.ledger.takeExcess(of: "a", at: 1_001) == nil)
        #expect(self.ledger.hasExcess("a") == false)
        #expect(self.excess(of: "a", at: 1_059) == [])
        #expect(self.excess(of: "a", at: 1_060) == ["one"])
    }

    @Test mutating func aJobOfWhichNobodyKnowsWhenItEndedHasNoAge() {
        self.ledger.set(RetentionPolicy(successful: 1, longest: 60), of: "a")
        self.ledger.add(Self.job("undated", at: 0), of: "a")
        #expect(self.excess(of: "a", at: 1_000_000) == [])
        self.ledger.add(Self.job("dated", at: 1_000_000), of: "a")
        #expect(self.excess(of: "a", at: 1_000_000) == ["undated"])
    }

    @Test mutating func theTotalTakesTheOldestOfAll() {
        for owner in ["a", "b", "c"] { self.ledger.set(RetentionPolicy(), of: owner) }
        self.ledger.set(total: 2, of: .host)
        self.ledger.add(Self.job("a1", at: 1), of: "a")
        self.ledger.add(Self.job("a4", at: 4), of: "a")
        self.ledger.add(Self.job("b2", at: 2, .failed), of: "b")
        #expect(self.ledger.takeStirred() == ["a"])
        #expect(self.excess(of: "b", at: 10) == [])
        #expect(self.excess(of: "a", at: 10) == ["a1"])
        self.ledger.add(Self.job("c3", at: 3), of: "c")
        #expect(self.ledger.takeStirred() == ["b"])
        #expect(self.excess(of: "b", at: 10) == ["b2"])
        #expect(self.excess(of: "a", at: 10) + self.excess(of: "c", at: 10) == [])
    }

    /// What a ScaledJob's own rules delete does not push out those of others.
    @Test mutating func theTotalCountsWhatTheOtherRulesKeep() {
        self.ledger.set(RetentionPolicy(successful: 0), of: "a")
        self.ledger.set(RetentionPolicy(), of: "b")
        self.ledger.set(total: 3, of: .host)
        for number in 0..<3 { self.ledger.add(Self.job("b\(number)", at: Int64(number) + 1), of: "b") }
        for number in 0..<10 { self.ledger.add(Self.job("a\(number)", at: Int64(number) + 100), of: "a") }
        #expect(self.excess(of: "b", at: 1_000) == [])
        #expect(self.excess(of: "a", at: 1_000).count == 10)
        #expect(self.excess(of: "b", at: 1_000) == [])
    }

    @Test mutating func eachNamedGroupHasATotalOfItsOwn() {
        for owner in ["a", "b"] { self.ledger.set(RetentionPolicy(), of: owner) }
        self.ledger.set(total: 1, of: .budget("night"))
        self.ledger.set(scopes: [.budget("night")], of: "a")
        for owner in ["a", "b"] {
            for number in 1...3 { self.ledger.add(Self.job("\(owner)\(number)", at: Int64(number)), of: owner) }
        }
        #expect(self.excess(of: "b", at: 10) == [])
        #expect(self.excess(of: "a", at: 10) == ["a1", "a2"])
        // Whoever leaves the group takes its Jobs along, and whoever comes brings them.
        self.ledger.set(scopes: [], of: "a")
        self.ledger.set(scopes: [.budget("night")], of: "b")
        #expect(self.excess(of: "a", at: 10) == [])
        #expect(self.excess(of: "b", at: 10) == ["b1", "b2"])
        self.ledger.set(total: nil, of: .budget("night"))
        self.ledger.add(Self.job("b9", at: 9), of: "b")
        #expect(self.excess(of: "b", at: 10) == [])
    }

    @Test mutating func otherRulesTakeBackWhatWasNotGivenOut() {
        self.ledger.set(RetentionPolicy(successful: 0, longest: 60), of: "a")
        for number in 1...5 { self.ledger.add(Self.job("j\(number)", at: Int64(number)), of: "a") }
        self.ledger.expire(at: 1_000)
        #expect(self.ledger.takeExcess(of: "a", at: 1_000)?.name == "j1")
        self.ledger.set(RetentionPolicy(successful: 3), of: "a")
        #expect(self.excess(of: "a", at: 1_000) == ["j2"])
    }

    @Test mutating func aJobThatCouldNotBeDeletedIsAskedForByTheRulesOfThen() {
        self.ledger.set(RetentionPolicy(successful: 1, longest: 500), of: "a")
        self.ledger.set(total: 1, of: .host)
        let old = Self.job("old", at: 1)
        let new = Self.job("new", at: 2)
        for job in [old, new] { self.ledger.add(job, of: "a") }
        #expect(self.excess(of: "a", at: 10) == ["old"])
        #expect(self.ledger.isExcess(old, of: "a", at: 10) == true)
        self.ledger.set(RetentionPolicy(successful: 2, longest: 500), of: "a")
        #expect(self.ledger.isExcess(old, of: "a", at: 10) == true)
        self.ledger.set(total: 2, of: .host)
        #expect(self.ledger.isExcess(old, of: "a", at: 10) == false)
        #expect(self.ledger.isExcess(old, of: "a", at: 501) == true)
    }

    @Test mutating func aScaledJobThatIsGoneHasNoJobsToDelete() {
        self.ledger.set(RetentionPolicy(successful: 0, longest: 1), of: "a")
        self.ledger.set(total: 0, of: .host)
        self.ledger.add(Self.job("one", at: 1), of: "a")
        self.ledger.forget("a")
        self.ledger.add(Self.job("two", at: 2), of: "a")
        #expect(self.excess(of: "a", at: 1_000) == [])
        #expect(self.ledger.takeStirred() == [])
    }
}
