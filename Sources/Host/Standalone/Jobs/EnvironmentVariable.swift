package import Kubernetes

/// One entry of a container's `env`.
package struct EnvironmentVariable: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case literal(String)
        case secretKey(name: String, key: String, isOptional: Bool)
        case configMapKey(name: String, key: String, isOptional: Bool)
        /// `metadata.name`, `metadata.labels['x']` and the like, of the pod.
        case field(String)
    }

    package let name: String
    package let value: Value

    package init(name: String, value: Value) {
        self.name = name
        self.value = value
    }

    static func read(_ value: JSONValue?, at path: String, _ reader: inout FieldReader) -> [EnvironmentVariable] {
        var variables: [EnvironmentVariable] = []
        for (index, entry) in (value?.arrayValue ?? []).enumerated() {
            let place = "\(path)[\(index)]"
            guard let name = entry["name"]?.stringValue, Self.isName(name) else {
                let mend = "a variable needs a name of letters, digits, '_', '-' and '.', with no digit first"
                reader.refuse("\(place).name", entry["name"]?.stringValue ?? "(unset)", mend)
                continue
            }
            guard let source = entry["valueFrom"], source != .null else {
                guard let text = Self.text(entry["value"]) else {
                    reader.refuse("\(place).value", "not a string", "numbers and booleans need quotes")
                    continue
                }
                variables.append(EnvironmentVariable(name: name, value: .literal(text)))
                continue
            }
            guard let value = Self.value(from: source) else {
                let mend = "secretKeyRef, configMapKeyRef and fieldRef of metadata.name, .namespace, .uid, "
                reader.refuse("\(place).valueFrom", name, mend + ".labels['…'], .annotations['…'] are supported")
                continue
            }
            variables.append(EnvironmentVariable(name: name, value: value))
        }
        return variables
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard let value, value != .null else { return "" }
        return value.stringValue
    }

    private static func value(from source: JSONValue) -> Value? {
        if let reference = source["secretKeyRef"] {
            guard let name = reference["name"]?.stringValue, let key = reference["key"]?.stringValue else { return nil }
            return .secretKey(name: name, key: key, isOptional: reference["optional"]?.boolValue ?? false)
        }
        if let reference = source["configMapKeyRef"] {
            guard let name = reference["name"]?.stringValue, let key = reference["key"]?.stringValue else { return nil }
            return .configMapKey(name: name, key: key, isOptional: reference["optional"]?.boolValue ?? false)
        }
        guard let field = source[path: "fieldRef", "fieldPath"]?.stringValue else { return nil }
        let isPlain = ["metadata.name", "metadata.namespace", "metadata.uid"].contains(field)
        let isEntry = (field.hasPrefix("metadata.labels['") || field.hasPrefix("metadata.annotations['"))
        return isPlain || isEntry && field.hasSuffix("']") ? .field(field) : nil
    }

    /// Whether a process can be given a variable of this name.
    package static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}

/// One entry of a container's `envFrom`.
package struct EnvironmentSource: Sendable, Equatable {
    package let resource: APIResource
    package let name: String
    package let prefix: String
    package let isOptional: Bool

    static func read(_ value: JSONValue?, at path: String, _ reader: inout FieldReader) -> [EnvironmentSource] {
        var sources: [EnvironmentSource] = []
        for (index, entry) in (value?.arrayValue ?? []).enumerated() {
            let isSecret = entry["secretRef"]?.objectValue != nil
            guard let reference = entry["secretRef"] ?? entry["configMapRef"], let name = reference["name"]?.stringValue
            else {
                reader.refuse("\(path)[\(index)]", "unknown", "secretRef or configMapRef with a name is required")
                continue
            }
            sources.append(
                EnvironmentSource(
                    resource: isSecret ? .secrets : .configMaps,
                    name: name,
                    prefix: entry["prefix"]?.stringValue ?? "",
                    isOptional: reference["optional"]?.boolValue ?? false
                )
            )
        }
        return sources
    }
}
