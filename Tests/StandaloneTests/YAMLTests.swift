import Kubernetes
import Testing

@Suite struct YAMLTests {
    private static let scalars: [(String, JSONValue)] = [
        ("yes", .bool(true)), ("Off", .bool(false)), ("n", .bool(false)), ("true", .bool(true)),
        ("\"yes\"", .string("yes")), ("'1'", .string("1")), ("!!str 1", .string("1")), ("!!float 1", .double(1)),
        ("1", .integer(1)), ("-17", .integer(-17)), ("0x1F", .integer(31)), ("010", .integer(8)),
        ("0b101", .integer(5)),
        ("1_000", .integer(1000)), ("1.5", .double(1.5)), ("1e3", .double(1000)), (".5", .double(0.5)),
        ("09", .double(9)), ("1.2.3", .string("1.2.3")), ("2001-12-14", .string("2001-12-14")),
        ("12:30", .string("12:30")), ("~", .null), ("null", .null), ("100m", .string("100m")), ("+", .string("+")),
        ("0x", .string("0x")), ("--5", .string("--5")), ("|\n 1", .string("1")), ("\n- a", .array([.string("a")])),
    ]

    @Test(arguments: YAMLTests.scalars)
    func scalarIsReadLikeKubectlDoes(text: String, value: JSONValue) throws {
        #expect(try YAML.parse("value: " + text)["value"] == value)
    }

    @Test func keysBecomeStrings() throws {
        let value = try YAML.parse("1: a\nyes: b\n\"no\": c\n")
        #expect(value == ["1": "a", "true": "b", "no": "c"])
    }

    @Test func documentsAreNumberedAndEmptyOnesLeftOut() throws {
        let documents = try YAML.documents("a: 1\n---\n# nothing\n---\n\nb: 2\n")
        #expect(documents.map(\.number) == [1, 3])
        #expect(documents.map(\.line) == [1, 6])
    }

    @Test func jsonIsRead() throws {
        #expect(
            try YAML.parse(#"{"a": [1, "2", null, true], "b": "x\ny"}"#) == ["a": [1, "2", .null, true], "b": "x\ny"]
        )
    }

    @Test func mergeKeysFillInWhatIsMissing() throws {
        let value = try YAML.parse("base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n")
        #expect(value["other"] == ["a": 1, "b": 3])
    }

    @Test(arguments: [
        ("a: 1\na: 2\n", 1), ("a: [1\nb: 2\n", 2), ("a: .inf\n", 1), ("a: *missing\n", 1),
        ("ok: 1\n---\na:\n\t- 1\n", 2),
        ("[1]: 2", 1), ("a: !!int x", 1),
    ])
    func failureNamesTheDocument(text: String, document: Int) throws {
        let failure = #expect(throws: YAML.Failure.self) { try YAML.documents(text) }
        #expect(failure?.line != nil)
        #expect(text.contains("---") ? failure?.document == 2 : failure?.document == 1)
    }

    @Test func aliasesCannotExpandWithoutBound() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(throws: YAML.Failure.self) { try YAML.parse(text) }
    }

    /// What would exhaust the stack, the memory or the patience of whoever reads it.
    private static let bombs: [(name: String, text: String)] = {
        func levels(_ count: Int, _ line: (Int) -> String) -> String {
            (1...count).map(line).joined(separator: "\n") + "\n"
        }
        func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
        let collections = "a0: &a0 [x]\n" + levels(40) { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }
        return [
            ("brackets", repeated("[", 100_000)), ("balanced brackets", repeated("[", 900) + repeated("]", 900)),
            ("mappings", repeated("{a: ", 900) + "1" + repeated("}", 900)),
            ("lists in a line", repeated("- ", 100_000)), ("explicit keys", repeated("? ", 100_000)),
            ("indentation", levels(2_000) { repeated(" ", $0) + "a:" }),
            ("deep but allowed indentation", levels(900) { repeated(" ", $0) + "a:" }),
            (
                "indentation after unusual line ends",
                (1...1_400).map { repeated(" ", $0) + "a:" }.joined(separator: "\u{2028}")
            ),
            ("empty merges", "a0: &a0 {}\n" + levels(40) { "a\($0): &a\($0) {<<: [*a\($0 - 1), *a\($0 - 1)]}" }),
            ("a collection as a key", collections + "? *a40\n: x\n"), ("an alias as a key", collections + "*a40 : x\n"),
            ("a list of aliases as a key", collections + "{[*a40, *a40]: x}\n"),
            ("a long text again and again", "a: &a \(repeated("x", 1 << 20))\nb: [" + repeated("*a,", 10_000) + "]\n"),
            ("many documents", repeated("a: &a [1,1,1,1,1,1,1,1,1]\nb: [" + repeated("*a,", 9_000) + "]\n---\n", 20)),
        ]
    }()

    @Test(.timeLimit(.minutes(1)), arguments: YAMLTests.bombs)
    func isRefusedSoon(name: String, text: String) {
        let start = ContinuousClock.now
        #expect(throws: YAML.Failure.self, "\(name)") { try YAML.documents(text) }
        #expect(ContinuousClock.now - start < .seconds(20), "\(name)")
    }

    /// Things that look a little like the bombs above.
    @Test(arguments: [
        "a: |\n  \(String(repeating: "${X}: [ {\n  ", count: 400))\n",
        "# \(String(repeating: "-", count: 2_000))\na: 1\n",
        "a: &a {x: 1}\nb: [\(String(repeating: "*a, ", count: 60))]\n", "a: \"* * * * *\"\nb: why ? because\n",
        "- - - - a\n", "a: \"\(String(repeating: "- ", count: 400))\"\n",
    ])
    func isRead(text: String) throws {
        #expect(try !YAML.documents(text).isEmpty)
    }
}
