import Kubernetes
import Scaling
import Testing

@testable import Controller

/// Which JobBudgets hold for which ScaledJobs, and what a change costs.
@Suite struct BudgetBookTests {
    private static func budget(_ name: String, _ spec: JSONValue, uid: String? = nil) -> JobBudget {
        JobBudget(metadata: ObjectMetadata(name: name, uid: uid ?? "uid-\(name)", generation: 1), spec: spec)
    }

    private static func member(_ namespace: String, _ labels: [String: String] = [:]) -> BudgetBook.Member {
        BudgetBook.Member(namespace: namespace, labels: labels)
    }

    private static let members: [String: BudgetBook.Member] = [
        "a": member("media", ["team": "video"]), "b": member("media"), "c": member("batch", ["team": "video"]),
        "d": member("batch", ["team": "audio"]), "e": member("other"),
    ]
    private static let namespaces = [
        "media": ["tier": "gold"], "batch": ["tier": "iron"], "other": [:], "empty": ["tier": "gold"],
    ]

    @Test(
        arguments: [
            ([:], "abcde"),
            (["namespaces": ["media"]], "ab"), (["namespaces": ["media", "other"]], "abe"),
            (["namespaceSelector": ["matchLabels": ["tier": "iron"]]], "cd"),
            (["namespaceSelector": [:]], "abcde"),
            (["namespaces": ["other"], "namespaceSelector": ["matchLabels": ["tier": "iron"]]], "cde"),
            (["scaledJobSelector": ["matchLabels": ["team": "video"]]], "ac"),
            (["namespaces": ["batch"], "scaledJobSelector": ["matchLabels": ["team": "video"]]], "c"),
            (["namespaces": ["nowhere"]], ""),
        ] as [(JSONValue, String)]
    )
    func aSelectorSelects(selector: JSONValue, selected: String) {
        // Whatever comes first.
        for order in 0..<3 {
            var book = BudgetBook()
            if order == 0 { book.set(Self.budget("x", ["selector": selector])) }
            if order == 1 { book.setNamespaces(Self.namespaces) }
            for (uid, member) in Self.members { book.set(uid, to: member) }
            if order != 0 { book.set(Self.budget("x", ["selector": selector])) }
            if order != 1 { book.setNamespaces(Self.namespaces) }
            #expect((book.selected["x"] ?? []).sorted().joined() == selected)
            for uid in Self.members.keys {
                #expect(book.claim(of: uid)?.budgets == (selected.contains(uid) ? ["x"] : []))
                #expect(book.isDecided(uid))
            }
        }
    }

    @Test func nothingIsKnownOfNamespacesThatWereNotListed() {
        var book = BudgetBook()
        let selector: JSONValue = [
            "namespaceSelector": ["matchLabels": ["tier": "gold"]],
            "scaledJobSelector": ["matchLabels": ["team": "video"]],
        ]
        book.set(Self.budget("x", ["selector": selector]))
        for (uid, member) in Self.members { book.set(uid, to: member) }
        #expect(book.needsNamespaces)
        #expect(!book.isDecided("a"))
        #expect(!book.isDecided("c"))
        #expect(book.isDecided("b"), "its own labels are enough to know")
        book.setNamespaces(["batch": ["tier": "gold"]])
        #expect(!book.isDecided("a"), "its namespace has not been shown")
        #expect(book.isDecided("c"))
        book.setNamespace("media", labels: ["tier": "gold"])
        #expect(book.isDecided("a"))
        #expect(book.selected["x"] == ["a", "c"])
        book.setNamespace("media", labels: ["tier": "iron"])
        #expect(book.selected["x"] == ["c"])
    }

    @Test func withoutTheRightToListNamespacesNamesCount() {
        var book = BudgetBook()
        let selector: JSONValue = [
            "namespaces": ["media"], "namespaceSelector": ["matchLabels": ["tier": "iron"]],
        ]
        book.set(Self.budget("x", ["selector": selector]))
        for (uid, member) in Self.members { book.set(uid, to: member) }
        book.failNamespaces("forbidden")
        #expect(book.selected["x"] == ["a", "b"])
        #expect(Self.members.keys.allSatisfy { book.isDecided($0) })
    }

    @Test func whatWasKnownOfNamespacesCountsOn() {
        var book = BudgetBook()
        book.set(Self.budget("x", ["selector": ["namespaceSelector": ["matchLabels": ["tier": "iron"]]]]))
        for (uid, member) in Self.members { book.set(uid, to: member) }
        book.setNamespaces(Self.namespaces)
        book.failNamespaces("forbidden")
        #expect(book.selected["x"] == ["c", "d"])
    }

    // MARK: - Claims

    @Test func sharingIsThatOfTheFirstBudgetThatHasIt() {
        var book = BudgetBook()
        for (uid, member) in Self.members { book.set(uid, to: member) }
        book.set(Self.budget("a-plain", ["maxRunningJobs": 5]))
        book.set(Self.budget("b-teams", ["sharing": ["by": "label", "label": "team", "weights": ["video": 3]]]))
        book.set(Self.budget("c-spaces", ["sharing": ["by": "namespace"]]))
        #expect(book.claim(of: "a")?.budgets == ["a-plain", "b-teams", "c-spaces"])
        #expect(book.claim(of: "a")?.group == AdmissionClaim.Group(budget: "b-teams", name: "video"))
        #expect(book.claim(of: "a")?.groupWeight == 3)
        #expect(book.claim(of: "d")?.groupWeight == 1)
        #expect(book.claim(of: "b")?.group == nil, "without the label it is on its own")
        book.removeBudget("b-teams")
        #expect(book.claim(of: "b")?.group == AdmissionClaim.Group(budget: "c-spaces", name: "media"))
        #expect(book.limits(of: "a-plain")?.runningJobs == 5)
        #expect(book.limits(of: "b-teams") == nil)
    }

