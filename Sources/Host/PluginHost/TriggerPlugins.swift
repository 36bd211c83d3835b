package import PluginProtocol

/// Identifies one trigger of one ScaledJob for as long as the host runs.
package struct TriggerID: Hashable, Sendable, Comparable {
    /// The UID of the ScaledJob.
    package let owner: String
    /// The position in `spec.triggers`.
    package let index: Int

    package init(owner: String, index: Int) {
        self.owner = owner
        self.index = index
    }

    package static func < (left: TriggerID, right: TriggerID) -> Bool {
        (left.owner, left.index) < (right.owner, right.index)
    }
}

/// What a plugin must know to open a trigger.
///
/// Its parameters may be secret; neither this type's description nor any log shows their values.
package struct TriggerSpecification: Sendable, Equatable {
    package var type: String
    /// `namespace/name` of the ScaledJob, for logs and messages.
    package var scaledJob: String
    /// The parameters that the plugin declared, resolved: defaults applied, secrets filled in.
    package var parameters: [String: String]

    package init(type: String, scaledJob: String, parameters: [String: String]) {
        self.type = type
        self.scaledJob = scaledJob
        self.parameters = parameters
    }
}

extension TriggerSpecification: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "TriggerSpecification(\(self.type) of \(self.scaledJob), parameters: \(self.parameters.keys.sorted()))"
    }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: ["description": self.description]) }
}

/// What the plugins tell the controller.
package enum PluginEvent: Sendable {
    /// The trigger types on offer changed. Types of a plugin that went away stay, marked as not connected.
    case offers([String: TriggerTypeOffer])
    /// The trigger is open with this revision of its specification.
    case opened(TriggerID, revision: UInt64, OpenedTrigger)
    /// The trigger could not be opened, or no longer is. Its reading is unknown; the host goes on trying.
    case failed(TriggerID, revision: UInt64, PluginFailure)
    /// A reading, with the moment at which it was asked for.
    case reading(TriggerID, revision: UInt64, Reading, askedAt: ContinuousClock.Instant)
    /// A reading could not be had: unknown, never zero.
    case unknown(TriggerID, revision: UInt64, PluginFailure)
    /// The source changed; the trigger should be measured now.
    case changed(TriggerID)
}

/// A trigger type that a plugin registered.
package struct TriggerTypeOffer: Sendable, Equatable {
    package var plugin: String
    package var isConnected: Bool
    package var declaration: TriggerTypeDeclaration

    package init(plugin: String, isConnected: Bool, declaration: TriggerTypeDeclaration) {
        self.plugin = plugin
        self.isConnected = isConnected
        self.declaration = declaration
    }
}

/// The plugins as the controller sees them.
///
/// All calls return at once; what comes of them arrives as ``PluginEvent``s.
package protocol TriggerPlugins: Sendable {
    /// One consumer only. Bounded: per trigger only the newest reading waits.
    var events: any AsyncSequence<PluginEvent, Never> & Sendable { get }
    /// Opens the trigger, or opens it anew when the specification differs; answers carry the revision.
    ///
    /// While a trigger that is open is opened anew, it goes on answering as it was, under the new revision, and closes
    /// once the new one is open. Who does not want that removes it first.
    func set(_ trigger: TriggerID, revision: UInt64, to specification: TriggerSpecification)
    func remove(_ trigger: TriggerID)
    /// Asks for readings, one message per plugin. Every asked trigger gets a `reading` or an `unknown` by the deadline.
    func measure(_ triggers: [TriggerID])
    /// The same for triggers whose readings are to name what waits: at most so many items each.
    func measure(_ items: [TriggerID: Int])
}

extension TriggerPlugins {
    package func measure(_ items: [TriggerID: Int]) { self.measure(items.keys.sorted()) }
}
