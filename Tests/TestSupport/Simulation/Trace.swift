/// What happened, in words and as a number that is the same for the same run.
struct Trace {
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var lines: [String] = []
    private let keeps: Bool
    private let start: ContinuousClock.Instant
    static let longest = 400

    init(keeps: Bool, start: ContinuousClock.Instant) {
        self.keeps = keeps
        self.start = start
    }

    mutating func mix(_ number: UInt64) {
        self.hash = (self.hash ^ number) &* 0x100_0000_01b3
        self.hash ^= self.hash >> 29
    }

    mutating func mix(_ text: some Sequence<UInt8>) {
        for byte in text { self.hash = (self.hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    mutating func step(_ entry: Agenda.Entry) {
        let components = (entry.at - self.start).components
        self.mix(UInt64(bitPattern: components.seconds &* 1_000_000_000 &+ components.attoseconds / 1_000_000_000))
        self.mix(UInt64(entry.label.utf8CodeUnitCount) << 8 | UInt64((entry.process?.host ?? -1) + 1))
    }

    /// Notes a line; the words are made only where somebody will read them.
    mutating func note(_ now: ContinuousClock.Instant, _ place: @autoclosure () -> String, _ words: () -> String) {
        guard self.keeps else { return }
        let components = (now - self.start).components
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        let fraction = String(milliseconds % 1000)
        let time = "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
        if self.lines.count >= 2 * Self.longest { self.lines.removeFirst(Self.longest) }
        self.lines.append("\(String(repeating: " ", count: max(0, 8 - time.count)))\(time)  \(place()): \(words())")
    }
}
