import Controller
import Kubernetes
import PluginProtocol
import Testing

/// Table P: where the value of a parameter is looked for, and how it is read.
@Suite struct ParameterTable {
    enum Expected: Sendable {
        case value(String)
        case error(String)
        case durations([String: Duration])
        case integers([Int])
    }

    struct Row: ConformanceRow {
        var id: String
        var declared: ParameterDeclaration
        var metadata: [String: String]
        var variables: [String: String] = [:]
        var expected: Expected
    }

    static let rows: [Row] = [
        Row(
            id: "P1",
            declared: ParameterDeclaration("p", from: [.environment, .metadata], help: ""),
            metadata: ["p": "value1"],
            variables: ["p": "value2"],
            expected: .value("value1")
        ),
        Row(
            id: "P3",
            declared: ParameterDeclaration("p", .number, from: [.environment, .metadata], help: ""),
            metadata: ["p": "1.1", "pFromEnv": "p"],
            variables: ["p": "2.2"],
            expected: .value("2.2")
        ),
        Row(
            id: "P4",
            declared: ParameterDeclaration("p", required: true, help: ""),
            metadata: [:],
            expected: .error("metadata.p: is missing")
        ),
        Row(
            id: "P6",
            declared: ParameterDeclaration("p", .duration, help: ""),
            metadata: [:],
            expected: .durations(["1000": .seconds(1), "30s": .seconds(30), "0": .zero])
        ),
        Row(
            id: "P7",
            declared: ParameterDeclaration("p", help: ""),
            metadata: ["p": "1, 2, 3"],
            expected: .integers([1, 2, 3])
        ),
        Row(
            id: "P9",
            declared: ParameterDeclaration("p", .oneOf(["value1", "value2"]), help: ""),
            metadata: ["p": "value3"],
            expected: .error("\"value3\" is not one of value1, value2")
        ),
        Row(
            id: "P10",
            declared: ParameterDeclaration("p", aliases: ["q"], help: ""),
            metadata: ["q": "second"],
            expected: .value("second")
        ),
    ]

    @Test(arguments: Self.rows)
    func row(_ row: Row) {
        switch row.expected {
        case .value(let value): #expect(Self.resolve(row, row.metadata) == .resolved(["p": value]))
        case .error(let part):
            guard case .problems(let problems) = Self.resolve(row, row.metadata) else {
                Issue.record("no problem")
                return
            }
            #expect(problems.count == 1)
            #expect(problems.first?.description.contains(part) == true, "\(problems)")
        case .durations(let durations):
            for (text, duration) in durations {
                #expect(Self.resolve(row, ["p": text]) == .resolved(["p": text]))
                #expect(ParameterText(text).duration == duration)
            }
            #expect(Self.resolve(row, ["p": "-1s"]) != .resolved(["p": "-1s"]))
        case .integers(let numbers):
            guard case .resolved(let values) = Self.resolve(row, row.metadata) else {
                Issue.record("not resolved")
                return
            }
            #expect(ParameterText(values["p"] ?? "").integers() == numbers)
        }
    }

    @Test func aValueOfBlanksIsAbsentInEverySource() {
        let row = Row(
            id: "",
            declared: ParameterDeclaration("p", default: "d", from: [.metadata, .environment], help: ""),
            metadata: ["p": "  ", "pFromEnv": "p"],
            variables: ["p": "\t"],
            expected: .value("d")
        )
        #expect(Self.resolve(row, row.metadata) == .resolved(["p": "d"]))
    }

    @Test func aVariableCountsOnlyForParametersThatListIt() {
        let row = Row(
            id: "",
            declared: ParameterDeclaration("p", from: [.metadata, .authentication], help: ""),
            metadata: ["pFromEnv": "p"],
            variables: ["p": "v"],
            expected: .value("")
        )
        #expect(Self.resolve(row, row.metadata) == .resolved([:]))
    }

    @Test func listsTakeRangesWhereTheyMay() {
        #expect(ParameterText("1, 3-5").integers(ranges: true) == [1, 3, 4, 5])
        #expect(ParameterText("1, 3-5").integers() == nil)
        #expect(ParameterText("a;b ").list(separatedBy: ";") == ["a", "b"])
    }

    private static func resolve(_ row: Row, _ metadata: [String: String]) -> ParameterResolver.Resolution {
        let env = row.variables.map { JSONValue.object(["name": .string($0.key), "value": .string($0.value)]) }
        return ParameterResolver(
            trigger: TriggerManifest(type: "t", metadata: metadata, authentication: nil),
            index: 0,
            namespace: "shop",
            jobTargetRef: ["template": ["spec": ["containers": [["name": "main", "env": .array(env)]]]]]
        )
        .resolve(
            TriggerTypeDeclaration(type: "t", help: "", parameters: [row.declared]),
            authentications: AuthenticationStore(clusterNamespace: "sluice"),
            sources: ParameterSources()
        )
    }
}
