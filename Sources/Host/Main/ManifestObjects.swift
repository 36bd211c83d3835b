import Controller
import FoundationEssentials
import Kubernetes
import PluginHost
import Standalone

/// The objects of manifest files, decoded, with what a cluster adds to them.
struct ManifestObjects {
    private(set) var scaledJobs: [(object: ScaledJob, source: String)] = []
    private var authentications: AuthenticationStore
    /// Whether the cluster-object namespace was named, and is no guess.
    private let knowsClusterNamespace: Bool
    /// Whether a cluster was asked for what the files don't have.
    private var isComplete = false
    /// Values of Secrets that no API server would take.
    private(set) var unusable: [ManifestProblem] = []
    private var secrets = SecretStore()
    private var known: Set<ObjectKey> = []
    private var configMaps = ReferencedData(.configMap)
    private var knownConfigMaps: Set<ObjectKey> = []

    init(_ manifests: [Manifest], clusterNamespace: String?) throws {
        self.authentications = AuthenticationStore(clusterNamespace: clusterNamespace ?? Self.usualClusterNamespace)
        self.knowsClusterNamespace = clusterNamespace != nil
        for manifest in manifests {
            let object = Self.placed(manifest)
            switch manifest.resource {
            case .scaledJobs: self.scaledJobs.append((try Self.decode(object), manifest.source))
            case .triggerAuthentications:
                let authentication: TriggerAuthentication = try Self.decode(object)
                self.authentications.upsert(authentication)
            case .clusterTriggerAuthentications:
                let authentication: ClusterTriggerAuthentication = try Self.decode(object)
                self.authentications.upsert(authentication)
            case .secrets: self.add(secret: object, from: manifest.source)
            case .configMaps: self.add(configMap: object)
            default: break
            }
        }
    }

    /// Adds what the cluster has and the files don't.
    mutating func complete(from api: any KubernetesAPI) async throws(KubernetesError) {
        self.isComplete = true
        for (scaledJob, _) in self.scaledJobs {
            for trigger in ScaledJobSpecification.triggers(of: scaledJob) {
                guard let reference = trigger.authentication,
                    self.authentications.find(reference, from: scaledJob.key.namespace) == nil
                else { continue }
                let isNamespaced = reference.kind == .namespaced
                let found = try await Self.get(
                    isNamespaced ? .triggerAuthentications : .clusterTriggerAuthentications,
                    ObjectKey(namespace: isNamespaced ? scaledJob.key.namespace : "", name: reference.name),
                    api
                )
                guard let found else { continue }
                if isNamespaced, let authentication: TriggerAuthentication = try? Self.decode(found) {
                    self.authentications.upsert(authentication)
                } else if let authentication: ClusterTriggerAuthentication = try? Self.decode(found) {
                    self.authentications.upsert(authentication)
                }
            }
            let needs = self.check(offers: [:]).needs(of: scaledJob)
            for key in needs.secrets where !self.known.contains(key) {
                if let secret = try await Self.get(.secrets, key, api) { self.add(secret: secret) }
            }
            for key in needs.configMaps where !self.knownConfigMaps.contains(key) {
                if let configMap = try await Self.get(.configMaps, key, api) { self.add(configMap: configMap) }
            }
        }
    }

    /// The check, with every Secret and ConfigMap that was not found counted as missing, or taken for granted where no
    /// cluster was asked.
    func check(offers: [String: TriggerTypeOffer]) -> ManifestCheck {
        var check = ManifestCheck(
            authentications: self.authentications,
            secrets: self.secrets,
            configMaps: self.configMaps,
            offers: offers
        )
        let absent: ReferencedData.Entry = self.isComplete ? .missing : .assumed
        for (scaledJob, _) in self.scaledJobs {
            let needs = check.needs(of: scaledJob)
            for key in needs.secrets.subtracting(self.known) { _ = check.sources.secrets.set(key, to: absent) }
            for key in needs.configMaps.subtracting(self.knownConfigMaps) {
                _ = check.sources.configMaps.set(key, to: absent)
            }
        }
        return check
    }

