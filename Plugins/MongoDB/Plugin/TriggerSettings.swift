internal import MongoDB
internal import PluginProtocol

/// What a trigger's parameters mean.
struct TriggerSettings: Sendable, Equatable {
    let connection: ConnectionSettings
    let source: Source
    /// Documents that one Job takes.
    let target: Double
    let activation: Double
    let items: ItemQuery

    /// What is counted, within one connection.
    struct Source: Sendable, Hashable {
        let database: String
        let collection: String
        let query: BSONDocument
    }

    /// Checks and reads the parameters of a trigger.
    ///
    /// - Throws: ``PluginFailure`` that names the parameter at fault, never a secret.
    init(parameters: [String: String]) throws(PluginFailure) {
        let values = ParameterValues(parameters)
        let database = try values.required("dbName", "the database of the collection")
        if let odd = database.first(where: { "/\\. \"$\0".contains($0) }) {
            throw .invalid("dbName", "dbName \"\(database)\" must not contain \"\(odd)\"; give the name of a database")
        }
        let collection = try values.required("collection", "the name of a collection")
        if collection.hasPrefix("$") || collection.hasPrefix(".") || collection.contains("\0") {
            throw .invalid(
                "collection",
                "collection \"\(collection)\" is no name of a collection; give one that exists"
            )
        }
        self.connection = try ConnectionSettings(values, database: database)
        self.source = Source(database: database, collection: collection, query: try Self.query(values))
        self.items = try ItemQuery(values)
        self.target = try values.number("queryValue")
        guard self.target > 0 else {
            throw .invalid("queryValue", "queryValue \(self.target) must be greater than 0")
        }
        self.activation = values["activationQueryValue"] == nil ? 0 : try values.number("activationQueryValue")
    }

    private static func query(_ values: ParameterValues) throws(PluginFailure) -> BSONDocument {
        let text = try values.required("query", "a filter such as {\"state\":\"waiting\"}")
        guard text.hasPrefix("{"), text.hasSuffix("}") else {
            throw .invalid("query", "query \(text) must be a JSON document, in braces")
        }
        let query: BSONDocument
        do {
            query = try BSONDocument(json: text)
        } catch {
            throw .invalid("query", "query \(text) must be extended JSON: \(error.message)")
        }
        guard !query.isEmpty else {
            throw .invalid("query", "query {} would count every document; name at least one field")
        }
        return query
    }
}

/// A trigger's parameters without blanks around them; what is empty counts as absent.
struct ParameterValues {
    private let values: [String: String]

    init(_ values: [String: String]) {
        self.values = values.mapValues(Self.trimmed).filter { !$0.value.isEmpty }
    }

    subscript(name: String) -> String? { self.values[name] }

    func required(_ name: String, _ meaning: String) throws(PluginFailure) -> String {
        guard let value = self[name] else { throw .invalid(name, "\(name) is missing; set it to \(meaning)") }
        return value
    }

    func number(_ name: String) throws(PluginFailure) -> Double {
        let text = try self.required(name, "a number")
        guard let number = Double(text), number.isFinite else {
            throw .invalid(name, "\(name) \"\(text)\" must be a number such as 5 or 0.5")
        }
        return number
    }

    private static func trimmed(_ text: String) -> String {
        let kept = text.drop(while: \.isWhitespace)
        guard let last = kept.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(kept[...last])
    }
}

extension PluginFailure {
    /// The failure of a parameter that is missing or cannot be used.
    static func invalid(_ parameter: String, _ message: String) -> PluginFailure {
        PluginFailure(.invalidParameter, message, parameter: parameter)
    }
}
