import Kubernetes

extension FuzzGenerator {
    /// The document with a few changes in places that are found by its structure.
    mutating func mutate(_ document: JSONValue, donors: [JSONValue]) -> JSONValue {
        var document = document
        for _ in 0...self.size(upTo: 12) { document = self.changed(document, donors: donors) }
        return document
    }

    /// Changes one value, this one or one inside.
    private mutating func changed(_ value: JSONValue, donors: [JSONValue]) -> JSONValue {
        switch value {
        case .array(var elements) where !elements.isEmpty && !self.chance(in: 6):
            let index = elements.indices.randomElement(using: &self) ?? 0
            elements[index] = self.changed(elements[index], donors: donors)
            return .array(elements)
        case .object(var members) where !members.isEmpty && !self.chance(in: 6):
            let key = self.pick(members.keys.sorted())
            if let member = members[key] { members[key] = self.changed(member, donors: donors) }
            return .object(members)
        default: return self.change(value, donors: donors)
        }
    }

    private mutating func change(_ value: JSONValue, donors: [JSONValue]) -> JSONValue {
        switch (Int.random(in: 0..<9, using: &self), value) {
        case (0, .object(var members)) where !members.isEmpty:
            members[self.pick(members.keys.sorted())] = nil
            return .object(members)
        case (1, .object(var members)) where !members.isEmpty:
            let key = self.pick(members.keys.sorted())
            members[self.strangeText()] = members.removeValue(forKey: key)
            return .object(members)
        case (2, .object(var members)):
            members[self.strangeText()] = self.strangeValue()
            return .object(members)
        case (0, .array(let elements)): return .array(Array(elements.dropLast()))
        case (1, .array(let elements)) where elements.count < 100: return .array(elements + elements)
        case (2, .array(let elements)): return .array(elements + [self.strangeValue()])
        case (0, .integer(let number)): return .integer(number &+ 1)
        case (1, .integer(let number)): return .integer(0 &- number)
        case (2, .integer(let number)): return .string("\(number)")
        case (0, .string(let text)) where text.utf8.count < 1_000: return .string(text + text)
        case (1, .string(let text)): return .string(String(text.dropLast()))
        case (2, .string(let text)): return .string(text + self.strangeText())
        case (3, _): return Bool.random(using: &self) ? [value] : ["a": value]
        case (4, _), (5, _): return self.part(of: self.pick(donors))
        default: return self.strangeValue()
        }
    }

    /// A value from somewhere inside.
    private mutating func part(of value: JSONValue) -> JSONValue {
        if self.chance(in: 4) { return value }
        switch value {
        case .array(let elements) where !elements.isEmpty: return self.part(of: self.pick(elements))
        case .object(let members) where !members.isEmpty:
            return self.part(of: members[self.pick(members.keys.sorted())] ?? .null)
        default: return value
        }
    }
}
