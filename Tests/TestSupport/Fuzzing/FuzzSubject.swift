import Admission
import Controller
import Endpoints
import FoundationEssentials
import Kubernetes
import PluginHost
import PluginProtocol
import Standalone

/// Code that must answer whatever bytes come.
package struct FuzzSubject: Sendable {
    package let name: String
    /// How an input for it is made from a manifest.
    let wraps: @Sendable (JSONValue) -> JSONValue
    /// Runs it; throws what it must not have answered.
    let run: @Sendable ([UInt8]) async throws -> Void

    /// Every subject; what else reads what people write belongs here.
    package static let all: [FuzzSubject] = [validate, webhook, decide]

    /// An answer that must not be.
    struct WrongAnswer: Error, CustomStringConvertible {
        let description: String
    }

    /// What `sluice validate` does with a file.
    static let validate = FuzzSubject(name: "validate", wraps: { $0 }) { bytes in
        let found = Manifest.check(bytes, file: "fuzz")
        _ = Manifest.repetitions(in: found.manifests)
        var authentications = AuthenticationStore(clusterNamespace: "default")
        for manifest in found.manifests {
            switch manifest.resource {
            case .triggerAuthentications: authentications.upsert(try Self.decode(manifest) as TriggerAuthentication)
            case .clusterTriggerAuthentications:
                authentications.upsert(try Self.decode(manifest) as ClusterTriggerAuthentication)
            default: break
            }
        }
        let check = ManifestCheck(authentications: authentications, secrets: SecretStore(), offers: Self.offers)
        for manifest in found.manifests {
            if let kind = CheckedKind(rawValue: manifest.resource.kind) {
                _ = ManifestRules(offers: Self.offers).findings(in: manifest.object, of: kind).map(
                    \.problem.description
                )
            }
            guard manifest.resource == .scaledJobs else { continue }
            let scaledJob: ScaledJob = try Self.decode(manifest)
            _ = check.problems(of: scaledJob).map(\.description)
            _ = check.referencedSecrets(scaledJob)
            _ = try? ManifestCheck.trial(scaledJob, version: "1")
        }
    }

    /// What the webhook does with a body, on each of its paths.
    static let webhook = FuzzSubject(name: "webhook", wraps: FuzzSeeds.review) { bytes in
        let webhook = AdmissionWebhook(policy: AdmissionPolicy(), offers: { Self.offers })
        for kind in CheckedKind.allCases {
            let answer = await webhook.answer(EndpointRequest(method: "POST", path: kind.path, body: bytes))
            guard answer.status == 200 else {
                guard answer.status == 400 else { throw WrongAnswer(description: "status \(answer.status)") }
                continue
            }
            let review = try JSONValue(parsing: answer.body)
            guard review[path: "response", "uid"]?.stringValue != nil,
                review[path: "response", "allowed"]?.boolValue != nil
            else { throw WrongAnswer(description: String(decoding: answer.body, as: UTF8.self)) }
        }
    }

    /// What `sluice decide` does with a situation.
    static let decide = FuzzSubject(name: "decide", wraps: FuzzSeeds.situation) { bytes in
        guard case .success(let trial) = DecisionTrial.run(bytes) else { return }
        let answer = trial.json
        guard let create = answer["create"]?.integerValue, create >= 0, answer["reason"]?.stringValue != nil else {
            throw WrongAnswer(description: "\(answer)")
        }
        _ = try answer.encoded()
    }

    private static func decode<Object: Decodable>(_ manifest: Manifest) throws -> Object {
        var object = manifest.object
        object.metadata["uid"] = "0"
        return try JSONDecoder().decode(Object.self, from: Data(try object.encoded()))
    }

    /// Plugins whose declarations have every form.
    static let offers: [String: TriggerTypeOffer] = {
        let parameters = [
            ParameterDeclaration("address", required: true, from: [.metadata, .authentication], help: ""),
            ParameterDeclaration("target", .integer, default: "1", aliases: ["queueLength"], help: ""),
            ParameterDeclaration("filter", .jsonObject, help: ""),
            ParameterDeclaration("start", .string, help: ""), ParameterDeclaration("wait", .duration, help: ""),
            ParameterDeclaration("ratio", .number, help: ""), ParameterDeclaration("all", .boolean, help: ""),
            ParameterDeclaration("mode", .oneOf(["a", "b"]), help: ""),
            ParameterDeclaration(
                "password",
                required: true,
                secret: true,
                from: [.authentication, .environment, .metadata],
                help: ""
            ),
        ]
        let declaration = TriggerTypeDeclaration(type: "queue", help: "", parameters: parameters)
        return ["queue": TriggerTypeOffer(plugin: "queue", isConnected: true, declaration: declaration)]
    }()
}
