import Kubernetes
import Standalone
import Testing

@Suite struct SelectorTests {
    @Test(arguments: [
        ("a=b", true), ("a==b", true), ("a!=b", false), ("a=c", false), ("a", true), ("!a", false), ("z", false),
        ("!z", true), ("z!=b", true), ("a in (b,c)", true), ("a in (c)", false), ("a notin (b)", false),
        ("z notin (b)", true), ("a=b,x.io/y=1", true), ("a=b,x.io/y in (2, 1)", true), ("a=b,!a", false), ("", true),
    ])
    func labelsAreSelected(text: String, matches: Bool) throws {
        let selector = try #require(LabelSelector(text))
        #expect(selector.matches(["a": "b", "x.io/y": "1"]) == matches)
    }

    @Test(arguments: ["a in b", "a like (b)", "=b", "a=b c", "a b"])
    func nonsenseIsRefused(text: String) {
        #expect(LabelSelector(text) == nil)
    }

    @Test func fieldsAreSelected() throws {
        let selector = try #require(FieldSelector("metadata.name=a,metadata.namespace!=b"))
        #expect(selector.matches(name: "a", namespace: "c"))
        #expect(!selector.matches(name: "a", namespace: "b"))
        #expect(!selector.matches(name: "x", namespace: "c"))
        #expect(FieldSelector("status.phase=Running") == nil)
    }

    /// The examples of RFC 7386, appendix A.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
        (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func mergePatchFollowsItsStandard(target: String, patch: String, result: String) throws {
        let patched = MergePatch.apply(try JSONValue(parsing: patch.utf8), to: try JSONValue(parsing: target.utf8))
        #expect(patched == (try JSONValue(parsing: result.utf8)))
    }
}
