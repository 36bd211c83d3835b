import Kubernetes

/// What kind of call it is, which decides what can happen to it.
enum RequestKind {
    case reading, writing, creating
    /// It is answered by an error.
    case failing
}

extension World {
    typealias Answer<Value> = Result<Value, KubernetesError>

    /// The longest that the server works on a write after it was sent.
    static let serverTimeout = 10.0

    /// Sends one call: the server acts after a while, or never, and the answer comes, or doesn't.
    func request<Value>(
        on host: Host,
        timeout: Duration,
        _ kind: RequestKind,
        share: Double = 1,
        _ label: StaticString,
        perform: @escaping (World) -> Answer<Value>,
        answer: @escaping (World, Answer<Value>) -> Void
    ) {
        func fail(after pause: Duration, _ error: KubernetesError) {
            self.schedule(after: pause, on: host, label) { answer($0, .failure(error)) }
        }
        func act(after pause: Duration) { self.schedule(after: pause, "the server acts") { _ = perform($0) } }
        let isWrite = kind == .writing || kind == .creating
        let fault = self.fault(of: kind, share)
        if let fault { self.count(fault) }
        switch fault {
        case .throttled:
            let pause = self.dice.number(1...8)
            fail(
                after: .milliseconds(3),
                KubernetesError(.throttled, "too many requests", retry: .after(.seconds(pause)), status: 429)
            )
        case .conflict:
            fail(after: .milliseconds(3), KubernetesError(.conflict, "it changed meanwhile", retry: .now, status: 409))
        case .unreachable:
            let error = KubernetesError(.unreachable, "connection refused", retry: .after(.milliseconds(500)))
            fail(after: .milliseconds(1), error)
        case .serverError, .serverErrorAfterWrite:
            if fault == .serverErrorAfterWrite { act(after: .milliseconds(2)) }
            let error = KubernetesError(
                .serverError,
                "etcdserver: request timed out",
                retry: .after(.seconds(1)),
                mayHaveHappened: isWrite,
                status: 500
            )
            fail(after: self.dice.time(0.003, 1), error)
        case .timeoutThatHappened, .timeoutThatDidNot:
            if fault == .timeoutThatHappened { act(after: self.dice.time(0.001, Self.serverTimeout)) }
            let error = KubernetesError(
                .timedOut,
                "no answer",
                retry: .after(.milliseconds(500)),
                mayHaveHappened: isWrite
            )
            fail(after: timeout, error)
        case .lateWrite:
            act(after: self.dice.time(2, Self.serverTimeout))
            let error = KubernetesError(
                .unreachable,
                "the connection ended",
                retry: .after(.milliseconds(500)),
                mayHaveHappened: isWrite
            )
            fail(after: self.dice.time(0.05, 1.5), error)
        default:
            let isSlow = fault == .slowAnswer
            let wait = isSlow ? self.dice.time(0, 3) : self.dice.time(0.001, 0.015)
            let back = isSlow ? self.dice.time(0, 4) : self.dice.time(0.001, 0.008)
            self.schedule(after: wait, "the server acts") { world in
                let result = perform(world)
                world.schedule(after: back, on: host, label) { answer($0, result) }
            }
        }
    }

    private func fault(of kind: RequestKind, _ share: Double) -> Fault? {
        let candidates: [Fault]
        switch kind {
        case .failing: return self.dice.pick([.serverError, .unreachable, .timeoutThatDidNot, .throttled])
        case .reading: candidates = [.throttled, .serverError, .slowAnswer, .unreachable, .timeoutThatDidNot]
        case .writing, .creating:
            candidates = [
                .throttled, .serverError, .serverErrorAfterWrite, .slowAnswer, .unreachable, .timeoutThatHappened,
                .timeoutThatDidNot, .lateWrite, .conflict,
            ]
        }
        if kind == .creating, let until = self.weather.stormUntil, until > self.now,
            self.dice.chance(self.weather.chance(of: .lateWrite, 0.7))
        {
            return .lateWrite
        }
        guard !self.weather.isOver, let fault = self.dice.pick(candidates) else { return nil }
        return self.dice.chance(self.weather.chance(of: fault, 0.4 * share)) ? fault : nil
    }
}
