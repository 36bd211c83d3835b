import Kubernetes
import PluginProtocol
import Testing

@testable import Controller

@Suite struct ParameterResolverTests {
    static let declaration = TriggerTypeDeclaration(
        type: "queue",
        help: "A queue.",
        parameters: [
            ParameterDeclaration("host", required: true, from: [.authentication, .metadata], help: "The host."),
            ParameterDeclaration("target", .number, default: "5", help: "The target."),
            ParameterDeclaration("filter", .jsonObject, help: "The filter."),
            ParameterDeclaration("mode", .oneOf(["a", "b"]), help: "The mode."),
            ParameterDeclaration(
                "password",
                secret: true,
                from: [.authentication, .environment],
                help: "The password."
            ),
        ]
    )

    static let jobTargetRef: JSONValue = [
        "template": [
            "spec": [
                "containers": [
                    [
                        "name": "main",
                        "env": [
                            ["name": "USER", "value": "me"], ["name": "URL", "value": "$(USER)@$(NOPE)$$(USER)"],
                            ["name": "PASS", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "pass"]]],
                            ["name": "NODE", "valueFrom": ["fieldRef": ["fieldPath": "spec.nodeName"]]],
                        ],
                        "envFrom": [["prefix": "X_", "secretRef": ["name": "more"]]],
                    ]
                ]
            ]
        ]
    ]

    func resolve(
        _ metadata: [String: String],
        authentication: JSONValue? = nil,
        secrets entries: [String: SecretStore.Entry] = [:]
    ) -> ParameterResolver.Resolution {
        var authentications = AuthenticationStore(clusterNamespace: "sluice")
        if let authentication {
            authentications.upsert(
                TriggerAuthentication(
                    metadata: ObjectMetadata(name: "login", namespace: "shop"),
                    spec: authentication
                )
            )
        }
        var secrets = SecretStore()
        for (name, entry) in entries { _ = secrets.set(ObjectKey(namespace: "shop", name: name), to: entry) }
        return ParameterResolver(
            trigger: TriggerManifest(
                type: "queue",
                metadata: metadata,
                authentication: authentication == nil
                    ? nil : TriggerManifest.AuthenticationReference(kind: .namespaced, name: "login")
            ),
            index: 1,
            namespace: "shop",
            jobTargetRef: Self.jobTargetRef
        )
        .resolve(Self.declaration, authentications: authentications, sources: ParameterSources(secrets: secrets))
    }

    func problems(_ resolution: ParameterResolver.Resolution) -> [String] {
        guard case .problems(let problems) = resolution else { return [] }
        return problems.map(\.description)
    }

    @Test func defaultsAreAppliedAndUndeclaredKeysLeftOut() {
        #expect(
            self.resolve(["host": " h ", "unknown": "x", "mode": ""]) == .resolved(["host": "h", "target": "5"])
        )
    }

    @Test func theDeclaredOrderOfSourcesDecides() {
        let authentication: JSONValue = ["secretTargetRef": [["parameter": "host", "name": "s", "key": "k"]]]
        #expect(
            self.resolve(
                ["host": "metadata"],
                authentication: authentication,
                secrets: ["s": .present(["k": Array("secret".utf8)])]
            ) == .resolved(["host": "secret", "target": "5"])
        )
    }

    @Test func allProblemsOfATriggerAreToldTogetherWithFieldValueAndMend() {
        let told = self.problems(self.resolve(["target": "five", "filter": "{bad", "mode": "c"]))
        #expect(told.count == 4)
        #expect(told[0].hasPrefix("spec.triggers[1].metadata.host: is missing; give it through authenticationRef"))
        #expect(told[1].contains("\"five\" is not a number"))
        #expect(told[2].contains("\"{bad\" is not JSON"))
        #expect(told[3].contains("\"c\" is not one of a, b"))
    }

    @Test func aMissingSecretOrKeyIsNamed() {
        let authentication: JSONValue = ["secretTargetRef": [["parameter": "host", "name": "s", "key": "k"]]]
        #expect(
            self.resolve([:], authentication: authentication) == .waiting("Secret shop/s is being read")
        )
        #expect(
            self.problems(self.resolve([:], authentication: authentication, secrets: ["s": .missing]))
                == [
                    "spec.triggers[1].authenticationRef: Secret shop/s does not exist; create it with the key \"k\""
                ]
        )
        #expect(
            self.problems(self.resolve([:], authentication: authentication, secrets: ["s": .present([:])]))
                == ["spec.triggers[1].authenticationRef: Secret shop/s has no key \"k\"; add it"]
        )
    }

    @Test func variablesComeFromTheContainer() {
        let secrets: [String: SecretStore.Entry] = [
            "keys": .present(["pass": Array("p".utf8)]), "more": .present(["TOKEN": Array("t".utf8)]),
        ]
        func password(_ variable: String) -> ParameterResolver.Resolution {
            self.resolve(["host": "h", "passwordFromEnv": variable], secrets: secrets)
        }
        #expect(password("PASS") == .resolved(["host": "h", "target": "5", "password": "p"]))
        #expect(password("X_TOKEN") == .resolved(["host": "h", "target": "5", "password": "t"]))
        #expect(password("URL") == .resolved(["host": "h", "target": "5", "password": "me@$(NOPE)$(USER)"]))
        #expect(password("NOWHERE") == .resolved(["host": "h", "target": "5"]))
        #expect(password("NODE") == .resolved(["host": "h", "target": "5"]))
    }

    @Test func aSecretValueThatIsWrongIsNotShown() {
        let declaration = TriggerTypeDeclaration(
            type: "queue",
            help: "",
            parameters: [ParameterDeclaration("port", .integer, secret: true, help: "")]
        )
        let resolution = ParameterResolver(
            trigger: TriggerManifest(type: "queue", metadata: ["port": "hunter2"], authentication: nil),
            index: 0,
            namespace: "shop",
            jobTargetRef: [:]
        )
        .resolve(declaration, authentications: AuthenticationStore(clusterNamespace: "x"), sources: ParameterSources())
        let told = self.problems(resolution)
        #expect(told.count == 1)
        #expect(!told[0].contains("hunter2"))
    }

    /// A key of a Secret that feeds the wrong parameter is secret all the same.
    @Test func onlyValuesFromMetadataAreShown() {
        let declaration = TriggerTypeDeclaration(
            type: "queue",
            help: "",
            parameters: [
                ParameterDeclaration("port", .integer, from: [.authentication, .metadata, .environment], help: "")
            ]
        )
        func told(_ metadata: [String: String], _ authentication: JSONValue? = nil) -> [String] {
            var authentications = AuthenticationStore(clusterNamespace: "x")
            authentications.upsert(
                TriggerAuthentication(metadata: ObjectMetadata(name: "login", namespace: "shop"), spec: authentication)
            )
            var secrets = SecretStore()
            _ = secrets.set(
                ObjectKey(namespace: "shop", name: "s"),
                to: .present(["k": Array("hunter2".utf8), "pass": Array("hunter2".utf8)])
            )
            let template: JSONValue = [
                "template": [
                    "spec": [
                        "containers": [
                            [
                                "name": "main",
                                "env": [
                                    ["name": "P", "valueFrom": ["secretKeyRef": ["name": "s", "key": "pass"]]]
                                ],
                            ]
                        ]
                    ]
                ]
            ]
            let resolution = ParameterResolver(
                trigger: TriggerManifest(
                    type: "queue",
                    metadata: metadata,
                    authentication: authentication.map { _ in .init(kind: .namespaced, name: "login") }
                ),
                index: 0,
                namespace: "shop",
                jobTargetRef: template
            )
            .resolve(declaration, authentications: authentications, sources: ParameterSources(secrets: secrets))
            return self.problems(resolution)
        }
        let reference: JSONValue = ["secretTargetRef": [["parameter": "port", "name": "s", "key": "k"]]]
        let objection = "is not a whole number; write one such as 5"
        #expect(told([:], reference) == ["spec.triggers[0].metadata.port: its value \(objection)"])
        #expect(told(["portFromEnv": "P"]) == ["spec.triggers[0].metadata.port: its value \(objection)"])
        #expect(told(["port": "five"]) == ["spec.triggers[0].metadata.port: \"five\" \(objection)"])
    }

    @Test func aVariableThatIsNotThereIsNamedWhereThatIsAsked() {
        func told(_ variable: String) -> [String] {
            var resolver = ParameterResolver(
                trigger: TriggerManifest(type: "queue", metadata: ["host": "h", "passwordFromEnv": variable]),
                index: 0,
                namespace: "shop",
                jobTargetRef: Self.jobTargetRef
            )
            resolver.namesAbsentVariables = true
            var secrets = SecretStore()
            _ = secrets.set(ObjectKey(namespace: "shop", name: "keys"), to: .present(["pass": [0x70]]))
            _ = secrets.set(ObjectKey(namespace: "shop", name: "more"), to: .present([:]))
            return self.problems(
                resolver.resolve(
                    Self.declaration,
                    authentications: AuthenticationStore(clusterNamespace: "x"),
                    sources: ParameterSources(secrets: secrets)
                )
            )
        }
        #expect(told("PASS").isEmpty)
        #expect(
            told("NOPE") == [
                "spec.triggers[0].metadata.passwordFromEnv: the variable \"NOPE\" is not in container \"main\" of the Job "
                    + "template; add it there, or correct the name"
            ]
        )
        #expect(told("NODE").first?.contains("\"NODE\" in container \"main\" of the Job template has no value") == true)
    }

    @Test func sourcesThatAreNotOfferedAreRefusedAndNotLeftOut() {
        let told = self.problems(
            self.resolve(["host": "h"], authentication: ["azureKeyVault": ["vaultUri": "x"]])
        )
        #expect(told.count == 1)
        #expect(told[0].contains("azureKeyVault: is not offered; have the External Secrets Operator"))
    }
}
