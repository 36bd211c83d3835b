package import Kubernetes
import PluginProtocol

/// A Kubernetes Event about one object, or one more time of an Event that was recorded before.
package struct EventRecord: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    /// The object that an Event is about.
    package struct Regarding: Sendable, Equatable {
        package let resource: APIResource
        package let key: ObjectKey
        package let uid: String

        package init(_ resource: APIResource, _ key: ObjectKey, uid: String) {
            self.resource = resource
            self.key = key
            self.uid = uid
        }
    }

    /// The longest texts that the API server takes, in bytes.
    package static let actionBytes = 128
    package static let noteBytes = 1024

    package let kind: Kind
    package let reason: EventReason
    /// What was done or found; at most ``actionBytes``.
    package let action: String
    /// For people; at most ``noteBytes``.
    package let note: String
    package let regarding: Regarding
    /// Makes the name of the Event, together with the object's.
    package let number: UInt64
    /// How often it has happened by now, where an Event of this name exists already; nil for a new one.
    package let count: Int?

    /// `action` is nil where the reason, or the note, says it.
    package init(
        _ kind: Kind,
        _ reason: EventReason,
        _ note: String,
        action: String? = nil,
        regarding: Regarding,
        number: UInt64,
        count: Int? = nil
    ) {
        self.kind = kind
        self.reason = reason
        self.note = note.prefix(utf8Bytes: Self.noteBytes)
        // KEDA's operator repeats the message as the action, its scale handler the reason.
        let said = action ?? (reason.isOfScaleHandler ? reason.rawValue : note)
        self.action = said.prefix(utf8Bytes: Self.actionBytes)
        self.regarding = regarding
        self.number = number
        self.count = count
    }

    /// Events about objects without a namespace are kept in `default`.
    package var namespace: String { self.regarding.key.namespace.isEmpty ? "default" : self.regarding.key.namespace }

    package var name: String {
        let object = self.regarding.key.name.prefix(utf8Bytes: 200)
        return "\(object).\(String(self.number, radix: 16))"
    }
}
