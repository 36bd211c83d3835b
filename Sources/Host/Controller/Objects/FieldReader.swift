import Kubernetes

/// Reads the members of one JSON object and notes a ``Problem`` for each that is not what it must be.
struct FieldReader {
    let path: String
    let members: [String: JSONValue]
    /// Whether a value of the wrong kind may be a secret, and is not shown.
    let hidesValues: Bool
    private(set) var problems: [Problem] = []

    init(_ value: JSONValue, path: String, hidesValues: Bool = false) {
        self.path = path
        self.members = value.objectValue ?? [:]
        self.hidesValues = hidesValues
        if value.objectValue == nil {
            self.problems.append(Problem(path, "must be an object, not \(value.kindName)"))
        }
    }

    mutating func note(_ key: String, _ message: String) {
        self.problems.append(Problem("\(self.path).\(key)", message))
    }

    mutating func add(_ problems: [Problem]) { self.problems += problems }

    mutating func integer(_ key: String, atLeast minimum: Int) -> Int? {
        guard let value = self.present(key) else { return nil }
        guard let number = value.integerValue else {
            self.note(key, "\(value.summary) is not a whole number; write \(minimum) or more")
            return nil
        }
        guard number <= Int32.max else {
            self.note(key, "\(number) is too large; write at most \(Int32.max)")
            return nil
        }
        guard let result = Int32(exactly: number) else {
            self.note(key, "\(number) is too small; write \(minimum) or more")
            return nil
        }
        guard result >= minimum else {
            self.note(key, "\(result) is too small; write \(minimum) or more")
            return nil
        }
        return Int(result)
    }

    mutating func string(_ key: String) -> String? {
        guard let value = self.present(key) else { return nil }
        guard let text = value.stringValue else {
            switch value {
            case .array, .object: self.note(key, "is \(value.kindName); write text")
            case _ where self.hidesValues: self.note(key, "is \(value.kindName); put it in quotes")
            default: self.note(key, "\(value.summary) is not text; put it in quotes")
            }
            return nil
        }
        return text
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, of: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let text = self.string(key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let allowed = Choice.allCases.map(\.rawValue).filter { !$0.isEmpty }.joined(separator: ", ")
        self.note(key, "\"\(text)\" is not one of \(allowed)")
        return nil
    }

    func present(_ key: String) -> JSONValue? {
        guard let value = self.members[key], value != .null else { return nil }
        return value
    }
}

extension JSONValue {
    /// The kind of the value, for a message that must not show it.
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .integer, .double: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The value in a message: scalars as they are, everything else by its kind.
    var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): "\"\(value.prefix(100))\""
        case .array: "a list"
        case .object: "an object"
        }
    }
}
