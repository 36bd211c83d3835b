import Scaling

/// Creations without an answer, once the server cannot act on them any more.
extension ControllerMachine {
    /// Looks for what was asked for without an answer and is certain by now, and takes up what waited for that.
    mutating func reviewArrivals(_ record: inout ScaledJobRecord, at now: ContinuousClock.Instant) {
        guard let due = self.trackers[record.uid]?.nextArrival, due <= now else { return }
        let certain = self.trackers[record.uid]?.certain(now: now) ?? []
        for name in self.trackers[record.uid]?.takeArrived(now: now) ?? [] {
            let isShownGone = self.trackers[record.uid]?.assumed[name]?.wasShownGone == true
            if isShownGone || !record.creations.contains(name) { self.lookUp(record.reference(name)) }
        }
        for name in certain { self.keep(name, of: record) }
        record.rollout.needsLook = true
    }
}
