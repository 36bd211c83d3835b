import Credentials
import Kubernetes
import Testing

@testable import Controller

@Suite struct CredentialLedgerTests {
    private let start = ContinuousClock.now

    private func request(_ name: String, server: String = "https://vault") -> CredentialRequest {
        let login = VaultLogin(address: server, namespace: nil, method: .token("t"))
        return .vault(VaultRequest(login: login, path: name, kind: .detected))
    }

    /// A ledger to which one request has just been answered.
    private func answered(
        _ outcome: Result<FetchedCredential, CredentialFailure>
    ) -> (CredentialLedger, CredentialLedger.Effect) {
        var ledger = CredentialLedger()
        var random = SystemOrSeededGenerator(seed: 1)
        ledger.want([self.request("a")], at: self.start)
        #expect(ledger.start(at: self.start) == [self.request("a")])
        let effect = ledger.finished(self.request("a"), outcome, at: self.start, using: &random)
        return (ledger, effect)
    }

    private func pause(_ outcome: FetchedCredential) -> Duration? {
        self.answered(.success(outcome)).0.nextWake.map { $0 - self.start }
    }

    @Test func whatHasNoEndIsReadAgainNowAndThenAndWhatHasOneBeforeIt() {
        #expect(self.pause(FetchedCredential([:])) == .seconds(300))
        #expect(self.pause(FetchedCredential([:], lifetime: .seconds(60))) == .seconds(40))
        #expect(self.pause(FetchedCredential([:], lifetime: .seconds(6000), isIssued: true)) == .seconds(4000))
        #expect(self.pause(FetchedCredential([:], renewWithin: .seconds(10))) == .seconds(10))
    }

    @Test func aSlowServerDelaysNobodyElse() {
        var ledger = CredentialLedger()
        let slow = (0..<20).map { self.request("\($0)", server: "https://slow") }
        ledger.want(Set(slow), at: self.start)
        #expect(ledger.start(at: self.start).count == 4)
        ledger.want(Set(slow + [self.request("quick")]), at: self.start)
        #expect(ledger.start(at: self.start) == [self.request("quick")])
        #expect(ledger.start(at: self.start).isEmpty)
    }

    @Test func anAnswerMakesRoomForTheNext() {
        var ledger = CredentialLedger()
        var random = SystemOrSeededGenerator(seed: 1)
        let all = Set((0..<20).map { self.request("\($0)") })
        ledger.want(all, at: self.start)
        var seen: Set<CredentialRequest> = []
        var underWay = ledger.start(at: self.start)
        while let next = underWay.popLast() {
            #expect(seen.insert(next).inserted)
            _ = ledger.finished(next, .success(FetchedCredential([:])), at: self.start, using: &random)
            underWay += ledger.start(at: self.start)
            #expect(underWay.count <= 4)
        }
        #expect(seen == all)
    }

    @Test func aServerThatIsAwayKeepsWhatItSaidUntilItsEndAndARefusalDoesNot() {
        var random = SystemOrSeededGenerator(seed: 1)
        let away = CredentialFailure("away", isRefusal: false)
        var (ledger, _) = self.answered(.success(FetchedCredential(["k": "v"], lifetime: .seconds(60))))
        func next(_ failure: CredentialFailure, after pause: Duration) -> CredentialLedger.Effect {
            #expect(ledger.start(at: self.start + pause) == [self.request("a")])
            return ledger.finished(self.request("a"), .failure(failure), at: self.start + pause, using: &random)
        }
        #expect(next(away, after: .seconds(40)) == .keeps("away"))
        #expect(next(away, after: .seconds(120)) == .becomes(.failed(away)))
        var (other, _) = self.answered(.success(FetchedCredential(["k": "v"])))
        swap(&ledger, &other)
        let refused = CredentialFailure("no", isRefusal: true)
        #expect(next(refused, after: .seconds(300)) == .becomes(.failed(refused)))
        #expect(ledger.nextWake != nil)
    }

    @Test func whatASourceRefusedIsReadAgainSoonButNotTooSoon() {
        var (ledger, _) = self.answered(.success(FetchedCredential([:])))
        ledger.refused([self.request("a")], at: self.start + .seconds(1))
        #expect(ledger.nextWake == self.start + .seconds(10))
        ledger.refused([self.request("a")], at: self.start + .seconds(2))
        #expect(ledger.nextWake == self.start + .seconds(10))
        #expect(ledger.start(at: self.start + .seconds(10)) == [self.request("a")])
        #expect(ledger.start(at: self.start + .seconds(400)).isEmpty)
    }

    @Test func whatNobodyWantsIsForgottenAlsoWhileItIsUnderWay() {
        var ledger = CredentialLedger()
        var random = SystemOrSeededGenerator(seed: 1)
        ledger.want([self.request("a")], at: self.start)
        _ = ledger.start(at: self.start)
        ledger.drop([self.request("a")])
        let effect = ledger.finished(
            self.request("a"),
            .success(FetchedCredential([:])),
            at: self.start,
            using: &random
        )
        #expect(effect == .nothing)
        #expect(ledger.nextWake == nil)
    }

    @Test func noDescriptionShowsASecret() {
        let login = VaultLogin(address: "https://v", namespace: nil, method: .token("hunter2"))
        let vault = CredentialRequest.vault(VaultRequest(login: login, path: "p", kind: .detected))
        let aws = CredentialRequest.aws(
            AWSSecretRequest(region: "r", name: "n", accessKey: "hunter2", secretKey: "hunter2")
        )
        for request in [vault, aws] {
            var dumped = ""
            dump(request, to: &dumped)
            #expect(!"\(request) \(String(reflecting: request)) \(dumped)".contains("hunter2"))
        }
        var dumped = ""
        dump(FetchedCredential(["k": "hunter2"]), to: &dumped)
        #expect(!"\(FetchedCredential(["k": "hunter2"])) \(dumped)".contains("hunter2"))
    }
}
