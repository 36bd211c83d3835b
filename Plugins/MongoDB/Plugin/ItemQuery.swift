internal import MongoDB
internal import PluginProtocol

/// How the documents that wait are named, one by one.
struct ItemQuery: Sendable, Hashable {
    /// The fields of a document that travel as the payload, besides `_id`.
    let fields: [String]
    /// Which documents come first.
    let order: BSONDocument

    /// Longer keys are hashed: they are to fit where Kubernetes and people put them.
    static let keyLimit = 253
    static let payloadLimit = ProtocolLimits.itemPayloadBytes
    /// The most fields that one payload may have.
    private static let fieldLimit = 50

    /// Checks and reads the parameters.
    init(_ values: ParameterValues) throws(PluginFailure) {
        self.fields = try Self.fields(values["itemFields"] ?? "")
        guard let text = values["itemSort"] else {
            self.order = ["_id": 1]
            return
        }
        do {
            self.order = try BSONDocument(json: text)
        } catch {
            throw .invalid(
                "itemSort",
                "itemSort \(text) must be a sort such as {\"priority\":-1,\"_id\":1}: \(error.message)"
            )
        }
        guard !self.order.isEmpty else {
            throw .invalid("itemSort", "itemSort {} names no field; write {\"_id\":1}, or leave it out")
        }
    }

    private static func fields(_ text: String) throws(PluginFailure) -> [String] {
        var fields: [String] = []
        for name in text.isEmpty ? [] : ParameterText(text).list() {
            let isPlain =
                !name.isEmpty && !name.contains("\0")
                && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
                    !$0.isEmpty && $0.first != "$"
                }
            guard isPlain else {
                throw .invalid(
                    "itemFields",
                    "itemFields has \"\(name)\", which is no name of a field; write names such as url,size"
                )
            }
            if name != "_id", !fields.contains(name) { fields.append(name) }
        }
        if let inner = fields.first(where: { field in fields.contains { field.hasPrefix("\($0).") } }) {
            throw .invalid(
                "itemFields",
                "itemFields names \(inner) and a field that it is part of; leave one of them out"
            )
        }
        guard fields.count <= Self.fieldLimit else {
            throw .invalid("itemFields", "itemFields names \(fields.count) fields; name at most \(Self.fieldLimit)")
        }
        return fields
    }

    /// Asks for `count` documents of those that match; only what is named of them leaves the server.
    func pipeline(_ query: BSONDocument, count: Int) -> [BSONValue] {
        var stages: [BSONValue] = [
            ["$match": .document(query)], ["$sort": .document(self.order)], ["$limit": .int64(Int64(count))],
        ]
        guard !self.fields.isEmpty else { return stages + [["$project": ["_id": 1]]] }
        stages.append(["$project": .document(BSONDocument(self.fields.map { ($0, BSONValue.int32(1)) }))])
        // As text it is longer still: what is larger would not fit anyway, and stays on the server.
        let fits: BSONValue = ["$lte": [["$bsonSize": "$$ROOT"], .int64(Int64(Self.payloadLimit))]]
        stages.append(["$replaceWith": ["$cond": [fits, "$$ROOT", ["_id": "$_id"]]]])
        return stages
    }

    /// What is told of one document.
    func item(_ document: BSONDocument) -> Reading.Item? {
        guard let identifier = document["_id"] else { return nil }
        return Reading.Item(key: Self.key(of: identifier), payload: Self.payload(of: document, identifier))
    }

    /// The identifier as text: ObjectIds as hexadecimal digits, texts as they are, everything else as canonical extended JSON.
    static func key(of identifier: BSONValue) -> [UInt8] {
        let text: String
        switch identifier {
        case .other(0x07, let bytes):
            text = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        case .string(let string) where !string.isEmpty && !string.utf8.contains(0): text = string
        default: text = identifier.canonicalJSON
        }
        let key = Array(text.utf8)
        guard key.count > Self.keyLimit else { return key }
        let digest = SHA256.digest(key).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return Array("sha256:\(digest)".utf8)
    }

    /// The document as relaxed extended JSON; its `_id` alone where it is too large, and nothing where that is.
    private static func payload(of document: BSONDocument, _ identifier: BSONValue) -> [UInt8] {
        for candidate in [document, ["_id": identifier]] {
            let text = Array(candidate.json(.relaxed).utf8)
            if text.count <= Self.payloadLimit { return text }
        }
        return []
    }
}
