import Controller
import Credentials
import Kubernetes
import PluginProtocol
import Testing

/// Table O: what authentications give to a trigger.
@Suite struct AuthenticationTable {
    enum Expected: Sendable {
        case parameters([String: String])
        case error(String)
    }

    struct Row: ConformanceRow {
        var id: String
        var difference: String? = nil
        var kind = TriggerManifest.AuthenticationKind.namespaced
        /// Nil for a trigger without an authentication.
        var spec: JSONValue?
        var secrets: [String: [String: String]] = [:]
        var configMaps: [String: [String: String]] = [:]
        var fetched: [CredentialRequest: FetchedCredentials.Entry] = [:]
        var isRestricted = false
        var fileRoot: String? = "/files"
        /// The host's own.
        var vaultToken: String? = nil
        var expected: Expected
    }

    private static let noGuessing =
        "what is missing is named and the trigger waits for it, instead of opening without it"

    static let rows: [Row] = [
        Row(id: "O1", expected: .parameters([:])),
        Row(
            id: "O3",
            difference: Self.noGuessing,
            spec: Self.host("login"),
            expected: .error("Secret my-app/login does not exist; create it with the key \"host\"")
        ),
        Row(
            id: "O4",
            spec: Self.host("login"),
            secrets: ["my-app/login": ["host": "h"]],
            expected: .parameters(["host": "h"])
        ),
        Row(
            id: "O6",
            spec: [
                "secretTargetRef": [["parameter": "host", "name": "login", "key": "host"]],
                "configMapTargetRef": [["parameter": "port", "name": "settings", "key": "port"]],
            ],
            secrets: ["my-app/login": ["host": "h"]],
            configMaps: ["my-app/settings": ["port": "1"]],
            expected: .parameters(["host": "h", "port": "1"])
        ),
        Row(
            id: "O7",
            spec: [
                "secretTargetRef": [["parameter": "host", "name": "login", "key": "host"]],
                "configMapTargetRef": [["parameter": "host", "name": "settings", "key": "host"]],
            ],
            secrets: ["my-app/login": ["host": "secret"]],
            configMaps: ["my-app/settings": ["host": "plain"]],
            expected: .parameters(["host": "secret"])
        ),
        Row(
            id: "O9",
            spec: ["boundServiceAccountToken": [["parameter": "token", "serviceAccountName": "reader"]]],
            fetched: [Self.token("my-app"): .known(FetchedCredential(["token": "jwt"]))],
            expected: .parameters(["token": "jwt"])
        ),
        Row(
            id: "O10",
            difference: Self.noGuessing,
            kind: .cluster,
            spec: Self.host("login"),
            expected: .error("Secret sluice/login does not exist")
        ),
        Row(
            id: "O12",
            difference: Self.noGuessing,
            kind: .cluster,
            spec: Self.host("login"),
            secrets: ["my-app/login": ["host": "h"]],
            expected: .error("Secret sluice/login does not exist")
        ),
        Row(
            id: "O13",
            kind: .cluster,
            spec: ["boundServiceAccountToken": [["parameter": "token", "serviceAccountName": "reader"]]],
            fetched: [Self.token("sluice"): .known(FetchedCredential(["token": "jwt"]))],
            expected: .parameters(["token": "jwt"])
        ),
        Row(
            id: "O15",
            difference: "pod identities are refused with a message, because nothing could be done with them",
            kind: .cluster,
            spec: ["podIdentity": ["provider": "gcp"]],
            expected: .error("spec.podIdentity.provider: \"gcp\" is not offered")
        ),
        Row(
            id: "O16",
            kind: .cluster,
            spec: ["filePath": "team/a.json", "secretTargetRef": [["parameter": "x", "name": "n", "key": "k"]]],
            fetched: [.file("/files/team/a.json"): .known(FetchedCredential(["host": "h", "port": "1"]))],
            expected: .parameters(["host": "h", "port": "1"])
        ),
        Row(
            id: "O18",
            kind: .cluster,
            spec: ["filePath": "../a.json"],
            expected: .error("\"../a.json\" must be relative and without \"..\"")
        ),
        Row(
            id: "O19",
            difference:
                "a tenant can't name the host's Secrets: the authentication is refused and the way out is named",
            spec: Self.host("login"),
            secrets: ["sluice/login": ["host": "the operator's"]],
            isRestricted: true,
            expected: .error("Secret my-app/login is not read: this host reads Secrets in namespace sluice only")
        ),
        Row(
            id: "O21",
            kind: .cluster,
            spec: ["env": [["parameter": "host", "name": "HOST"]]],
            secrets: ["my-app/keys": ["host": "from the workload"], "sluice/keys": ["host": "wrong"]],
            expected: .parameters(["host": "from the workload"])
        ),
    ]

    @Test(arguments: Self.rows)
    func row(_ row: Row) { Self.check(row) }

