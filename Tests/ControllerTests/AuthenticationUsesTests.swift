import Kubernetes
import Testing

@testable import Controller

@Suite struct AuthenticationUsesTests {
    private var uses = AuthenticationUses()
    private var now = ContinuousClock.now
    private let login = AuthenticationID(.namespaced, ObjectKey(namespace: "media", name: "login"))
    private let shared = AuthenticationID(.cluster, ObjectKey(namespace: "", name: "shared"))

    private func job(_ name: String, in namespace: String = "media") -> ObjectKey {
        ObjectKey(namespace: namespace, name: name)
    }

    private mutating func saw(_ id: AuthenticationID, _ status: String = "") {
        _ = self.uses.saw(id, uid: "uid", generation: 1, status: status, at: self.now)
    }

    /// Takes what is due and answers it.
    private mutating func write(others: Set<String> = [], keepsUnknown: Bool = false) -> [String?] {
        let writes = self.uses.takeDue(
            at: self.now,
            isComplete: { _ in true },
            isOfOthers: others.contains,
            keepsUnknown: keepsUnknown
        )
        for write in writes { self.uses.written(write.id, write.text, nil, at: self.now) }
        self.now += AuthenticationUses.spacing
        return writes.map(\.text)
    }

    @Test mutating func namesComeAndGoWithTheirUse() {
        self.saw(self.login)
        self.uses.set(self.job("b"), uses: [self.login], at: self.now)
        self.uses.set(self.job("a"), uses: [self.login], at: self.now)
        #expect(self.write() == ["a,b"])
        #expect(self.write() == [])
        self.uses.set(self.job("b"), uses: [], at: self.now)
        #expect(self.write() == ["a"])
        self.uses.set(self.job("a"), uses: [], at: self.now)
        #expect(self.write() == [nil])
        #expect(self.write() == [])
        #expect(self.uses.nextDue == nil)
    }

    @Test mutating func whatSomebodyElseWroteIsMended() {
        self.saw(self.login, "gone,a")
        self.uses.set(self.job("a"), uses: [self.login], at: self.now)
        #expect(self.write() == ["a"])
        self.saw(self.login, "a")
        #expect(self.write() == [])
    }

    @Test mutating func namesOfTheWholeClusterCarryTheirNamespace() {
        self.saw(self.shared)
        self.uses.set(self.job("a"), uses: [self.shared], at: self.now)
        self.uses.set(self.job("a", in: "other"), uses: [self.shared], at: self.now)
        #expect(self.write() == ["media/a,other/a"])
    }

    @Test mutating func namesOfOtherHostsNamespacesStay() {
        self.saw(self.shared, "bare,media/old,theirs/x")
        self.uses.set(self.job("a"), uses: [self.shared], at: self.now)
        #expect(self.write(others: ["theirs"]) == ["media/a,theirs/x"])
    }

    @Test mutating func nothingIsWrittenBeforeAllIsKnown() {
        self.saw(self.login, "a,b")
        #expect(self.uses.takeDue(at: self.now, isComplete: { _ in false }, isOfOthers: { _ in false }).isEmpty)
        self.uses.set(self.job("a"), uses: [self.login], at: self.now)
        self.uses.markAll(at: self.now)
        #expect(self.write() == ["a"])
    }

    @Test mutating func aWriteThatFailedIsTriedAgainLater() {
        self.saw(self.login)
        self.uses.set(self.job("a"), uses: [self.login], at: self.now)
        let writes = self.uses.takeDue(at: self.now, isComplete: { _ in true }, isOfOthers: { _ in false })
        #expect(writes.map(\.text) == ["a"])
        self.uses.written(self.login, "a", KubernetesError(.unreachable, "away"), at: self.now)
        #expect(self.write() == [])
        self.now += .seconds(1)
        #expect(self.write() == ["a"])
    }

    @Test mutating func aBurstOfScaledJobsIsFewWrites() {
        self.saw(self.login)
        var writes = 0
        for number in 0..<1000 {
            self.uses.set(self.job("job-\(number)"), uses: [self.login], at: self.now)
            let due = self.uses.takeDue(at: self.now, isComplete: { _ in true }, isOfOthers: { _ in false })
            for write in due { self.uses.written(write.id, write.text, nil, at: self.now) }
            writes += due.count
            self.now += .milliseconds(1)
        }
        #expect(writes <= 2, "\(writes)")
        #expect(self.write().count == 1)
    }

    @Test mutating func aListStaysFarBelowWhatCanBeStored() {
        self.saw(self.shared)
        let long = String(repeating: "n", count: 200)
        for number in 0..<1000 {
            self.uses.set(self.job("\(long)\(number)"), uses: [self.shared], at: self.now)
        }
        let text = self.write().first.flatMap(\.self) ?? ""
        #expect(text.utf8.count < AuthenticationUses.largestText)
        #expect(!text.isEmpty)
    }

    @Test mutating func shardsOfOneNamespaceLeaveEachOthersNamesAlone() {
        self.saw(self.login, "theirs")
        self.uses.set(self.job("a"), uses: [self.login], at: self.now)
        self.uses.set(self.job("b"), uses: [self.login], at: self.now)
        #expect(self.write(keepsUnknown: true) == ["a,b,theirs"])
        // It goes to the other shard, which puts it in again: nobody takes it out any more.
        self.uses.set(self.job("b"), uses: [], at: self.now)
        #expect(self.write(keepsUnknown: true) == ["a,theirs"])
        self.saw(self.login, "a,b,theirs")
        #expect(self.write(keepsUnknown: true) == [])
    }

    @Test mutating func aNameThatCouldNotBeTakenOutIsTriedAgain() {
        self.saw(self.login, "a,theirs")
        self.uses.set(self.job("a"), uses: [self.login], at: self.now)
        #expect(self.write(keepsUnknown: true) == [])
        self.uses.set(self.job("a"), uses: [], at: self.now)
        let writes = self.uses.takeDue(
            at: self.now,
            isComplete: { _ in true },
            isOfOthers: { _ in false },
            keepsUnknown: true
        )
        #expect(writes.map(\.text) == ["theirs"])
        self.uses.written(self.login, "theirs", KubernetesError(.timedOut, "no answer"), at: self.now)
        self.now += .seconds(60)
        #expect(self.write(keepsUnknown: true) == ["theirs"])
    }
}
