import Kubernetes

/// How long finished Jobs are kept: a text such as `30m`, `24h`, `7d` or `1d12h`.
package enum FinishedJobsAge: Sendable, Equatable {
    case unset
    case seconds(Int64)
    case invalid(Problem)

    /// A hundred years.
    private static let longest: Int64 = 36_500 * 86_400

    /// What the annotation of a ScaledJob says.
    package static func of(_ scaledJob: ScaledJob) -> FinishedJobsAge {
        scaledJob.metadata.annotations?[WellKnown.finishedJobsAgeAnnotation].map { FinishedJobsAge(annotation: $0) }
            ?? .unset
    }

    package init(annotation text: String) {
        self.init(text, field: "metadata.annotations.\(WellKnown.finishedJobsAgeAnnotation)")
    }

    package init(_ text: String, field: String) {
        if let seconds = Self.seconds(of: text) {
            self = .seconds(seconds)
        } else {
            let message =
                "\"\(text.prefix(40))\" is not an age; write whole numbers with d, h, m or s, such as 24h or 7d"
            self = .invalid(Problem(field, message))
        }
    }

    private static func seconds(of text: String) -> Int64? {
        var total: Int64 = 0
        var number: Int64?
        var lastUnit = Int64.max
        for byte in text.utf8 {
            if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                let digits = (number ?? 0) * 10 + Int64(byte - UInt8(ascii: "0"))
                guard digits <= Self.longest else { return nil }
                number = digits
                continue
            }
            // The larger unit first, each at most once.
            guard let count = number, let unit = Self.unit(byte), unit < lastUnit else { return nil }
            total += count * unit
            guard total <= Self.longest else { return nil }
            lastUnit = unit
            number = nil
        }
        return number == nil && total > 0 ? total : nil
    }

    private static func unit(_ byte: UInt8) -> Int64? {
        switch byte {
        case UInt8(ascii: "d"): 86_400
        case UInt8(ascii: "h"): 3_600
        case UInt8(ascii: "m"): 60
        case UInt8(ascii: "s"): 1
        default: nil
        }
    }
}
