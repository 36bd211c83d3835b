import Kubernetes
import PluginProtocol

/// One element of `status.conditions`.
package struct Condition: Equatable, Sendable {
    /// In the order in which they are listed.
    package enum Kind: String, CaseIterable, Sendable {
        case ready = "Ready", active = "Active", fallback = "Fallback", paused = "Paused"
    }
    package enum Status: String, Sendable { case yes = "True", no = "False", unknown = "Unknown" }

    /// The longest message that is kept.
    private static let messageBytes = 1024

    package let kind: Kind
    package var status: Status
    package var reason: String
    package var message: String

    package init(_ kind: Kind, _ status: Status, _ reason: String = "", _ message: String = "") {
        self.kind = kind
        self.status = status
        self.reason = reason
        self.message = message.prefix(utf8Bytes: Self.messageBytes)
    }

    init?(_ value: JSONValue) {
        guard let kind = value["type"]?.stringValue.flatMap(Kind.init(rawValue:)),
            let status = value["status"]?.stringValue.flatMap(Status.init(rawValue:))
        else { return nil }
        self.init(kind, status, value["reason"]?.stringValue ?? "", value["message"]?.stringValue ?? "")
    }

    var json: JSONValue {
        var value: JSONValue = ["type": .string(self.kind.rawValue), "status": .string(self.status.rawValue)]
        if !self.reason.isEmpty { value["reason"] = .string(self.reason) }
        if !self.message.isEmpty { value["message"] = .string(self.message) }
        return value
    }
}
