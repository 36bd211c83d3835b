import PluginHost
import PluginProtocol
import Scaling

/// The controller's side of one trigger.
struct TriggerRecord {
    enum State: Equatable {
        /// Something that it needs is still being read, or its plugin has not registered yet.
        case waiting(String)
        /// Something that it needs is missing or wrong.
        case unresolved([Problem])
        case opening
        case opened(OpenedTrigger)
        case failed(PluginFailure)
    }

    let id: TriggerID
    var state: State = .waiting("not looked at yet")
    /// What was last sent to the plugin; nil when nothing is.
    var specification: TriggerSpecification?
    var revision: UInt64 = 0
    var standing: TriggerStanding = .unknown("not read yet")
    /// Why the last reading failed; nil after a good one.
    var readingFailure: String?
    var isMeasuring = false
    /// A change was reported that no reading covers yet.
    var isDirty = false
    /// `s<index>-<name>`; nil before the trigger was first open.
    var metric: String?
    /// How long the last reading took from its request to its arrival.
    var latency: Duration?
    /// How often it could not be read, at most once for each poll.
    var errors = 0

    var opened: OpenedTrigger? {
        guard case .opened(let opened) = self.state else { return nil }
        return opened
    }

    mutating func becomeUnknown(_ why: String) {
        self.standing = .unknown(why)
        self.isMeasuring = false
    }
}
