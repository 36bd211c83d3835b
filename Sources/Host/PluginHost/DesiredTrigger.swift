import Pace
internal import PluginProtocol

/// Names one connection for as long as the host runs.
struct ConnectionID: Hashable, Comparable, Sendable {
    let number: Int

    static func < (left: ConnectionID, right: ConnectionID) -> Bool {
        left.number < right.number
    }
}

/// A trigger that the controller wants, and how far it is.
struct DesiredTrigger {
    enum Phase {
        /// No plugin that is connected offers the type.
        case unoffered
        /// Waits for its turn to be opened.
        case queued(ConnectionID)
        /// The plugin was asked.
        case opening(ConnectionID)
        /// The plugin has it open.
        case open(ConnectionID, OpenedTrigger)
        /// The plugin could not open it; to be tried again.
        case retrying(ConnectionID, at: ContinuousClock.Instant)

        var connection: ConnectionID? {
            switch self {
            case .unoffered: nil
            case .queued(let id), .opening(let id), .open(let id, _), .retrying(let id, at: _): id
            }
        }
    }

    let id: TriggerID
    var revision: UInt64
    let specification: TriggerSpecification
    var phase: Phase = .unoffered
    var backoff: Backoff
    /// Why it is not open, when that is known.
    var failure: PluginFailure?
    /// A reading is under way since then.
    var askedAt: ContinuousClock.Instant?
    /// Another reading was asked for since then, to follow the one under way.
    var askedAgainAt: ContinuousClock.Instant?
    /// How many items are wanted with each reading.
    var maximumItems = 0
    /// When the controller was last told of a change.
    var changedAt: ContinuousClock.Instant?

    /// The same trigger as it was set before, which answers until this one is open.
    var predecessor: UInt64?
    /// Predecessors that only have a reading under way left.
    var retiring: Set<UInt64> = []
    /// A reading was asked of the predecessor then, which could not give it; this one will be asked as soon as it is open.
    var owedSince: ContinuousClock.Instant?

    var isOpen: Bool {
        guard case .open = self.phase else { return false }
        return true
    }
}
