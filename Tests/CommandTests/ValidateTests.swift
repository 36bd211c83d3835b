import Kubernetes
import PluginPeers
import Subprocess
import SystemPackage
import Testing

/// `sluice validate` as a person runs it, with the plugin for MongoDB beside it and no cluster.
@Suite struct ValidateTests {
    struct Outcome {
        let status: TerminationStatus
        let output: String
        let error: String

        var isFine: Bool { self.status.isSuccess }
    }

    static func sluice(_ arguments: [String], input: String = "") async throws -> Outcome {
        let result = try await Subprocess.run(
            .path(FilePath(builtExecutable("sluice"))),
            arguments: Arguments(arguments),
            environment: .inherit.updating(["KEDA_CLUSTER_OBJECT_NAMESPACE": ""]),
            input: .array(Array(input.utf8)),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        return Outcome(
            status: result.terminationStatus,
            output: result.standardOutput,
            error: result.standardError
        )
    }

    private func validate(_ objects: JSONValue..., with arguments: [String] = []) async throws -> Outcome {
        let texts = try objects.map { String(decoding: try $0.encoded(), as: UTF8.self) }
        return try await Self.sluice(["validate", "-"] + arguments, input: texts.joined(separator: "\n---\n"))
    }

    private static func scaledJob(
        type: String = "mongodb",
        _ metadata: JSONValue = [:],
        authentication: JSONValue? = nil
    ) -> JSONValue {
        var all = metadata.objectValue ?? [:]
        if type == "mongodb" {
            let usual: [String: JSONValue] = [
                "dbName": "d", "collection": "c", "query": "{\"a\":1}", "queryValue": "1",
            ]
            all.merge(usual) { own, _ in own }
        }
        var trigger: JSONValue = ["type": .string(type), "metadata": .object(all)]
        trigger["authenticationRef"] = authentication
        return [
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": ["name": "a"],
            "spec": [
                "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "main:1"]]]]],
                "triggers": [trigger],
            ],
        ]
    }

    private static func authentication(_ spec: JSONValue, kind: String = "TriggerAuthentication") -> JSONValue {
        ["apiVersion": "keda.sh/v1alpha1", "kind": .string(kind), "metadata": ["name": "login"], "spec": spec]
    }

    private static let secretTarget: JSONValue = [
        "secretTargetRef": [["parameter": "connectionString", "name": "s", "key": "k"]]
    ]

    private static func secret(_ namespace: String, _ data: JSONValue = ["stringData": ["k": "mongodb://h"]])
        -> JSONValue
    {
        var secret: JSONValue = [
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "namespace": .string(namespace)],
        ]
        for (key, value) in data.objectValue ?? [:] { secret[key] = value }
        return secret
    }

