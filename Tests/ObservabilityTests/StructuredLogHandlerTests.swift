import Logging
import Testing

@testable import Observability

@Suite struct StructuredLogHandlerTests {
    private func line(_ format: StructuredLogHandler.Format, _ facts: [String: String]) -> String {
        StructuredLogHandler.line(
            format: format,
            time: "2026-01-02T03:04:05.000006Z",
            level: .info,
            label: "sluice",
            message: "decided",
            facts: facts
        )
    }

    @Test func textPutsFactsInOrderAfterTheMessage() {
        #expect(
            self.line(.text, ["b": "2", "a": "one two"])
                == "2026-01-02T03:04:05.000006Z info    decided a=\"one two\" b=2"
        )
    }

    @Test func aFactCannotBreakOutOfItsLine() {
        let line = self.line(.text, ["a": "x\ny\" b=\u{1b}[31m", "empty": ""])
        #expect(!line.contains("\n"))
        #expect(!line.contains("\u{1b}"))
        #expect(line.hasSuffix("empty=\"\""))
    }

    @Test func jsonIsOneObjectWhoseOwnKeysCannotBeReplaced() {
        #expect(
            self.line(.json, ["level": "fake", "scaledjob": "a/b"])
                == #"{"level":"info","logger":"sluice","message":"decided","scaledjob":"a/b","#
                + #""time":"2026-01-02T03:04:05.000006Z"}"#
        )
    }
}
