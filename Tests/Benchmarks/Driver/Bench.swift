import Foundation
import Kubernetes
import MongoDB

/// The servers that all parts share, and what every part does with them.
struct Bench: Sendable {
    let kubeconfig: String
    let programs: String
    let logs: String
    let api: APIServerClient
    let push: Documents
    let polled: Documents

    static let namespaces = APIResource(
        group: "",
        version: "v1",
        plural: "namespaces",
        kind: "Namespace",
        isNamespaced: false
    )

    init(kubeconfig: String, programs: String, logs: String, pushPort: Int, polledPort: Int) throws {
        self.kubeconfig = kubeconfig
        self.programs = programs
        self.logs = logs
        self.api = try APIServerClient(.kubeconfig(kubeconfig, environment: [:]))
        self.push = Documents(port: pushPort)
        self.polled = Documents(port: polledPort)
    }

    func startHost(_ name: String, _ more: [String] = []) throws -> HostProcess {
        try HostProcess(
            programs: self.programs,
            kubeconfig: self.kubeconfig,
            log: "\(self.logs)/\(name).log",
            more: more
        )
    }

    func makeNamespace(_ name: String) async throws {
        let body: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
        _ = try await self.api.send(APIRequest(.create, Self.namespaces, body: body.encoded()))
    }

    func create(_ manifest: JSONValue, in namespace: String) async throws {
        let request = try APIRequest(.create, .scaledJobs, namespace: namespace, body: manifest.encoded())
        _ = try await self.api.send(request)
    }

    func deleteScaledJobs(in namespace: String) async throws {
        _ = try await self.api.send(APIRequest(.delete, .scaledJobs, namespace: namespace, timeout: .seconds(60)))
    }

    /// Deletes what Jobs are left; nothing else would, without a garbage collector.
    func deleteJobs(in namespace: String) async throws {
        let options: JSONValue = ["apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"]
        let request = try APIRequest(
            .delete,
            .jobs,
            namespace: namespace,
            body: options.encoded(),
            timeout: .seconds(120)
        )
        _ = try await self.api.send(request)
    }

    /// Says that a Job is complete, as the Job controller would.
    func finish(_ job: String, in namespace: String) async throws {
        let now = Date.now.formatted(.iso8601)
        let patch: JSONValue = [
            "status": [
                "succeeded": 1, "startTime": .string(now), "completionTime": .string(now),
                "conditions": [["type": "Complete", "status": "True", "lastTransitionTime": .string(now)]],
            ]
        ]
        let request = try APIRequest(
            .mergePatch,
            .jobs,
            namespace: namespace,
            name: job,
            subresource: "status",
            body: patch.encoded()
        )
        _ = try await self.api.send(request)
    }
}

/// A ScaledJob as a manifest, with a template of usual size.
struct ScaledJobManifest {
    var name: String
    var documents: Documents
    var collection: String
    var pollingInterval = 30
    var most = 100
    /// Jobs that succeeded and are not cleaned.
    var kept = 0

    var json: JSONValue {
        let container: JSONValue = [
            "name": "transcode", "image": "transcode-worker:latest", "imagePullPolicy": "IfNotPresent",
            "command": ["transcode-worker", "--dataBase=media", .string("--collection=\(self.collection)")],
            "env": [["name": "LANGUAGE", "value": "en"], ["name": "QUALITY", "value": "high"]],
            "resources": ["requests": ["cpu": "100m", "memory": "64Mi"], "limits": ["memory": "256Mi"]],
        ]
        let trigger: JSONValue = [
            "type": "mongodb",
            "metadata": [
                "connectionStringFromEnv": "MONGODB", "dbName": "media", "collection": .string(self.collection),
                "query": "{\"state\": \"waiting\"}", "queryValue": "1",
            ],
        ]
        var withConnection = container
        withConnection["env"] = .array(
            (container["env"]?.arrayValue ?? []) + [["name": "MONGODB", "value": .string(self.documents.uri)]]
        )
        return [
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": ["name": .string(self.name)],
            "spec": [
                "jobTargetRef": [
                    "backoffLimit": 1,
                    "template": ["spec": ["restartPolicy": "Never", "containers": [withConnection]]],
                ],
                "pollingInterval": .integer(Int64(self.pollingInterval)),
                "maxReplicaCount": .integer(Int64(self.most)),
                "successfulJobsHistoryLimit": .integer(Int64(self.kept)), "failedJobsHistoryLimit": 0,
                "triggers": [trigger],
            ],
        ]
    }
}
