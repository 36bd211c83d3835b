/// A token of Vault, and what has to be done before it can be used.
struct VaultSession: Sendable, Equatable {
    enum Step: Equatable {
        case use
        /// Use it after it has been renewed, or as it is when that fails.
        case renew
        case logIn
    }

    var token: String
    /// Nil when the token has no end.
    var lifetime: Duration?
    var startedAt: ContinuousClock.Instant
    var isRenewable: Bool
    /// Whether another one can be had by logging in.
    var canLogIn: Bool

    func step(at now: ContinuousClock.Instant) -> Step {
        guard let lifetime else { return .use }
        let left = self.startedAt + lifetime - now
        if left <= .zero { return .logIn }
        if left > lifetime / 2 { return .use }
        if self.isRenewable { return .renew }
        return self.canLogIn ? .logIn : .use
    }

    /// By when it must be used again, lest it end unrenewed; nil when that does not matter.
    func renewWithin(at now: ContinuousClock.Instant) -> Duration? {
        guard let lifetime, self.isRenewable, !self.canLogIn else { return nil }
        return Swift.max(.seconds(1), (self.startedAt + lifetime - now) * 2 / 3)
    }
}
