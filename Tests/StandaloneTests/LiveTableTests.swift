import Standalone
import Testing

@Suite struct LiveTableTests {
    private let rows = [
        StatusRow(
            namespace: "default",
            name: "transcode",
            waiting: 1234,
            running: 5,
            done: 17,
            failed: 2,
            cleaned: 19,
            decision: "5 Jobs run and 5 are the most that may, so nothing is created until one of them ends"
        ),
        StatusRow(namespace: "a", name: "unknown", waiting: nil, decision: "hold"),
    ]

    @Test func eightyColumnsAreEnough() {
        let lines = LiveTable(width: 80).lines(self.rows)
        #expect(
            lines == [
                "SCALEDJOB          WAITING  RUNNING  DONE  FAILED  CLEANED  LAST DECISION",
                "a/unknown                ?        0     0       0        0  hold",
                "default/transcode     1234        5    17       2       19  5 Jobs run and 5 ar…",
            ]
        )
    }

    @Test(arguments: [20, 40, 80, 200])
    func noLineIsLongerThanTheWidth(width: Int) {
        var rows = self.rows
        rows.append(StatusRow(namespace: String(repeating: "n", count: 63), name: String(repeating: "j", count: 253)))
        for line in LiveTable(width: width).lines(rows) { #expect(line.count <= width) }
    }

    @Test func namesAndSentencesCannotSteerTheTerminal() {
        let row = StatusRow(namespace: "n", name: "a", decision: "x\u{1B}[2Jy\nz\u{9B}")
        let lines = LiveTable(width: 200).lines([row])
        #expect(lines[1].hasSuffix("x [2Jy z "))
    }
}