    @Test func annotationsAndCostsAreInTheClaim() {
        var book = BudgetBook()
        var problems: [Problem] = []
        var member = Self.member("media")
        member.share = JobShare(
            ["sluice.dev/priority": "7", "sluice.dev/weight": "2", "sluice.dev/max-jobs-per-batch": "4"],
            problems: &problems
        )
        member.cost = ResourceAmounts(thousandths: ["cpu": 500])
        book.set("a", to: member)
        let claim = book.claim(of: "a")
        #expect(claim?.priority == 7)
        #expect(claim?.weight == 2)
        #expect(claim?.limits == AdmissionLimits(jobsPerBatch: 4))
        #expect(claim?.cost["cpu"] == 500)
        book.setCost(ResourceAmounts(thousandths: ["cpu": 900]), of: "a")
        #expect(book.claim(of: "a")?.cost["cpu"] == 900)
    }

    // MARK: - Mistakes

    @Test func theLastGoodLimitsStayInForce() {
        var book = BudgetBook()
        for (uid, member) in Self.members { book.set(uid, to: member) }
        book.set(Self.budget("x", ["selector": ["namespaces": ["media"]], "maxRunningJobs": 5]))
        _ = book.takeChanges()
        book.set(Self.budget("x", ["selector": ["namespaces": ["batch"]], "maxRunningJobs": -5]))
        #expect(book.budgets["x"]?.problems.count == 1)
        #expect(book.limits(of: "x")?.runningJobs == 5)
        #expect(book.selected["x"] == ["a", "b"])
        #expect(book.takeChanges().isEmpty)
        book.set(Self.budget("x", ["selector": ["namespaces": ["batch"]], "maxRunningJobs": 6]))
        #expect(book.budgets["x"]?.problems == [])
        #expect(book.limits(of: "x")?.runningJobs == 6)
        #expect(book.selected["x"] == ["c", "d"])
    }

    @Test func ofABudgetThatWasNeverRightCountsWhatCanBeRead() {
        var book = BudgetBook()
        for (uid, member) in Self.members { book.set(uid, to: member) }
        book.set(Self.budget("x", ["maxRunningJobs": 5, "maxResources": ["cpu": "?"]]))
        #expect(book.limits(of: "x") == AdmissionLimits(runningJobs: 5))
        #expect(book.selected["x"]?.count == 5)
        book.set(Self.budget("y", ["maxRunningJobs": 5, "selector": 5]))
        #expect(book.limits(of: "y") == nil, "whom it means cannot be told")
        #expect(book.selected["y"] ?? [] == [])
    }

    @Test func aNewBudgetOfTheSameNameKeepsNothing() {
        var book = BudgetBook()
        book.set(Self.budget("x", ["maxRunningJobs": 5]))
        book.set(Self.budget("x", ["maxRunningJobs": "?"], uid: "another"))
        #expect(book.limits(of: "x") == AdmissionLimits())
    }

    // MARK: - What a change costs

    /// 10,000 ScaledJobs in 100 namespaces, 20 budgets.
    private static func crowd() -> BudgetBook {
        var book = BudgetBook()
        for number in 0..<20 {
            book.set(
                Self.budget(
                    "budget-\(number)",
                    ["selector": ["namespaces": [.string("space-\(number)")]], "maxRunningJobs": 10]
                )
            )
        }
        for number in 0..<10_000 { book.set("job-\(number)", to: Self.member("space-\(number % 100)")) }
        _ = book.takeChanges()
        return book
    }

    @Test func anEditOfAScaledJobConcernsThatOne() {
        var book = Self.crowd()
        let trials = book.trials
        book.set("job-5", to: Self.member("space-5", ["team": "video"]))
        #expect(book.trials - trials == 20, "each budget once")
        #expect(book.takeChanges().isEmpty, "nothing follows from it")
        var member = Self.member("space-5", ["team": "video"])
        member.share.priority = 9
        book.set("job-5", to: member)
        #expect(book.trials - trials == 20)
        #expect(book.takeChanges() == BudgetBook.Changes(claims: ["job-5"]))
        book.set("job-5", to: nil)
        #expect(book.takeChanges() == BudgetBook.Changes(claims: ["job-5"]))
    }

    @Test func anEditOfABudgetConcernsItsMembers() {
        var book = Self.crowd()
        let trials = book.trials
        book.set(Self.budget("budget-3", ["selector": ["namespaces": ["space-3"]], "maxRunningJobs": 20]))
        #expect(book.takeChanges() == BudgetBook.Changes(budgets: ["budget-3"]), "a limit is one thing to say")
        #expect(book.trials == trials)
        book.set(Self.budget("budget-3", ["selector": ["namespaces": ["space-50"]], "maxRunningJobs": 20]))
        #expect(book.trials - trials == 200, "those of both namespaces")
        #expect(book.takeChanges().claims.count == 200)
        #expect(book.selected["budget-3"]?.count == 100)
        book.set(
            Self.budget(
                "budget-3",
                ["selector": ["namespaces": ["space-50"]], "maxRunningJobs": 20, "sharing": ["by": "namespace"]]
            )
        )
        #expect(book.trials - trials == 200)
        #expect(book.takeChanges().claims.count == 100)
        book.removeBudget("budget-3")
        #expect(book.takeChanges().claims.count == 100)
    }
}
