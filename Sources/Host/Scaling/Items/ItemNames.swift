/// Makes the names of Jobs that work on one item each: the ScaledJob's name, a mark of its UID, a hash of the item's key and a
/// number.
///
/// The name says which item and which Job of it is meant, so whoever asks for the same Job asks for the same name, and the API
/// server refuses the second one. No ordinary name of ``JobNames`` has this form: its last part alone is a number.
package struct ItemNames: Sendable, Equatable {
    /// Characters of the hash; 27 to the power of 18 is more than 2 to the power of 85.
    package static let hashLength = 18
    /// The most digits of the number.
    private static let digits = 6
    /// The highest number that a name has room for.
    package static let largestNumber = 999_999

    private let prefix: String

    package init(scaledJob: String, uid: String) {
        let mark = JobNames.mark(of: uid)
        let room = JobNames.longestName - mark.utf8.count - Self.hashLength - Self.digits - 3
        self.prefix = "\(JobNames.head(of: scaledJob, room: room))-\(mark)-"
    }

    package func name(hash: String, number: Int) -> String { "\(self.prefix)\(hash)-\(number)" }

    /// What a name says; nil where it is not of this form.
    package func parse(_ name: String) -> (hash: String, number: Int)? {
        guard name.hasPrefix(self.prefix) else { return nil }
        let rest = name.utf8.dropFirst(self.prefix.utf8.count)
        let (hash, tail) = (rest.prefix(Self.hashLength), rest.dropFirst(Self.hashLength))
        guard hash.count == Self.hashLength, tail.first == UInt8(ascii: "-"),
            let number = Int(Substring(tail.dropFirst())), 1...Self.largestNumber ~= number
        else { return nil }
        return (String(Substring(hash)), number)
    }

    /// The hash as it stands in a name, of at least 16 bytes of a digest of the item's key.
    package static func hash(of digest: some Sequence<UInt8>) -> String {
        var (high, low): (UInt64, UInt64) = (0, 0)
        for (index, byte) in digest.prefix(16).enumerated() {
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        var text = ""
        let base = UInt64(JobNames.alphabet.count)
        for _ in 0..<Self.hashLength {
            let remainder: UInt64
            (high, remainder) = high.quotientAndRemainder(dividingBy: base)
            let (quotient, digit) = base.dividingFullWidth((remainder, low))
            low = quotient
            text.unicodeScalars.append(JobNames.alphabet[Int(digit)])
        }
        return text
    }
}
