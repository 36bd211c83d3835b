import Controller
import Testing

@Suite struct PlainLineTests {
    @Test func whatMovesTheCursorIsWrittenOut() {
        #expect("a\u{1b}[31mb\nc\td\r".plainLine == "a\\u{1b}[31mb\\nc\\td\\r")
        #expect("a\u{202e}b\u{2028}c\u{9b}d".plainLine == "a\\u{202e}b\\u{2028}c\\u{9b}d")
        #expect("größer: \"é\" \\ 日本".plainLine == "größer: \"é\" \\ 日本")
    }
}
