internal import Yams

/// YAML text as JSON values, read the way `kubectl` reads it.
///
/// That is YAML 1.1: `y`, `yes`, `on` and their opposites are booleans, a leading `0` means octal, `<<` merges, and a
/// timestamp stays a string. Only plain scalars are interpreted: anything quoted is a string. Keys become strings.
package enum YAML {
    /// Why a text is not YAML, or is YAML that JSON cannot express.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        package let message: String
        /// Counted from 1; nil when the parser could not tell.
        package let line: Int?
        /// The number of the document in the text, counted from 1.
        package let document: Int

        package init(_ message: String, line: Int?, document: Int) {
            self.message = message
            self.line = line
            self.document = document
        }

        package var description: String {
            let place = self.line.map { ", line \($0)" } ?? ""
            return "document \(self.document)\(place): \(self.message)"
        }
    }

    /// One document of a text.
    package struct Document: Sendable, Equatable {
        package let value: JSONValue
        /// The position in the text, counted from 1; empty documents are counted, although they are left out.
        package let number: Int
        /// The line on which its content starts, counted from 1.
        package let line: Int
    }

    /// The most values that one text may expand to: aliases make a small text large.
    private static let maximumValues = 500_000
    /// The most bytes that these values may have, with all repetitions.
    private static let maximumBytes = 16 << 20
    /// The deepest nesting: whatever comes after the parser recurses as well.
    private static let maximumDepth = 200

    /// The first document, or null when there is none.
    package static func parse(_ text: String) throws(Failure) -> JSONValue {
        try self.documents(text).first?.value ?? .null
    }

    /// All documents that are not empty.
    ///
    /// JSON is YAML, so a JSON text gives one document.
    package static func documents(_ text: String) throws(Failure) -> [Document] {
        var number = 1
        try YAMLBounds.check(text)
        do {
            var found: [Document] = []
            var reading = Reading(
                valuesLeft: self.maximumValues,
                bytesLeft: self.maximumBytes,
                depthLeft: self.maximumDepth
            )
            // The encoding is named because the default consults the environment and may print.
            let parser = try Parser(yaml: text, encoding: .utf8)
            while let node = try parser.nextRoot() {
                reading.document = number
                let value = try reading.value(of: node)
                if value != .null {
                    found.append(Document(value: value, number: number, line: node.mark?.line ?? 1))
                }
                number += 1
            }
            return found
        } catch let failure as Failure {
            throw failure
        } catch let error as YamlError {
            throw Failure(error, document: number)
        } catch {
            throw Failure("cannot be read as YAML", line: nil, document: number)
        }
    }

    /// A text being turned into JSON.
    private struct Reading {
        var document = 1
        var valuesLeft: Int
        var bytesLeft: Int
        var depthLeft: Int

        init(valuesLeft: Int, bytesLeft: Int, depthLeft: Int) {
            self.valuesLeft = valuesLeft
            self.bytesLeft = bytesLeft
            self.depthLeft = depthLeft
        }

        /// Counts one more value.
        private mutating func count(_ node: Node) throws(Failure) {
            self.valuesLeft -= 1
            self.bytesLeft -= node.scalar?.string.utf8.count ?? 0
            guard self.valuesLeft > 0, self.bytesLeft > 0 else {
                throw self.failure("has too many values, perhaps through aliases", at: node)
            }
        }

        mutating func value(of node: Node) throws(Failure) -> JSONValue {
            try self.count(node)
            self.depthLeft -= 1
            defer { self.depthLeft += 1 }
            guard self.depthLeft > 0 else { throw self.failure("nested too deeply", at: node) }
            switch node {
            case .scalar(let scalar):
                return try self.value(of: scalar, at: node)
            case .sequence(let sequence):
                var elements: [JSONValue] = []
                elements.reserveCapacity(sequence.count)
                for element in sequence {
                    elements.append(try self.value(of: element))
                }
                return .array(elements)
            case .mapping(let mapping):
                return .object(try self.members(of: mapping))
            case .alias:
                throw self.failure("an alias refers to nothing", at: node)
            }
        }

        private func value(of scalar: Node.Scalar, at node: Node) throws(Failure) -> JSONValue {
            let tag = scalar.tag.rawValue
            if tag == Tag.Name.str.rawValue || scalar.style != .plain && tag.isEmpty {
                return .string(scalar.string)
            }
            guard let value = PlainScalar.value(of: scalar.string) else {
                throw self.failure("JSON has no value for \(scalar.string)", at: node)
            }
            switch (tag, value) {
            case ("", _), (Tag.Name.int.rawValue, .integer), (Tag.Name.float.rawValue, .double),
                (Tag.Name.bool.rawValue, .bool), (Tag.Name.null.rawValue, .null):
                return value
            case (Tag.Name.float.rawValue, .integer(let number)):
                return .double(Double(number))
            default:
                throw self.failure("the tag \(tag) does not fit the value", at: node)
            }
        }

        /// The members of a mapping; keys of the mapping itself win over merged ones.
        private mutating func members(of mapping: Node.Mapping) throws(Failure) -> [String: JSONValue] {
            var members: [String: JSONValue] = [:]
            var merged: [String: JSONValue] = [:]
            for (keyNode, valueNode) in mapping {
                if let scalar = keyNode.scalar, scalar.string == "<<", scalar.style == .plain {
                    for source in try self.mergeSources(valueNode) {
                        // A merged mapping counts even when it is empty: merges of merges multiply.
                        try self.count(valueNode)
                        merged.merge(try self.members(of: source)) { first, _ in first }
                    }
                    continue
                }
                let key = try self.key(of: keyNode)
                let value = try self.value(of: valueNode)
                guard members.updateValue(value, forKey: key) == nil else {
                    throw self.failure("the key \(key) is there twice", at: keyNode)
                }
            }
            return merged.isEmpty ? members : members.merging(merged) { own, _ in own }
        }

        private func mergeSources(_ node: Node) throws(Failure) -> [Node.Mapping] {
            if let mapping = node.mapping { return [mapping] }
            let sources = node.sequence?.compactMap(\.mapping) ?? []
            guard !sources.isEmpty, sources.count == node.sequence?.count else {
                throw self.failure("<< merges mappings only", at: node)
            }
            return sources
        }

        private mutating func key(of node: Node) throws(Failure) -> String {
            switch try self.value(of: node) {
            case .string(let key): return key
            case .bool(let key): return key ? "true" : "false"
            case .integer(let key): return String(key)
            case .double(let key): return String(key)
            case .null, .array, .object: throw self.failure("a key must be a string", at: node)
            }
        }

        private func failure(_ message: String, at node: Node) -> Failure {
            Failure(message, line: node.mark?.line, document: self.document)
        }
    }
}

extension YAML.Failure {
    fileprivate init(_ error: YamlError, document: Int) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let prefix = context.map { "\($0.text): " } ?? ""
            self.init(prefix + problem, line: mark.line, document: document)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.sorted().joined(separator: ", ")
            self.init("the key \(keys) is there twice", line: context.mark.line, document: document)
        case .reader(let problem, _, _, _):
            self.init(problem, line: nil, document: document)
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            self.init("cannot be read as YAML", line: nil, document: document)
        }
    }
}
