/// What a call to the API server is for, which decides who goes first.
package enum CallKind: String, Sendable, CaseIterable, Comparable {
    /// Jobs, and whatever a creation waits for: dry runs, look-ups, tokens.
    case create
    /// Lists, and the opening of watches.
    case observe
    case delete
    /// Status and Events.
    case report

    private var rank: Int {
        switch self {
        case .create: 0
        case .observe: 1
        case .delete: 2
        case .report: 3
        }
    }

    /// The lesser one goes first.
    package static func < (left: CallKind, right: CallKind) -> Bool { left.rank < right.rank }
}

extension APIRequest {
    /// Nil for calls about the Lease, which wait for nothing.
    package var kind: CallKind? {
        guard self.lane != .lease else { return nil }
        guard self.resource != .events, self.subresource != "status" else { return .report }
        switch self.verb {
        case .create, .get: return .create
        case .list, .watch: return .observe
        // What is patched besides a status is a finalizer, without which an object cannot go.
        case .delete, .mergePatch, .replace: return .delete
        }
    }
}
