package import Kubernetes

/// JSON merge patch (RFC 7386): members replace members, null removes, anything else replaces the whole.
package enum MergePatch {
    /// The target with the patch applied.
    package static func apply(_ patch: JSONValue, to target: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members = target.objectValue ?? [:]
        for (key, change) in changes {
            if change == .null {
                members[key] = nil
            } else {
                members[key] = self.apply(change, to: members[key] ?? .null)
            }
        }
        return .object(members)
    }
}
