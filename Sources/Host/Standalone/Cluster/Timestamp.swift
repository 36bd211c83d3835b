internal import FoundationEssentials

/// Times as Kubernetes writes them: RFC 3339 in UTC.
package enum Timestamp {
    /// The present second.
    package static var now: String { self.text(ofSeconds: self.seconds) }

    /// Seconds since 1970.
    package static var seconds: Int64 { Int64(Date().timeIntervalSince1970) }

    package static func text(ofSeconds seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }

    /// The present moment in microseconds, for what is measured.
    package static var microseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

    /// The seconds since 1970 of a time; nil when the text is not one.
    package static func seconds(of text: String) -> Int64? {
        (try? Date(text, strategy: .iso8601)).map { Int64($0.timeIntervalSince1970) }
    }
}
