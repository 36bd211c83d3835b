/// What waits at one trigger, as its plugin saw it.
public struct Reading: Sendable, Equatable {
    /// Waiting items, or whatever the target is a share of; finite and at least 0.
    public var waiting: Double
    /// Items that a Job has claimed and not finished, where the source knows.
    public var inFlight: Double?
    /// How long the oldest item has waited, where the source knows.
    public var oldestAge: Duration?
    /// Whether the trigger is active; nil: `waiting` is greater than the activation threshold.
    public var isActive: Bool?
    /// When the plugin observed it, in milliseconds of Unix time.
    public var observedAtMilliseconds: UInt64
    /// Keys of waiting items, at most as many as were asked for.
    public var items: [Item]

    /// Creates a reading.
    public init(
        waiting: Double,
        inFlight: Double? = nil,
        oldestAge: Duration? = nil,
        isActive: Bool? = nil,
        observedAtMilliseconds: UInt64 = 0,
        items: [Item] = []
    ) {
        self.waiting = waiting
        self.inFlight = inFlight
        self.oldestAge = oldestAge
        self.isActive = isActive
        self.observedAtMilliseconds = observedAtMilliseconds
        self.items = items
    }

    /// One waiting item.
    public struct Item: Sendable, Equatable {
        /// Unique and stable within the trigger.
        public var key: [UInt8]
        /// At most 4 KiB.
        public var payload: [UInt8]

        /// Creates an item.
        public init(key: [UInt8], payload: [UInt8] = []) {
            self.key = key
            self.payload = payload
        }
    }
}

/// What a plugin says about a trigger that it has opened.
public struct OpenedTrigger: Sendable, Equatable {
    /// Until when an item is part of `waiting`.
    public enum Counts: Sendable, Equatable, CaseIterable {
        /// The plugin cannot know; the manifest decides.
        case unspecified
        /// Until its Job has finished with it.
        case untilFinished
        /// Until a Job has claimed it.
        case untilClaimed
    }

    /// Whether the plugin reports changes of this trigger by itself.
    public enum Push: Sendable, Equatable {
        /// It does.
        case available
        /// It does not, and why; an empty reason where the type never does.
        case unavailable(reason: String)
    }

    /// Backlog that one Job takes; greater than 0.
    public var target: Double
    /// The trigger is active when `waiting` is greater than this.
    public var activation: Double
    /// Until when an item is part of `waiting`.
    public var counts: Counts
    /// Whether the plugin reports changes of this trigger by itself.
    public var push: Push
    /// What the trigger's metric is called, never a secret; nil: the trigger type.
    public var metricName: String?

    /// Creates the description of an opened trigger.
    public init(
        target: Double,
        activation: Double = 0,
        counts: Counts = .unspecified,
        push: Push = .unavailable(reason: ""),
        metricName: String? = nil
    ) {
        self.target = target
        self.activation = activation
        self.counts = counts
        self.push = push
        self.metricName = metricName
    }
}