    @Test func aBudgetIsChecked() async throws {
        func budget(_ spec: JSONValue) -> JSONValue {
            ["apiVersion": "sluice.dev/v1alpha1", "kind": "JobBudget", "metadata": ["name": "gpus"], "spec": spec]
        }
        let fine = try await self.validate(budget(["maxResources": ["nvidia.com/gpu": 8]]))
        #expect(fine.isFine && !fine.output.contains("warning"), "\(fine.output)")
        let bad = try await self.validate(budget(["maxRunningJobs": "8"]))
        #expect(!bad.isFine)
        #expect(
            bad.output.contains("spec.maxRunningJobs: \"8\" is not a whole number; write 0 or more"),
            "\(bad.output)"
        )
        var scaledJob = Self.scaledJob()
        scaledJob["metadata"] = ["name": "a", "annotations": ["sluice.dev/max-jobs-per-batch": "0"]]
        let annotated = try await self.validate(scaledJob)
        #expect(annotated.output.contains("metadata.annotations.sluice.dev/max-jobs-per-batch: \"0\" is not a whole"))
    }

    @Test(arguments: [
        (["--max-running-jobs", "-1"], "--max-running-jobs: -1 is too small; write 0 or more"),
        (["--max-jobs-per-batch", "0"], "--max-jobs-per-batch: 0 is too small; write 1 or more"),
        (["--max-jobs-per-second", "0"], "--max-jobs-per-second: 0.0 is not a number greater than 0"),
        (["--max-resources", "cpu=many"], "'cpu=many' is invalid for '--max-resources <name=amount,…>'"),
    ])
    func aLimitOfTheHostThatIsNoneIsRefused(arguments: [String], message: String) async throws {
        for command in [["host"], ["run", "none.yaml"]] {
            // A negative number needs the sign of equality, as everywhere.
            let joined = ["\(arguments[0])=\(arguments[1])"]
            let outcome = try await Self.sluice(command + joined)
            #expect(!outcome.isFine)
            #expect(outcome.error.contains(message), "\(outcome.error)")
        }
    }

    @Test func aSecretThatIsNotInTheFilesIsAWarning() async throws {
        let scaledJob = Self.scaledJob(authentication: ["name": "login"])
        let without = try await self.validate(scaledJob, Self.authentication(Self.secretTarget))
        #expect(without.isFine, "\(without.output)")
        #expect(
            without.output.contains(
                "warning: Secret default/s: is not in these files; add --kubeconfig to look into the cluster"
            )
        )
        let with = try await self.validate(
            scaledJob,
            Self.authentication(Self.secretTarget),
            Self.secret("default")
        )
        #expect(with.isFine && !with.output.contains("warning"), "\(with.output)")
        let other = try await self.validate(
            scaledJob,
            Self.authentication(Self.secretTarget),
            Self.secret("default", ["stringData": ["other": "x"]])
        )
        #expect(!other.isFine && other.output.contains("Secret default/s has no key \"k\""), "\(other.output)")
    }

    @Test func valuesOfASecretThatCannotBeAreNamedAndNotShown() async throws {
        let outcome = try await self.validate(
            Self.secret("default", ["data": ["k": "98765432109!"], "stringData": ["n": 98_765_432_109]])
        )
        #expect(!outcome.isFine)
        #expect(outcome.output.contains("Secret default/s: data.k: is not base64"))
        #expect(outcome.output.contains("Secret default/s: stringData.n: is not text"))
        #expect(!outcome.output.contains("98765432109"))
    }

    @Test func secretsOfAClusterAuthenticationAreInTheNamespaceThatIsNamed() async throws {
        let kind = "ClusterTriggerAuthentication"
        let scaledJob = Self.scaledJob(authentication: ["name": "login", "kind": .string(kind)])
        let authentication = Self.authentication(Self.secretTarget, kind: kind)
        let named = try await self.validate(
            scaledJob,
            authentication,
            Self.secret("vaults"),
            with: ["--cluster-namespace", "vaults"]
        )
        #expect(named.isFine && !named.output.contains("warning"), "\(named.output)")
        let guessed = try await self.validate(scaledJob, authentication, Self.secret("vaults"))
        #expect(guessed.isFine)
        #expect(guessed.output.contains("Secret keda/s: is not in these files"), "\(guessed.output)")
        #expect(guessed.output.contains("say with --cluster-namespace where it is"), "\(guessed.output)")
    }

    @Test func aTypeThatNoPluginOffersIsAProblem() async throws {
        let outcome = try await self.validate(Self.scaledJob(type: "kafka"))
        #expect(!outcome.isFine)
        #expect(
            outcome.output.contains(
                "spec.triggers[0].type: \"kafka\" is unknown: no plugin offers it here, only mongodb; correct it, install its "
                    + "plugin, or leave this ScaledJob to KEDA"
            ),
            "\(outcome.output)"
        )
        #expect(outcome.output.split(separator: "\n").count == 1)
    }

    @Test func aPluginThatIsNotThereIsAnError() async throws {
        let outcome = try await self.validate(Self.scaledJob(), with: ["--plugin", "/nope"])
        #expect(!outcome.isFine)
        #expect(outcome.error.contains("--plugin: \"/nope\" is not an executable file"), "\(outcome.error)")
    }

    @Test func variablesThatAreNotThereAreProblems() async throws {
        let direct = try await self.validate(Self.scaledJob(["connectionStringFromEnv": "NOPE"]))
        #expect(!direct.isFine)
        #expect(
            direct.output.contains("connectionStringFromEnv: the variable \"NOPE\" is not in container \"main\""),
            "\(direct.output)"
        )
        let through = try await self.validate(
            Self.scaledJob(authentication: ["name": "login"]),
            Self.authentication(["env": [["parameter": "connectionString", "name": "NOPE"]]])
        )
        #expect(!through.isFine)
        #expect(through.output.contains("env: the variable \"NOPE\" is not in container \"main\""), "\(through.output)")
    }

    @Test func whatIsPrintedStaysOnItsLine() async throws {
        let outcome = try await self.validate(
            Self.scaledJob(type: "a\u{1b}[31mb\nall.yaml: 1 ScaledJob is valid")
        )
        #expect(!outcome.isFine)
        #expect(!outcome.output.contains("\u{1b}") && outcome.output.split(separator: "\n").count == 1)
        let situation =
            "{\"scaledJob\": {\"kind\": \"a\\u001b[31m\\nb\"}, \"triggers\": [], \"jobs\": {\"running\": 0}}"
        let decided = try await Self.sluice(["decide", "-"], input: situation)
        #expect(!decided.isFine && !decided.error.contains("\u{1b}"))
        #expect(decided.error.split(separator: "\n").count == 1, "\(decided.error)")
    }

    @Test func aTypeOfMetadataIsToldOnceAndWithoutItsValue() async throws {
        let outcome = try await self.validate(
            Self.scaledJob(["queryValue": 98_765_432_109, "connectionString": "mongodb://h"])
        )
        #expect(!outcome.isFine && outcome.output.split(separator: "\n").count == 1, "\(outcome.output)")
        #expect(outcome.output.contains("metadata.queryValue: is a number; put it in quotes"))
        #expect(!outcome.output.contains("98765432109"))
    }
}
