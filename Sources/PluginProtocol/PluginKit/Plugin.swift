public import PluginProtocol

/// What a plugin author writes: how triggers of some types are opened, read and closed.
///
/// ``PluginRunner`` calls it. It connects, registers, reconnects and drains; after a reconnect it closes every trigger and
/// the host opens them anew. Calls for different triggers may run at the same time.
public protocol Plugin: Sendable {
    /// Lower-case letters, digits and hyphens.
    var name: String { get }
    /// The plugin's own version.
    var version: String { get }
    /// The trigger types that this plugin offers.
    var triggerTypes: [TriggerTypeDeclaration] { get }

    /// Starts watching a trigger. May take until the host's open timeout; the task is cancelled then.
    ///
    /// - Parameters:
    ///   - trigger: What to watch. Parameters are declared ones only, validated by kind, with defaults applied.
    ///   - changes: Tells the host that the trigger changed; may be called from anywhere until `close`.
    /// - Returns: What the trigger's manifest comes to.
    /// - Throws: ``PluginFailure``; anything else is reported as an internal failure without its text.
    func open(_ trigger: TriggerRequest, changes: ChangeNotifier) async throws -> OpenedTrigger

    /// Reads triggers. Every request must be answered through `report` once; what is not answered when this returns
    /// or when its task is cancelled is reported as failed.
    ///
    /// Readings may be reported one by one as they become known: a slow source then delays only its own trigger.
    func measure(_ requests: [MeasureRequest], report: MeasureReport) async

    /// Forgets a trigger; called once for every successful `open`.
    func close(_ trigger: TriggerHandle) async
}

/// Names an open trigger within one run of a plugin; never used again.
public struct TriggerHandle: Hashable, Sendable {
    /// The number that the kit gave it.
    public let number: UInt64

    /// Creates a handle; plugins get theirs from ``TriggerRequest``.
    public init(number: UInt64) {
        self.number = number
    }
}

/// A trigger that the host wants opened.
public struct TriggerRequest: Sendable {
    /// Names the trigger from now on.
    public let handle: TriggerHandle
    /// One of the plugin's trigger types.
    public let type: String
    /// `namespace/name` of the ScaledJob, for the log.
    public let scaledJob: String
    /// The resolved parameters; some are secret, so do not log them.
    public let parameters: [String: String]

    /// Creates a request; the kit does, and tests.
    public init(handle: TriggerHandle, type: String, scaledJob: String, parameters: [String: String]) {
        self.handle = handle
        self.type = type
        self.scaledJob = scaledJob
        self.parameters = parameters
    }
}

/// One trigger to read.
public struct MeasureRequest: Sendable, Equatable {
    /// The trigger.
    public let trigger: TriggerHandle
    /// The most items wanted; 0 for none.
    public let maximumItems: Int
    /// How long the host waits.
    public let timeout: Duration

    /// Creates a request; the kit does, and tests.
    public init(trigger: TriggerHandle, maximumItems: Int, timeout: Duration) {
        self.trigger = trigger
        self.maximumItems = maximumItems
        self.timeout = timeout
    }
}

/// Takes the readings of one `measure` call.
public struct MeasureReport: Sendable {
    private let deliver: @Sendable (TriggerHandle, Result<Reading, PluginFailure>) -> Void

    /// Wraps the function that takes a reading; the kit does, and tests.
    public init(_ deliver: @escaping @Sendable (TriggerHandle, Result<Reading, PluginFailure>) -> Void) {
        self.deliver = deliver
    }

    /// Answers for one trigger; a second answer for the same trigger is ignored.
    public func callAsFunction(_ trigger: TriggerHandle, _ outcome: Result<Reading, PluginFailure>) {
        self.deliver(trigger, outcome)
    }
}

/// Tells the host that one trigger changed; cheap, as several calls before the host has looked are one.
public struct ChangeNotifier: Sendable {
    private let notify: @Sendable () -> Void

    /// Wraps the function that tells; the kit does, and tests.
    public init(_ notify: @escaping @Sendable () -> Void) {
        self.notify = notify
    }

    /// The trigger changed.
    public func callAsFunction() {
        self.notify()
    }
}
