import Kubernetes

/// One element of `status.conditions`.
struct Condition: Equatable, Sendable {
    enum Kind: String, CaseIterable {
        case ready = "Ready", active = "Active", fallback = "Fallback", paused = "Paused"
    }
    enum Status: String { case yes = "True", no = "False", unknown = "Unknown" }

    let kind: Kind
    var status: Status
    var reason: String
    var message: String

    init(_ kind: Kind, _ status: Status, _ reason: String = "", _ message: String = "") {
        self.kind = kind
        self.status = status
        self.reason = reason
        self.message = String(message.prefix(1_024))
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
