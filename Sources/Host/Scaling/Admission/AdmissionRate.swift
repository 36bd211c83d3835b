/// Jobs per second, evenly: the generic cell rate algorithm with a burst of a fifth of a second.
struct AdmissionRate: Sendable, Equatable {
    let rate: Double
    /// How far ahead of an even pace it may be.
    private let slack: Double
    /// When the next would be due at an even pace.
    private var due: Double

    init(rate: Double, now: Double) {
        self.rate = rate > 1e-6 ? rate : 1e-6
        self.slack = (Swift.max(1, (self.rate / 5).rounded(.down)) - 1) / self.rate
        self.due = now
    }

    /// From when one more is admitted.
    var opensAt: Double { self.due - self.slack }

    mutating func take(now: Double) {
        self.due = Swift.max(self.due, now) + 1 / self.rate
    }

    /// Takes another rate; a debt of the old one is kept as far as the new one could have made it.
    mutating func change(to rate: Double, now: Double) {
        guard rate != self.rate else { return }
        var new = AdmissionRate(rate: rate, now: now)
        new.due = Swift.min(Swift.max(self.due, now), now + 1 / new.rate)
        self = new
    }
}
