package import Kubernetes

/// Collects what is wrong with a manifest while it is read, so that all of it is told at once.
package struct FieldReader: Sendable {
    package private(set) var problems: [String] = []

    package init() {}

    /// Notes one problem: the field, its value, and what to do about it.
    package mutating func refuse(_ path: String, _ value: String, _ mend: String) {
        guard self.problems.count < 20 else { return }
        self.problems.append("\(path): \(value.prefix(80)): \(mend)")
    }

    /// Refuses every field that is neither supported nor harmless.
    package mutating func refuseUnknown(_ object: JSONValue, at path: String, known: Set<String>, ignored: Set<String>)
    {
        for (field, value) in (object.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) where value != .null {
            guard !known.contains(field), !ignored.contains(field) else { continue }
            self.refuse("\(path).\(field)", "set", "the local runner does not support it: leave it out")
        }
    }

    package mutating func object(_ value: JSONValue?, at path: String, mend: String) -> JSONValue? {
        if value?.objectValue != nil { return value }
        self.refuse(path, value == nil ? "(unset)" : "not a map", mend)
        return nil
    }

    /// A whole number from 0; nil when unset.
    package mutating func count(_ value: JSONValue?, at path: String) -> Int? {
        guard let value, value != .null else { return nil }
        guard let number = value.integerValue, (0...Int64(Int32.max)).contains(number) else {
            self.refuse(path, "not a whole number from 0", "write a number without quotes")
            return nil
        }
        return Int(number)
    }

    package mutating func strings(_ value: JSONValue?, at path: String) -> [String] {
        guard let value, value != .null else { return [] }
        guard let entries = value.arrayValue, entries.allSatisfy({ $0.stringValue != nil }) else {
            self.refuse(path, "not a list of strings", "numbers and booleans in the list need quotes")
            return []
        }
        return entries.compactMap(\.stringValue)
    }
}
