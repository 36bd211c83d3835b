import Controller
import Kubernetes
import Testing

/// Table N: the environment of the container, and `$(NAME)` in it.
@Suite struct EnvironmentTable {
    enum Expected: Sendable {
        case value(String)
        case absent
        case error(String)
    }

    struct Row: ConformanceRow {
        var id: String
        var difference: String? = nil
        var container: JSONValue
        var containerName: String? = nil
        var isRestricted = false
        var variable = "B"
        var expected: Expected
    }

    static let rows: [Row] = [
        Row(id: "N1", container: ["env": Self.env(("A", "v"), ("B", "$(A)-x"))], expected: .value("v-x")),
        Row(id: "N3", container: ["env": Self.env(("B", "$(A)-x"), ("A", "v"))], expected: .value("$(A)-x")),
        Row(id: "N4", container: ["env": Self.env(("A", "v"), ("B", "$$(A)-x"))], expected: .value("$(A)-x")),
        Row(id: "N6", container: ["env": Self.env(("A", "v"), ("B", "$(A-x"))], expected: .value("$(A-x")),
        Row(
            id: "N7",
            container: ["envFrom": [["configMapRef": ["name": "gone"]]]],
            expected: .error("ConfigMap shop/gone does not exist")
        ),
        Row(
            id: "N9",
            container: ["envFrom": [["secretRef": ["name": "gone", "optional": false]]]],
            expected: .error("Secret shop/gone does not exist")
        ),
        Row(
            id: "N10",
            container: ["envFrom": [["secretRef": ["name": "gone", "optional": true]]]],
            expected: .absent
        ),
        Row(id: "N12", container: ["env": [Self.secretKey("gone", "k", optional: true)]], expected: .absent),
        Row(
            id: "N13",
            difference: "a variable that is asked for and may not be read is a problem that says so, not just absent",
            container: ["env": [Self.secretKey("keys", "B", optional: false)]],
            isRestricted: true,
            expected: .error("reads Secrets in namespace sluice only")
        ),
        Row(
            id: "N15",
            container: ["envFrom": [["prefix": "PREFIX_", "secretRef": ["name": "keys"]]]],
            variable: "PREFIX_B",
            expected: .value("secret")
        ),
        Row(
            id: "N16",
            container: ["env": [["name": "B", "valueFrom": ["fieldRef": ["fieldPath": "spec.nodeName"]]]]],
            expected: .absent
        ),
        Row(
            id: "N18",
            container: ["env": Self.env(("B", "v"))],
            containerName: "other",
            expected: .error("\"other\" is not a container of the Job template; it has main")
        ),
    ]

    @Test(arguments: Self.rows)
    func row(_ row: Row) { Self.check(row) }

    /// What the table implies beyond the rows that it shows.
    static let further: [Row] = [
        Row(
            id: "the other half of N12",
            container: ["env": [Self.secretKey("gone", "k", optional: false)]],
            expected: .error("Secret shop/gone does not exist")
        ),
        Row(
            id: "the other half of N13",
            container: ["envFrom": [["secretRef": ["name": "keys"]]]],
            isRestricted: true,
            expected: .error("reads Secrets in namespace sluice only")
        ),
        Row(id: "a key that is missing", container: ["env": [Self.secretKey("keys", "nope")]], expected: .value("")),
        Row(id: "neither value nor valueFrom", container: ["env": [["name": "B"]]], expected: .value("")),
        Row(
            id: "env over envFrom, whatever comes first",
            container: ["env": Self.env(("B", "mine")), "envFrom": [["secretRef": ["name": "keys"]]]],
            expected: .value("mine")
        ),
        Row(
            id: "the later envFrom",
            container: [
                "envFrom": [["configMapRef": ["name": "settings"]], ["secretRef": ["name": "keys"]]]
            ],
            expected: .value("secret")
        ),
        Row(
            id: "a variable of envFrom in a value",
            container: ["envFrom": [["secretRef": ["name": "keys"]]], "env": Self.env(("C", "<$(B)>"))],
            variable: "C",
            expected: .value("<secret>")
        ),
        Row(
            id: "a ConfigMap's key",
            container: [
                "env": [["name": "B", "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "B"]]]]
            ],
            expected: .value("plain")
        ),
        Row(
            id: "a dollar with two characters after it",
            container: ["env": Self.env(("A", "v"), ("B", "x$$y"))],
            expected: .value("x$$y")
        ),
        Row(
            id: "a dollar with three characters after it",
            container: ["env": Self.env(("A", "v"), ("B", "$$xy"))],
            expected: .value("$xy")
        ),
        Row(
            id: "a reference at the end",
            container: ["env": Self.env(("A", "v"), ("B", "-$(A)"))],
            expected: .value("-v")
        ),
        Row(
            id: "an empty name",
            container: ["env": Self.env(("A", "v"), ("B", "$()"))],
            expected: .value("$()")
        ),
    ]

    @Test(arguments: Self.further)
    func furtherRow(_ row: Row) { Self.check(row) }

    private static func check(_ row: Row) {
        var container = row.container
        container["name"] = "main"
        let environment = ContainerEnvironment(
            jobTargetRef: ["template": ["spec": ["containers": [container]]]],
            containerName: row.containerName,
            namespace: "shop",
            secretRule: SecretRule(isRestricted: row.isRestricted, clusterNamespace: "sluice")
        )
        var found = Lookup.absent
        switch environment.resolve(Self.sources) {
        case .variables(let variables, let otherwise): found = variables[row.variable] ?? otherwise
        case .problem(let problem): found = .problem(problem)
        case .waiting(let what): found = .waiting(what)
        }
        switch (row.expected, found) {
        case (.value(let expected), .text(let text)): #expect(text == expected)
        case (.absent, .absent): break
        case (.error(let part), .problem(let problem)): #expect(problem.description.contains(part), "\(problem)")
        default: Issue.record("\(row.id): \(found)")
        }
    }

    private static var sources: ParameterSources {
        var sources = ParameterSources()
        _ = sources.secrets.set(ObjectKey(namespace: "shop", name: "keys"), to: .present(["B": Array("secret".utf8)]))
        _ = sources.configMaps.set(
            ObjectKey(namespace: "shop", name: "settings"),
            to: .present(["B": Array("plain".utf8)])
        )
        _ = sources.secrets.set(ObjectKey(namespace: "shop", name: "gone"), to: .missing)
        _ = sources.configMaps.set(ObjectKey(namespace: "shop", name: "gone"), to: .missing)
        return sources
    }

    private static func env(_ entries: (String, String)...) -> JSONValue {
        .array(entries.map { ["name": .string($0.0), "value": .string($0.1)] })
    }

    private static func secretKey(_ name: String, _ key: String, optional: Bool? = nil) -> JSONValue {
        var reference: JSONValue = ["name": .string(name), "key": .string(key)]
        if let optional { reference["optional"] = .bool(optional) }
        return ["name": "B", "valueFrom": ["secretKeyRef": reference]]
    }
}
