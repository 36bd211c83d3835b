internal import Glibc

/// A moment as Kubernetes writes it: RFC 3339, in UTC, with seconds or microseconds.
package struct KubernetesTime: Sendable, Hashable, Comparable {
    package let secondsSinceEpoch: Int64
    /// 0 to 999,999.
    package let microseconds: Int32

    package init(secondsSinceEpoch: Int64, microseconds: Int32 = 0) {
        self.secondsSinceEpoch = secondsSinceEpoch
        self.microseconds = min(max(microseconds, 0), 999_999)
    }

    /// The wall clock's time.
    package static var now: KubernetesTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return KubernetesTime(secondsSinceEpoch: Int64(time.tv_sec), microseconds: Int32(time.tv_nsec / 1000))
    }

    package func advanced(by duration: Duration) -> KubernetesTime {
        let (seconds, attoseconds) = duration.components
        let sum = Int64(self.microseconds) + attoseconds / 1_000_000_000_000
        let carry = sum >= 1_000_000 ? 1 : sum < 0 ? -1 : Int64(0)
        return KubernetesTime(
            secondsSinceEpoch: self.secondsSinceEpoch + seconds + carry,
            microseconds: Int32(sum - carry * 1_000_000)
        )
    }

    /// How long after the other moment this one is; negative when before.
    package func since(_ other: KubernetesTime) -> Duration {
        .seconds(self.secondsSinceEpoch - other.secondsSinceEpoch)
            + .microseconds(Int64(self.microseconds) - Int64(other.microseconds))
    }

    package static func < (left: KubernetesTime, right: KubernetesTime) -> Bool {
        (left.secondsSinceEpoch, left.microseconds) < (right.secondsSinceEpoch, right.microseconds)
    }
}

extension KubernetesTime: CustomStringConvertible {
    /// `2026-01-02T03:04:05Z`, as in `metadata` and `status`.
    package var description: String { self.dateAndTime + "Z" }

    /// `2026-01-02T03:04:05.000006Z`, as in Leases and Events.
    package var microTime: String { "\(self.dateAndTime).\(Self.padded(Int64(self.microseconds), 6))Z" }

    private var dateAndTime: String {
        let secondsOfDay = ((self.secondsSinceEpoch % 86_400) + 86_400) % 86_400
        let (year, month, day) = Self.date(daysSinceEpoch: (self.secondsSinceEpoch - secondsOfDay) / 86_400)
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
        let (hour, minute, second) = (secondsOfDay / 3600, secondsOfDay / 60 % 60, secondsOfDay % 60)
        return "\(date)T\(Self.padded(hour, 2)):\(Self.padded(minute, 2)):\(Self.padded(second, 2))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension KubernetesTime {
    /// Reads RFC 3339, with any fraction and any offset.
    ///
    /// Nil for anything else.
    package init?(_ text: String) {
        var digits = Digits(Array(text.utf8))
        guard let year = digits.number(4), digits.take("-"), let month = digits.number(2), digits.take("-"),
            let day = digits.number(2), digits.take("T") || digits.take("t") || digits.take(" "),
            let hour = digits.number(2), digits.take(":"), let minute = digits.number(2), digits.take(":"),
            let second = digits.number(2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var microseconds: Int64 = 0
        if digits.take(".") {
            guard let fraction = digits.fraction(6) else { return nil }
            microseconds = fraction
        }
        var offset: Int64 = 0
        if !digits.take("Z") && !digits.take("z") {
            let isWest = digits.take("-")
            guard isWest || digits.take("+"), let hours = digits.number(2), digits.take(":"),
                let minutes = digits.number(2), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
        }
        guard digits.isAtEnd else { return nil }
        let days = Self.daysSinceEpoch(year, month, day)
        self.init(
            secondsSinceEpoch: days * 86_400 + hour * 3600 + minute * 60 + second - offset,
            microseconds: Int32(microseconds)
        )
    }

    private struct Digits {
        private let bytes: [UInt8]
        private var index = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
        }

        var isAtEnd: Bool { self.index == self.bytes.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: character) else { return false }
            self.index += 1
            return true
        }

        private mutating func digit() -> Int64? {
            guard self.index < self.bytes.count, (0x30...0x39).contains(self.bytes[self.index]) else { return nil }
            defer { self.index += 1 }
            return Int64(self.bytes[self.index] - 0x30)
        }

        mutating func number(_ width: Int) -> Int64? {
            var number: Int64 = 0
            for _ in 0..<width {
                guard let digit = self.digit() else { return nil }
                number = number * 10 + digit
            }
            return number
        }

        /// Any number of digits, of which the first ones count.
        mutating func fraction(_ width: Int) -> Int64? {
            guard var number = self.digit() else { return nil }
            var count = 1
            while let digit = self.digit() {
                if count < width { number = number * 10 + digit }
                count += 1
            }
            for _ in min(count, width)..<width { number *= 10 }
            return number
        }
    }

    // Years are counted from March, so that the leap day is the last of its year; an era is 400 years.

    private static func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = daysSinceEpoch + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension KubernetesTime: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let time = KubernetesTime(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not an RFC 3339 time")
            )
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