    /// What was taken for granted, or guessed, about a ScaledJob.
    func assumptions(of scaledJob: ScaledJob) -> [Problem] {
        var problems: [Problem] = []
        let needs = self.check(offers: [:]).needs(of: scaledJob)
        if !self.isComplete {
            let mend = "is not in these files; add --kubeconfig to look into the cluster"
            problems += needs.secrets.subtracting(self.known).map { Problem("Secret \($0)", mend) }
            problems += needs.configMaps.subtracting(self.knownConfigMaps).map { Problem("ConfigMap \($0)", mend) }
            problems.sort { $0.field < $1.field }
        }
        let triggers = ScaledJobSpecification.triggers(of: scaledJob)
        if !self.knowsClusterNamespace, triggers.contains(where: { $0.authentication?.kind == .cluster }),
            !needs.secrets.isEmpty || !needs.configMaps.isEmpty
        {
            let message =
                "what it names is looked for in namespace \(Self.usualClusterNamespace); say with --cluster-namespace where it is"
            problems.append(Problem("ClusterTriggerAuthentication", message))
        }
        return problems
    }

    /// Where KEDA is usually installed.
    private static let usualClusterNamespace = "keda"

    private mutating func add(secret: JSONValue, from source: String? = nil) {
        let namespace = secret[path: "metadata", "namespace"]?.stringValue ?? "default"
        let key = ObjectKey(namespace: namespace, name: secret[path: "metadata", "name"]?.stringValue ?? "")
        var data: [String: [UInt8]] = [:]
        func complain(_ field: String, _ message: String) {
            guard let source else { return }
            self.unusable.append(ManifestProblem("\(source): Secret \(key): \(field.prefix(100)): \(message)"))
        }
        for (name, value) in (secret["data"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            data[name] = value.stringValue.flatMap { Data(base64Encoded: $0) }.map(Array.init)
            if data[name] == nil { complain("data.\(name)", "is not base64; encode it, or write it under stringData") }
        }
        for (name, value) in (secret["stringData"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            data[name] = value.stringValue.map { Array($0.utf8) }
            if data[name] == nil { complain("stringData.\(name)", "is not text; put it in quotes") }
        }
        self.known.insert(key)
        _ = self.secrets.set(key, to: .present(data))
    }

    private mutating func add(configMap: JSONValue) {
        let key = ObjectKey(
            namespace: configMap[path: "metadata", "namespace"]?.stringValue ?? "default",
            name: configMap[path: "metadata", "name"]?.stringValue ?? ""
        )
        let data = (configMap["data"]?.objectValue ?? [:]).compactMapValues { $0.stringValue.map { Array($0.utf8) } }
        self.knownConfigMaps.insert(key)
        _ = self.configMaps.set(key, to: .present(data))
    }

    /// With the namespace that a manifest without one means, and a UID, as a stored object would have.
    private static func placed(_ manifest: Manifest) -> JSONValue {
        var object = manifest.object
        var metadata = object["metadata"] ?? .object([:])
        if manifest.resource.isNamespaced, metadata["namespace"] == nil { metadata["namespace"] = "default" }
        if metadata["uid"] == nil { metadata["uid"] = "00000000-0000-0000-0000-000000000000" }
        object["metadata"] = metadata
        return object
    }

    private static func decode<Object: Decodable>(_ value: JSONValue) throws -> Object {
        try JSONDecoder().decode(Object.self, from: Data(try value.encoded()))
    }

    private static func get(
        _ resource: APIResource,
        _ key: ObjectKey,
        _ api: any KubernetesAPI
    ) async throws(KubernetesError) -> JSONValue? {
        do throws(KubernetesError) {
            let namespace = resource.isNamespaced ? key.namespace : nil
            let body = try await api.send(APIRequest(.get, resource, namespace: namespace, name: key.name))
            return try? JSONValue(parsing: body)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }
}
