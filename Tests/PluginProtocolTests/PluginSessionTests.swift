import PluginProtocol
import Testing

private let start = ContinuousClock.now

private let registered = Frame.Registered(
    protocolVersion: 1,
    hostVersion: "1",
    openTimeout: .seconds(10),
    measureTimeout: .seconds(10),
    pingInterval: .seconds(5),
    pingTimeout: .seconds(10),
    maximumTriggersPerMeasure: 3
)

private func ready() -> PluginSession {
    var session = PluginSession(registrationTimeout: .seconds(5), maximumCalls: 2, now: start)
    #expect(session.received(Frame(.registered(registered)), now: start) == [.registered(registered)])
    return session
}

private func measure(_ call: UInt64, _ triggers: [UInt64], timeout: Duration = .seconds(10)) -> Frame {
    Frame(call: call, .measure(Frame.Measure(triggers: triggers, timeout: timeout, maximumItems: 0)))
}

@Suite struct PluginSessionTests {
    @Test func hostThatDoesNotAnswerIsGivenUp() {
        var session = PluginSession(registrationTimeout: .seconds(5), maximumCalls: 2, now: start)
        #expect(session.timerFired(now: start + .seconds(5)) == [.end(.registrationTimedOut)])
    }

    @Test func refusalEndsTheSession() {
        var session = PluginSession(registrationTimeout: .seconds(5), maximumCalls: 2, now: start)
        let rejected = Frame.Rejected(.unavailable, "no")
        #expect(session.received(Frame(.rejected(rejected)), now: start) == [.end(.rejected(rejected))])
    }

    @Test func callIsAnsweredOnce() {
        var session = ready()
        #expect(session.received(measure(1, [1]), now: start).count == 1)
        #expect(session.finish(call: 1) == true)
        #expect(session.finish(call: 1) == false)
    }

    @Test func cancelledCallIsNotAnswered() {
        var session = ready()
        _ = session.received(measure(1, [1]), now: start)
        #expect(session.received(Frame(.cancel(call: 1)), now: start) == [.cancel(call: 1)])
        #expect(session.finish(call: 1) == false)
        #expect(session.received(Frame(.cancel(call: 77)), now: start) == [])
    }

    @Test func callExpiresBeforeTheHostGivesUp() {
        var session = ready()
        _ = session.received(measure(1, [1], timeout: .seconds(2)), now: start)
        #expect(session.timerFired(now: start + .milliseconds(1700)) == [])
        #expect(session.timerFired(now: start + .milliseconds(1800)) == [.expire(call: 1)])
        #expect(session.finish(call: 1) == true)
    }

    @Test func limitsAreHonoured() {
        var session = ready()
        guard case .send(let refusal) = session.received(measure(1, [1, 2, 3, 4]), now: start).first,
            case .failure(let failure) = refusal.body
        else {
            Issue.record("not refused")
            return
        }
        #expect(failure.code == .protocolError)
        _ = session.received(measure(2, [1]), now: start)
        _ = session.received(measure(3, [1]), now: start)
        guard case .send(let overload) = session.received(measure(4, [1]), now: start).first,
            case .failure(let failure) = overload.body
        else {
            Issue.record("not refused")
            return
        }
        #expect(failure.code == .overloaded)
    }

    @Test func drainFinishesTheCallsUnderWay() {
        var session = ready()
        _ = session.received(measure(1, [1]), now: start)
        #expect(
            session.drain(reason: "r", deadline: start + .seconds(9)) == [.send(Frame(.drain(reason: "r")))]
        )
        #expect(session.received(measure(2, [1]), now: start).count == 1)
        #expect(session.finish(call: 1) == true)
        #expect(session.answered() == [.end(.drained)])
    }

    @Test func drainHasADeadline() {
        var session = ready()
        _ = session.received(measure(1, [1]), now: start)
        _ = session.drain(reason: "r", deadline: start + .seconds(3))
        #expect(session.timerFired(now: start + .seconds(3)) == [.cancel(call: 1), .end(.drained)])
    }

    @Test func silentHostIsPingedAndThenGivenUp() {
        var session = ready()
        #expect(session.timerFired(now: start + .seconds(5)).count == 1)
        #expect(session.timerFired(now: start + .seconds(15)) == [.end(.pingTimedOut)])
    }
}
