internal import MongoDB

/// Which changes of a collection concern a query.
///
/// Split in two: what the server can decide, and a cheap second look here. Both err on the side of waking: a wake that was
/// not needed costs one count, one that is missing costs a polling interval.
struct ChangeFilter: Sendable, Hashable {
    /// The query as a filter on change events; nil where the server cannot decide, and every change concerns it.
    let onServer: BSONDocument?
    /// Fields that must equal these values, compared here because one stream carries the changes of many queries.
    let equalities: [String: BSONValue]

    init(_ query: BSONDocument) {
        self.onServer = Self.aboutEvent(query)
        var equalities: [String: BSONValue] = [:]
        for (key, value) in query.elements where !key.hasPrefix("$") && !key.contains(".") {
            switch value {
            case .string, .bool, .int32, .int64, .other(type: 0x07, _): equalities[key] = value
            default: break
            }
        }
        self.equalities = equalities
    }

    /// Whether a document, of which the event may carry only a part, can match the query.
    func mayMatch(_ document: BSONDocument?) -> Bool {
        guard let document else { return true }
        return self.equalities.allSatisfy { key, wanted in
            guard let found = document[key] else { return false }
            switch (found, wanted) {
            case (.string, .string), (.bool, .bool), (.other(type: 0x07, _), .other): return found == wanted
            case (.int32, _), (.int64, _):
                guard let left = found.integer, let right = wanted.integer else { return true }
                return left == right
            default: return true
            }
        }
    }

    /// Moves a query from the fields of a document to the fields of the event that carries it.
    private static func aboutEvent(_ query: BSONDocument) -> BSONDocument? {
        var moved = BSONDocument()
        for (key, value) in query.elements {
            switch key {
            case "$and", "$or", "$nor":
                var parts: [BSONValue] = []
                for part in value.array ?? [] {
                    guard let part = part.document, let inner = self.aboutEvent(part) else { return nil }
                    parts.append(.document(inner))
                }
                moved.append(key, .array(parts))
            case "$comment": break
            case let operation where operation.hasPrefix("$"): return nil
            default: moved.append("fullDocument.\(key)", value)
            }
        }
        return moved
    }
}
