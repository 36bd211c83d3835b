internal import Kubernetes

/// One container of a pod template: here, one process.
package struct LocalContainer: Sendable, Equatable {
    package var name = ""
    package var command: [String] = []
    package var arguments: [String] = []
    package var workingDirectory: String?
    package var environmentSources: [EnvironmentSource] = []
    package var environment: [EnvironmentVariable] = []

    /// Sized, placed or dressed by a kubelet; without effect on a local process.
    private static let ignoredFields: Set<String> = [
        "image", "imagePullPolicy", "ports", "readinessProbe", "resources", "securityContext", "terminationMessagePath",
        "terminationMessagePolicy",
    ]

    private static let fields: Set<String> = ["name", "command", "args", "workingDir", "env", "envFrom"]

    package init() {}

    static func read(_ value: JSONValue?, at path: String, _ reader: inout FieldReader) -> [LocalContainer] {
        guard let value, value != .null else { return [] }
        guard let entries = value.arrayValue else {
            reader.refuse(path, "not a list", "write one list entry for each container")
            return []
        }
        return entries.enumerated().map { index, entry in
            LocalContainer(entry, at: "\(path)[\(index)]", &reader)
        }
    }

    private init(_ entry: JSONValue, at path: String, _ reader: inout FieldReader) {
        var unsupported = Self.fields
        for field in ["volumeMounts", "volumeDevices"] where entry[field]?.arrayValue?.isEmpty ?? true {
            unsupported.insert(field)
        }
        for field in ["stdin", "stdinOnce", "tty"] where entry[field]?.boolValue != true { unsupported.insert(field) }
        reader.refuseUnknown(entry, at: path, known: unsupported, ignored: Self.ignoredFields)
        self.name = entry["name"]?.stringValue ?? ""
        if self.name.isEmpty || !self.name.utf8.allSatisfy(Self.isNameByte) || self.name.utf8.count > 63 {
            reader.refuse("\(path).name", self.name, "a name of lower case letters, digits and '-' is required")
        }
        self.command = reader.strings(entry["command"], at: "\(path).command")
        if self.command.first?.isEmpty ?? true {
            reader.refuse(
                "\(path).command",
                "(unset)",
                "a local process has no image whose entry point could be started: name the program to run"
            )
        }
        self.arguments = reader.strings(entry["args"], at: "\(path).args")
        self.workingDirectory = entry["workingDir"]?.stringValue
        self.environmentSources = EnvironmentSource.read(entry["envFrom"], at: "\(path).envFrom", &reader)
        self.environment = EnvironmentVariable.read(entry["env"], at: "\(path).env", &reader)
        if (self.command + self.arguments).contains(where: { $0.utf8.contains(0) }) {
            reader.refuse("\(path).command", "(NUL)", "no argument may contain a NUL character")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
