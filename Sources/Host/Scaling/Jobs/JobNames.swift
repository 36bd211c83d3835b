/// Chooses the names of a ScaledJob's Jobs: its name, a mark of its UID and a number that only grows.
///
/// Names follow from the cluster's state, not from chance: a host that was restarted in the middle of a batch goes on
/// with the numbers that the old one had in flight, and the API server refuses the second Job of that name.
package struct JobNames: Sendable, Equatable {
    /// The longest name whose Pods still fit the label `job-name`.
    package static let longestName = 63

    private let prefix: String
    /// The highest number that was ever given out or seen.
    package private(set) var lastNumber: UInt64

    package init(scaledJob: String, uid: String, lastNumber: UInt64 = 0) {
        let mark = Self.mark(of: uid)
        // 20 digits of the number and two hyphens.
        let room = Self.longestName - mark.utf8.count - 22
        self.prefix = "\(Self.head(of: scaledJob, room: room))-\(mark)-"
        self.lastNumber = lastNumber
    }

    package mutating func next() -> String {
        self.lastNumber += 1
        return "\(self.prefix)\(self.lastNumber)"
    }

    /// Makes sure that numbers go on after this name, where it is one of ours.
    package mutating func saw(_ name: String) {
        guard name.hasPrefix(self.prefix), let number = UInt64(name.dropFirst(self.prefix.count)) else { return }
        self.lastNumber = Swift.max(self.lastNumber, number)
    }

    /// The name under which the template is tried without being stored.
    package var trial: String { "\(self.prefix)0" }

    /// Whether this is one of the names that numbers alone tell apart.
    package func owns(_ name: String) -> Bool {
        name.hasPrefix(self.prefix) && name.utf8.dropFirst(self.prefix.utf8.count).allSatisfy { 48...57 ~= $0 }
    }

    /// As much of a ScaledJob's name as there is room for.
    static func head(of scaledJob: String, room: Int) -> String {
        var head = String(decoding: scaledJob.utf8.prefix(room), as: UTF8.self)
        while head.last == "-" || head.last == "." { head.removeLast() }
        return head
    }

    /// What marks and hashes are written in: no vowels, so no words, and nothing that looks like another.
    static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".unicodeScalars)

    /// Five characters that tell a ScaledJob from an earlier one of the same name (FNV-1a of its UID).
    static func mark(of uid: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in uid.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var text = ""
        for _ in 0..<5 {
            text.unicodeScalars.append(Self.alphabet[Int(hash % UInt64(Self.alphabet.count))])
            hash /= UInt64(Self.alphabet.count)
        }
        return text
    }
}