    /// What the table implies beyond the rows that it shows.
    static let further: [Row] = [
        Row(id: "O18, absolute", kind: .cluster, spec: ["filePath": "/a"], expected: .error("must be relative")),
        Row(
            id: "O18, no root",
            kind: .cluster,
            spec: ["filePath": "a"],
            fileRoot: nil,
            expected: .error("start it with --auth-file-root")
        ),
        Row(
            id: "O18, no file",
            kind: .cluster,
            spec: ["filePath": "a"],
            fetched: [
                .file("/files/a"): .failed(CredentialFailure("the file /files/a does not exist", isRefusal: true))
            ],
            expected: .error("the file /files/a does not exist")
        ),
        Row(
            id: "a file for a namespaced authentication",
            spec: ["filePath": "a"],
            expected: .error("spec.filePath: is for a ClusterTriggerAuthentication only")
        ),
        Row(
            id: "a cluster authentication in restricted mode",
            kind: .cluster,
            spec: Self.host("login"),
            secrets: ["sluice/login": ["host": "h"]],
            isRestricted: true,
            expected: .parameters(["host": "h"])
        ),
        Row(
            id: "a ConfigMap over the environment",
            spec: [
                "env": [["parameter": "host", "name": "PLAIN"]],
                "configMapTargetRef": [["parameter": "host", "name": "settings", "key": "host"]],
            ],
            secrets: ["my-app/keys": [:]],
            configMaps: ["my-app/settings": ["host": "map"]],
            expected: .parameters(["host": "map"])
        ),
        Row(
            id: "a variable that the container does not have",
            difference: Self.noGuessing,
            spec: ["env": [["parameter": "host", "name": "NOPE"]]],
            secrets: ["my-app/keys": [:]],
            expected: .error("env: the variable \"NOPE\" is not in container")
        ),
        Row(
            id: "a container that is not there",
            spec: ["env": [["parameter": "host", "name": "HOST", "containerName": "side"]]],
            secrets: ["my-app/keys": [:]],
            expected: .error("\"side\" is not a container of the Job template")
        ),
        Row(
            id: "oauth2",
            spec: [
                "oauth2": [
                    "type": "clientCredentials", "clientId": "me", "tokenUrl": "https://id/token",
                    "scopes": ["a", "b"], "tokenUrlParams": ["b": "x y", "a": "1&2"],
                    "clientSecret": ["valueFrom": ["secretKeyRef": ["name": "login", "key": "secret"]]],
                ]
            ],
            secrets: ["my-app/login": ["secret": "s"]],
            expected: .parameters([
                "oauthTokenURI": "https://id/token", "clientID": "me", "clientSecret": "s", "scopes": "a,b",
                "endpointParams": "a=1%262&b=x+y",
            ])
        ),
        Row(
            id: "a member of a secret of AWS",
            spec: Self.aws(["parameter": "password", "name": "db", "secretKey": "pw"]),
            secrets: ["my-app/aws": ["id": "AKIA", "key": "k\n"]],
            fetched: [
                .aws(AWSSecretRequest(region: "eu-central-1", name: "db", accessKey: "AKIA", secretKey: "k")):
                    .known(FetchedCredential(["text": #"{"pw":"p"}"#]))
            ],
            expected: .parameters(["password": "p"])
        ),
        Row(
            id: "a pod identity of AWS",
            spec: ["awsSecretManager": ["podIdentity": ["provider": "aws"], "region": "eu-central-1", "secrets": []]],
            expected: .error("awsSecretManager.podIdentity.provider: \"aws\" is not offered")
        ),
        Row(
            id: "a key of Vault",
            spec: Self.vault(["authentication": "token", "credential": ["token": "t"]]),
            fetched: [
                Self.vaultRequest(.token("t")): .known(FetchedCredential(["pw": "p"]))
            ],
            expected: .parameters(["password": "p"])
        ),
        Row(
            id: "the host's own token wins for the cluster's authentications",
            kind: .cluster,
            spec: Self.vault(["authentication": "token", "credential": ["token": "t"]]),
            fetched: [Self.vaultRequest(.token("own")): .known(FetchedCredential(["pw": "p"]))],
            vaultToken: "own",
            expected: .parameters(["password": "p"])
        ),
        Row(
            id: "the host's own token does not go where a tenant wants it",
            spec: Self.vault(["authentication": "token", "credential": ["token": "t"]]),
            fetched: [Self.vaultRequest(.token("t")): .known(FetchedCredential(["pw": "p"]))],
            vaultToken: "own",
            expected: .parameters(["password": "p"])
        ),
        Row(
            id: "a key that Vault does not have",
            spec: Self.vault(["authentication": "token", "credential": ["token": "t"]]),
            fetched: [Self.vaultRequest(.token("t")): .known(FetchedCredential(["other": "p"]))],
            expected: .error("path \"kv/db\" of the Vault at https://vault:8200 has no key \"pw\"")
        ),
        Row(
            id: "the ServiceAccount of a Vault login is the ScaledJob's",
            kind: .cluster,
            spec: Self.vault([
                "authentication": "kubernetes", "role": "r", "mount": "m",
                "credential": ["serviceAccountName": "reader"],
            ]),
            fetched: [
                Self.vaultRequest(
                    .kubernetes(
                        role: "r",
                        mount: "m",
                        .serviceAccount(
                            ServiceAccountTokenRequest(
                                account: ObjectKey(namespace: "my-app", name: "reader"),
                                lifetime: .seconds(3600)
                            )
                        )
                    )
                ): .known(FetchedCredential(["pw": "p"]))
            ],
            expected: .parameters(["password": "p"])
        ),
        Row(
            id: "the host's own token for a server that a tenant names",
            spec: Self.vault(["authentication": "kubernetes", "role": "r", "mount": "m"]),
            expected: .error("would send this host's own token to https://vault:8200")
        ),
    ]

    @Test(arguments: Self.further)
    func furtherRow(_ row: Row) { Self.check(row) }

    private static func check(_ row: Row) {
        var rules = AuthenticationSettings()
        rules.restrictsSecrets = row.isRestricted
        rules.fileRoot = row.fileRoot
        rules.vaultToken = row.vaultToken
        var store = AuthenticationStore(clusterNamespace: "sluice", rules: rules)
        store.upsert(TriggerAuthentication(metadata: ObjectMetadata(name: "a", namespace: "my-app"), spec: row.spec))
        store.upsert(ClusterTriggerAuthentication(metadata: ObjectMetadata(name: "a"), spec: row.spec))
        let resolver = ParameterResolver(
            trigger: TriggerManifest(
                type: "t",
                metadata: [:],
                authentication: row.spec.map { _ in .init(kind: row.kind, name: "a") }
            ),
            index: 0,
            namespace: "my-app",
            jobTargetRef: Self.template
        )
        let needs = resolver.needs(store)
        var sources = ParameterSources()
        // Nothing but what was asked for is known.
        for key in needs.secrets {
            let data = row.secrets[key.description]?.mapValues { Array($0.utf8) }
            _ = sources.secrets.set(key, to: data.map { .present($0) } ?? .missing)
        }
        for key in needs.configMaps {
            let data = row.configMaps[key.description]?.mapValues { Array($0.utf8) }
            _ = sources.configMaps.set(key, to: data.map { .present($0) } ?? .missing)
        }
        for (request, entry) in row.fetched { _ = sources.credentials.set(request, to: entry) }
        var requests: Set<CredentialRequest> = []
        let resolution = resolver.resolve(
            Self.declaration,
            authentications: store,
            sources: sources,
            requests: &requests
        )
        #expect(Set(row.fetched.keys).isSubset(of: requests))
        switch (row.expected, resolution) {
        case (.parameters(let expected), .resolved(let values)): #expect(values == expected)
        case (.error(let part), .problems(let problems)):
            #expect(problems.contains { $0.description.contains(part) }, "\(problems)")
        default: Issue.record("\(row.id): \(resolution)")
        }
    }

    private static let declaration = TriggerTypeDeclaration(
        type: "t",
        help: "",
        parameters: [
            "host", "port", "token", "password", "x", "oauthTokenURI", "clientID", "clientSecret", "scopes",
            "endpointParams",
        ]
        .map { ParameterDeclaration($0, from: [.authentication], help: "") }
    )

    private static let template: JSONValue = [
        "template": [
            "spec": [
                "containers": [
                    [
                        "name": "main",
                        "env": [
                            ["name": "PLAIN", "value": "plain"],
                            ["name": "HOST", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "host"]]],
                        ],
                    ]
                ]
            ]
        ]
    ]

    private static func host(_ secret: String) -> JSONValue {
        ["secretTargetRef": [["parameter": "host", "name": .string(secret), "key": "host"]]]
    }

    private static func token(_ namespace: String) -> CredentialRequest {
        .serviceAccountToken(
            ServiceAccountTokenRequest(
                account: ObjectKey(namespace: namespace, name: "reader"),
                lifetime: .seconds(3600)
            )
        )
    }

    private static func aws(_ secret: JSONValue) -> JSONValue {
        func key(_ key: JSONValue) -> JSONValue { ["valueFrom": ["secretKeyRef": ["name": "aws", "key": key]]] }
        return [
            "awsSecretManager": [
                "region": "eu-central-1", "secrets": [secret],
                "credentials": ["accessKey": key("id"), "accessSecretKey": key("key")],
            ]
        ]
    }

    private static func vault(_ members: [String: JSONValue]) -> JSONValue {
        var vault = members
        vault["address"] = "https://vault:8200/"
        vault["secrets"] = [["parameter": "password", "path": "kv/db", "key": "pw"]]
        return ["hashiCorpVault": .object(vault)]
    }

    private static func vaultRequest(_ method: VaultLogin.Method) -> CredentialRequest {
        .vault(
            VaultRequest(
                login: VaultLogin(address: "https://vault:8200", namespace: nil, method: method),
                path: "kv/db",
                kind: .detected
            )
        )
    }
}
