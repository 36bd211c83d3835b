internal import FoundationEssentials
package import Kubernetes

/// What the in-process cluster demands of an object before it stores it.
package enum ObjectRules {
    package static func hasStatus(_ resource: APIResource) -> Bool {
        ![.secrets, .configMaps, .events].contains(resource)
    }

    package static func countsGenerations(_ resource: APIResource) -> Bool {
        ![.secrets, .configMaps, .events, .pods].contains(resource)
    }

    /// Refuses what is not a name: DNS labels joined by dots, at most 253 characters; for Jobs 63.
    package static func checkName(_ name: String, of resource: APIResource) throws(KubernetesError) {
        let limit = resource == .jobs ? 63 : 253
        let isEdge: (UInt8) -> Bool = { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        let isMiddle: (UInt8) -> Bool = { isEdge($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
        guard let first = name.utf8.first, let last = name.utf8.last else {
            throw .refused("metadata.name: Required value: name or generateName is required")
        }
        guard name.utf8.count <= limit, isEdge(first), isEdge(last), name.utf8.allSatisfy(isMiddle) else {
            throw .refused(
                "metadata.name: Invalid value: \"\(name)\": only lower case letters, digits, '-' and '.', "
                    + "a letter or digit at both ends, at most \(limit) characters"
            )
        }
    }

    /// The object as it is to be stored: checked, with defaults filled in.
    package static func admitted(
        _ object: JSONValue,
        replacing current: JSONValue?,
        of resource: APIResource
    ) throws(KubernetesError) -> JSONValue {
        switch resource {
        case .jobs:
            let admitted = try Self.job(object)
            if let current { try Self.checkUnchanged(admitted, current) }
            return admitted
        case .secrets: return try Self.secret(object)
        case .configMaps: return try Self.configMap(object)
        case .scaledJobs: return try Self.scaledJob(object)
        default: return object
        }
    }

    private static func job(_ object: JSONValue) throws(KubernetesError) -> JSONValue {
        do {
            _ = try LocalJob(object)
        } catch {
            throw .refused("Job.batch \"\(object.name)\" is invalid: \(error.description)")
        }
        var job = object
        var spec = job["spec"] ?? .object([:])
        if spec["completions"] == nil, spec["parallelism"] == nil { spec["completions"] = 1 }
        for (field, value) in [("parallelism", 1), ("backoffLimit", 6)] as [(String, JSONValue)]
        where spec[field] == nil {
            spec[field] = value
        }
        if spec["suspend"] == nil { spec["suspend"] = false }
        job["spec"] = spec
        return job
    }

    private static func checkUnchanged(_ job: JSONValue, _ current: JSONValue) throws(KubernetesError) {
        for field in ["template", "completions", "completionMode"]
        where job[path: "spec", field] != current[path: "spec", field] {
            throw .refused("Job.batch \"\(job.name)\" is invalid: spec.\(field): field is immutable")
        }
    }

    /// Folds `stringData` into `data` as base64 and refuses data that is not base64.
    private static func secret(_ object: JSONValue) throws(KubernetesError) -> JSONValue {
        var secret = object
        var data = try Self.strings(object["data"], field: "data")
        for (key, value) in data where Data(base64Encoded: value) == nil {
            _ = value
            throw .refused(
                "Secret \"\(object.name)\" is invalid: data[\(key)]: not base64 (stringData takes plain text)"
            )
        }
        for (key, value) in try Self.strings(object["stringData"], field: "stringData") {
            data[key] = Data(value.utf8).base64EncodedString()
        }
        secret["stringData"] = nil
        secret["data"] = data.isEmpty ? nil : .object(data.mapValues(JSONValue.string))
        if secret["type"] == nil { secret["type"] = "Opaque" }
        return secret
    }

    private static func configMap(_ object: JSONValue) throws(KubernetesError) -> JSONValue {
        _ = try Self.strings(object["data"], field: "data")
        return object
    }

    private static func strings(_ value: JSONValue?, field: String) throws(KubernetesError) -> [String: String] {
        guard let value, value != .null else { return [:] }
        guard let members = value.objectValue else { throw .refused("\(field): must be a map") }
        var strings: [String: String] = [:]
        for (key, member) in members {
            // The value stays out of the message: it may be a secret.
            guard let string = member == .null ? "" : member.stringValue else {
                throw .refused("\(field)[\(key)]: must be a string; numbers and booleans need quotes")
            }
            strings[key] = string
        }
        return strings
    }

    private static func scaledJob(_ object: JSONValue) throws(KubernetesError) -> JSONValue {
        guard let spec = object["spec"] else { return object }
        guard let triggers = spec["triggers"]?.arrayValue, !triggers.isEmpty else {
            throw .refused("ScaledJob \"\(object.name)\" is invalid: spec.triggers: at least one is required")
        }
        for (index, trigger) in triggers.enumerated() {
            for (key, value) in trigger["metadata"]?.objectValue ?? [:] where value.stringValue == nil {
                throw .refused(
                    "ScaledJob \"\(object.name)\" is invalid: spec.triggers[\(index)].metadata.\(key): "
                        + "must be a string; numbers and booleans need quotes"
                )
            }
        }
        guard spec["jobTargetRef"]?.objectValue != nil else {
            throw .refused("ScaledJob \"\(object.name)\" is invalid: spec.jobTargetRef: required")
        }
        return object
    }
}
