package import Controller
package import Kubernetes

/// Asks the API server whether it would take the Job of a ScaledJob; nothing is stored.
package struct TemplateTrial: Sendable {
    private let api: any KubernetesAPI
    private let version: String
    private let timeout: Duration

    /// The timeout leaves room within the ten seconds that the API server gives a webhook.
    package init(api: any KubernetesAPI, version: String, timeout: Duration = .seconds(4)) {
        self.api = api
        self.version = version
        self.timeout = timeout
    }

    package func findings(in object: JSONValue, namespace: String) async -> [Finding] {
        let metadata = ObjectMetadata(
            name: object[path: "metadata", "name"]?.stringValue ?? "trial",
            namespace: object[path: "metadata", "namespace"]?.stringValue ?? namespace,
            uid: object[path: "metadata", "uid"]?.stringValue ?? "00000000-0000-0000-0000-000000000000",
            labels: object[path: "metadata", "labels"]?.objectValue?.compactMapValues(\.stringValue),
            annotations: object[path: "metadata", "annotations"]?.objectValue?.compactMapValues(\.stringValue)
        )
        return await self.findings(in: ScaledJob(metadata: metadata, spec: object["spec"]))
    }

    package func findings(in scaledJob: ScaledJob) async -> [Finding] {
        let field = "spec.jobTargetRef"
        guard let trial = try? ManifestCheck.trial(scaledJob, version: self.version) else { return [] }
        do throws(KubernetesError) {
            _ = try await self.api.send(
                APIRequest(
                    .create,
                    .jobs,
                    namespace: trial.key.namespace,
                    query: [QueryItem("dryRun", "All")],
                    body: trial.body,
                    timeout: self.timeout
                )
            )
            return []
        } catch {
            switch error.code {
            case .invalid: return [Finding(.refusal, field, error.message)]
            // A quota that is used up now, or a namespace that is not there yet, is no fault of the template.
            case .forbidden, .notFound: return [Finding(.advice, field, "a Job would be refused now: \(error.message)")]
            default: return [Finding(.unchecked, field, "could not be tried at the API server: \(error.message)")]
            }
        }
    }
}
