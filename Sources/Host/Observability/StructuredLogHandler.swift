import Kubernetes
package import Logging

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Writes log records to standard error, one line each: a constant message, then facts as `key=value`, or all of it as
/// JSON.
package struct StructuredLogHandler: LogHandler {
    package enum Format: String, Sendable, CaseIterable {
        case text
        case json
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: Format

    package init(label: String, level: Logger.Level, format: Format) {
        self.label = label
        self.logLevel = level
        self.format = format
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var facts = self.metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
        if let error = event.error { facts["error"] = "\(error)" }
        Self.write(
            Self.line(
                format: self.format,
                time: Self.now(),
                level: event.level,
                label: self.label,
                message: "\(event.message)",
                facts: facts
            )
        )
    }

    /// One record as a line without its end.
    static func line(
        format: Format,
        time: String,
        level: Logger.Level,
        label: String,
        message: String,
        facts: [String: String]
    ) -> String {
        let ordered = facts.sorted { $0.key < $1.key }
        switch format {
        case .text:
            let rest = ordered.map { " \($0.key)=\(Self.quoted($0.value))" }.joined()
            let name = level.rawValue + String(repeating: " ", count: Swift.max(0, 7 - level.rawValue.utf8.count))
            return "\(time) \(name) \(message)\(rest)"
        case .json:
            var object: JSONValue = [
                "time": .string(time), "level": .string(level.rawValue), "logger": .string(label),
                "message": .string(message),
            ]
            for (key, value) in ordered where object[key] == nil { object[key] = .string(value) }
            let bytes = (try? object.encoded()) ?? []
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Text that stays one word on one line.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "=" && $0.value != 127 }
        guard !isPlain else { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 32 || scalar.value == 127: result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return KubernetesTime(
            secondsSinceEpoch: Int64(time.tv_sec),
            microseconds: Int32(time.tv_nsec / 1_000)
        ).microTime
    }

    /// One write for one line, so that lines of several threads don't mix.
    private static func write(_ line: String) {
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        bytes.withUnsafeBytes { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
