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
    /// When it came of a login; nil where somebody else made it.
    var loggedInAt: ContinuousClock.Instant?

    func step(at now: ContinuousClock.Instant) -> Step {
        guard let lifetime else { return .use }
        let left = self.startedAt + lifetime - now
        if left <= .zero { return .logIn }
        if left > lifetime / 2 { return .use }
        if self.isRenewable { return .renew }
        return self.canLogIn ? .logIn : .use
    }

    /// By when what was read with it must be read again, lest the token end before; nil when that does not matter.
    ///
    /// What is leased ends with the token that it was read with, however long its lease. What is only stored does not, and
    /// matters where the token is lost for good when it ends unrenewed.
    func renewWithin(at now: ContinuousClock.Instant, isLeased: Bool) -> Duration? {
        guard let lifetime, isLeased || self.isRenewable && !self.canLogIn else { return nil }
        return Swift.max(.seconds(1), (self.startedAt + lifetime - now) * 2 / 3)
    }
}
