import Controller
import Kubernetes
import Testing

@Suite struct CallsUnderWayTests {
    private let start = ContinuousClock.now

    @Test func aCallHasAnEffectUntilItsAnswer() {
        var calls = CallsUnderWay()
        #expect(!calls.mayHaveEffect(at: self.start))
        calls.began()
        #expect(calls.isWaiting && calls.mayHaveEffect(at: self.start))
        calls.ended(KubernetesError(.forbidden, "exceeded quota", status: 403), at: self.start)
        #expect(!calls.isWaiting && !calls.mayHaveEffect(at: self.start))
    }

    @Test func aCallWithoutAnswerMayHaveAnEffectUntilTheServersOwnLimit() {
        var calls = CallsUnderWay()
        calls.began()
        calls.ended(KubernetesError(.timedOut, "no answer", mayHaveHappened: true), at: self.start)
        #expect(!calls.isWaiting)
        #expect(calls.mayHaveEffect(at: self.start + .milliseconds(9_999)))
        #expect(!calls.mayHaveEffect(at: self.start + .seconds(10)))
    }
}
