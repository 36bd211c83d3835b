import Kubernetes
import Testing

@testable import Credentials

/// What answers of Vault mean, and when its tokens are renewed, without a server.
@Suite struct VaultRulesTests {
    private let start = ContinuousClock.now

    private func credential(_ answer: JSONValue, _ kind: VaultRequest.Kind) throws -> FetchedCredential {
        try VaultAnswer(answer.encoded()).credential(kind, "path", renewWithin: { _ in nil })
    }

    @Test func whatHasALeaseWasMadeForThisReaderAndEndsWithIt() throws {
        let leased = try self.credential(
            ["lease_id": "database/creds/x/1", "lease_duration": 600, "data": ["username": "u"]],
            .detected
        )
        #expect(leased == FetchedCredential(["username": "u"], lifetime: .seconds(600), isIssued: true))
        let stored = try self.credential(
            ["lease_id": "", "lease_duration": 2_764_800, "data": ["username": "u"]],
            .detected
        )
        #expect(stored == FetchedCredential(["username": "u"]))
    }

    @Test(arguments: ["null", "[]", "<html>", #"{"data":null}"#, #"{"data":{"data":"text"}}"#])
    func answersThatAreNotOfTheStoreAreRefused(answer: String) {
        #expect(throws: CredentialFailure.self) {
            try VaultAnswer(Array(answer.utf8)).credential(.version2, "path", renewWithin: { _ in nil })
        }
    }

    private func session(_ lifetime: Duration?, renewable: Bool, canLogIn: Bool) -> VaultSession {
        VaultSession(
            token: "t",
            lifetime: lifetime,
            startedAt: self.start,
            isRenewable: renewable,
            canLogIn: canLogIn
        )
    }

    @Test func aTokenIsRenewedInItsSecondHalfAndGivenUpAtItsEnd() {
        let session = self.session(.seconds(100), renewable: true, canLogIn: false)
        #expect(session.step(at: self.start + .seconds(49)) == .use)
        #expect(session.step(at: self.start + .seconds(51)) == .renew)
        #expect(session.step(at: self.start + .seconds(100)) == .logIn)
        #expect(session.renewWithin(at: self.start + .seconds(10), isLeased: false) == .seconds(60))
    }

    @Test(arguments: [true, false]) func whatIsLeasedIsReadAgainBeforeItsTokenEnds(isRenewable: Bool) {
        let session = self.session(.seconds(1200), renewable: isRenewable, canLogIn: true)
        #expect(session.renewWithin(at: self.start, isLeased: true) == .seconds(800))
        #expect(session.renewWithin(at: self.start, isLeased: false) == nil)
        #expect(self.session(nil, renewable: false, canLogIn: true).renewWithin(at: self.start, isLeased: true) == nil)
    }

    @Test func whatCannotBeRenewedIsReplacedWhereALoginCanAndUsedUpWhereNot() {
        let replaceable = self.session(.seconds(100), renewable: false, canLogIn: true)
        #expect(replaceable.step(at: self.start + .seconds(51)) == .logIn)
        let given = self.session(.seconds(100), renewable: false, canLogIn: false)
        #expect(given.step(at: self.start + .seconds(99)) == .use)
        #expect(self.session(nil, renewable: false, canLogIn: false).step(at: self.start + .seconds(1 << 30)) == .use)
    }

    @Test(arguments: [
        ("permission denied for hunter2", "permission denied for …"),
        ("token hvs.CAESIJ0123456789abcdef is bad", "token … is bad"),
        ("jwt=eyJhbGciOiJSUzI1NiIsImtpZCI6Ij rejected", "… rejected"),
        ("two\nlines\u{7}", "two lines"),
    ])
    func wordsOfAServerAreShownWithoutSecrets(said: String, shown: String) {
        #expect(ServerWords.shown(said, hiding: ["hunter2"]) == shown)
    }

    @Test func aPathStaysBelowTheServersRoot() {
        #expect(PercentEncoding.path("kv/../sys/é?x#y") == "kv/%2E%2E/sys/%C3%A9%3Fx%23y")
    }
}
