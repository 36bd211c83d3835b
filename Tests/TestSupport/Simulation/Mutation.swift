/// A mistake that the controller could have, made on purpose where it meets the world.
///
/// A simulation that finds none of them would prove nothing.
package enum Mutation: String, CaseIterable, Sendable {
    /// Jobs that were created count only once the watch shows them.
    case forgetsExpectations
    /// A list or watch of Jobs that failed reads as one without Jobs.
    case countsFailedListAsEmpty
    /// A reading that could not be had reads as nothing waiting.
    case countsUnknownAsZero
    /// A creation without an answer is repeated under another name.
    case renamesRetries
    /// Calls wait inside the host, and are sent after the leader's deadline.
    case ignoresFence
    /// A new leader acts while calls of the one before may be under way.
    case ignoresPause
    /// Jobs are taken for its own by their label.
    case trustsLabels
    /// A deletion meant for a finished Job hits one that runs.
    case deletesRunningJobs
    /// What was put off because of an error is never taken up again.
    case forgetsHolds
    /// The end of some Jobs goes unnoticed.
    case losesFreedSlots
    /// After 410 the watch goes on without a list.
    case skipsRelist
    /// Lists are taken from a cache that lags.
    case listsFromCache
    /// The Lease is given back while the server may still work on calls.
    case handsOverEarly
    /// A host that lost its Lease goes on.
    case ignoresLoss
    /// What a paused ScaledJob wants is created.
    case ignoresPausing
}
