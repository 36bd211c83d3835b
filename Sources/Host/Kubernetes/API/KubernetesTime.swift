/// Times as the Kubernetes API writes them: RFC 3339 in UTC, `2026-01-02T03:04:05Z`.
package enum KubernetesTime {
    /// The text of a moment given in seconds of Unix time.
    package static func text(seconds: Int64) -> String {
        self.head(seconds: seconds) + "Z"
    }

    /// The text with microseconds that Events use (`MicroTime`).
    package static func microText(microseconds: Int64) -> String {
        let (seconds, fraction) = (Self.floorDivide(microseconds, 1_000_000), Self.modulo(microseconds, 1_000_000))
        return self.head(seconds: seconds) + "." + Self.padded(fraction, 6) + "Z"
    }

    /// Seconds of Unix time; nil when the text is not RFC 3339. A fraction is cut off, an offset is applied.
    package static func seconds(parsing text: String) -> Int64? {
        var rest = Substring(text)
        func number(_ digits: Int) -> Int64? {
            guard rest.utf8.count >= digits, rest.prefix(digits).utf8.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            defer { rest = rest.dropFirst(digits) }
            return Int64(rest.prefix(digits))
        }
        func skip(_ characters: String) -> Bool {
            guard let first = rest.first, characters.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2), skip("Tt "),
            let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        if skip(".") { rest = rest.drop { $0.isASCII && $0.isNumber } }
        var offset: Int64 = 0
        if !skip("Zz") {
            let isEast = rest.first == "+"
            guard skip("+-"), let hours = number(2), skip(":"), let minutes = number(2) else { return nil }
            offset = (hours * 60 + minutes) * (isEast ? 60 : -60)
        }
        guard rest.isEmpty else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        return days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    }

    private static func head(seconds: Int64) -> String {
        let days = Self.floorDivide(seconds, 86_400)
        let rest = Self.modulo(seconds, 86_400)
        let (year, month, day) = Self.date(days: days)
        let clock = [rest / 3_600, rest / 60 % 60, rest % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T\(clock)"
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar, by counting years from March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = Self.floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = Self.floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        (value - Self.modulo(value, divisor)) / divisor
    }

    private static func modulo(_ value: Int64, _ divisor: Int64) -> Int64 {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: Swift.max(0, width - text.utf8.count)) + text
    }
}
