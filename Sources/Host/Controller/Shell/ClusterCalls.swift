internal import FoundationEssentials
import Kubernetes
import Scaling

/// Turns the machine's actions into calls to the cluster, and their ends into inputs.
struct ClusterCalls: Sendable {
    private static let callTimeout = Duration.seconds(15)
    /// The server gives up a create before the client does, so that an unanswered one is over when it is repeated.
    private static let serverTimeout = QueryItem("timeout", "10s")
    private static let fieldManager = QueryItem("fieldManager", "sluice")

    let api: any KubernetesAPI

    func perform(_ action: ControllerAction) async -> ControllerInput? {
        switch action {
        case .createJob(let job, let template):
            let outcome = await self.create(job.key, template, extra: [])
            return .jobCreated(job, outcome)
        case .tryTemplate(let owner, let revision, let key, let template):
            let outcome = await self.create(key, template, extra: [QueryItem("dryRun", "All")])
            return .templateTried(owner: owner, revision: revision, outcome)
        case .lookUpJob(let job):
            return .jobLookedUp(job, await self.lookUp(job.key))
        case .deleteJob(let job):
            return .jobDeleted(job, await self.delete(job.key))
        case .writeStatus(let owner, let key, let patch):
            return .statusWritten(owner: owner, await self.writeStatus(key, patch))
        case .recordEvent(let event):
            await self.record(event)
            return nil
        case .setTrigger, .removeTrigger, .measure, .watchSecrets, .watchConfigMaps, .fetchCredential, .log:
            return nil
        }
    }

    private func create(
        _ key: ObjectKey,
        _ template: JobTemplate,
        extra: [QueryItem]
    ) async -> ControllerInput.Outcome<Void> {
        await self.send(
            APIRequest(
                .create,
                .jobs,
                namespace: key.namespace,
                query: [Self.fieldManager, Self.serverTimeout] + extra,
                body: template.body(name: key.name),
                timeout: Self.callTimeout,
                lane: .create
            )
        )
        .map { _ in }
    }

    private func lookUp(_ key: ObjectKey) async -> ControllerInput.Outcome<JobSummary?> {
        let request = APIRequest(
            .get,
            .jobs,
            namespace: key.namespace,
            name: key.name,
            timeout: Self.callTimeout,
            lane: .create
        )
        switch await self.send(request) {
        case .failure(let error) where error.code == .notFound: return .success(nil)
        case .failure(let error): return .failure(error)
        case .success(let body):
            do {
                return .success(JobSummary(try JSONDecoder().decode(Job.self, from: Data(body))))
            } catch {
                return .failure(KubernetesError(.malformed, "the API server's Job cannot be read"))
            }
        }
    }

    private func delete(_ key: ObjectKey) async -> ControllerInput.Outcome<Void> {
        let options: JSONValue = ["apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"]
        return await self.send(
            APIRequest(
                .delete,
                .jobs,
                namespace: key.namespace,
                name: key.name,
                body: try? options.encoded(),
                timeout: Self.callTimeout,
                lane: .delete
            )
        )
        .map { _ in }
    }

    private func writeStatus(_ key: ObjectKey, _ patch: JSONValue) async -> ControllerInput.Outcome<Void> {
        await self.send(
            APIRequest(
                .mergePatch,
                .scaledJobs,
                namespace: key.namespace,
                name: key.name,
                subresource: "status",
                query: [Self.fieldManager],
                body: try? patch.encoded(),
                timeout: Self.callTimeout,
                lane: .status
            )
        )
        .map { _ in }
    }

    /// Events are told once: one that cannot be stored is lost, as everywhere in Kubernetes.
    private func record(_ event: EventRecord) async {
        let now = UnixTime.nowMicroseconds()
        let suffix = String(UInt64(bitPattern: now), radix: 16) + String(UInt16.random(in: 0...UInt16.max), radix: 16)
        let content: JSONValue = [
            "apiVersion": .string(APIResource.events.apiVersion),
            "kind": .string(APIResource.events.kind),
            "metadata": [
                "name": .string("\(event.scaledJob.name.prefix(200)).\(suffix)"),
                "namespace": .string(event.scaledJob.namespace),
            ],
            "eventTime": .string(KubernetesTime(microsecondsSinceEpoch: now).microTime),
            "reportingController": "sluice",
            "reportingInstance": "sluice",
            "action": .string(event.reason),
            "reason": .string(event.reason),
            "note": .string(event.note),
            "type": .string(event.kind.rawValue),
            "regarding": [
                "apiVersion": .string(ScaledJob.resource.apiVersion),
                "kind": .string(ScaledJob.resource.kind),
                "namespace": .string(event.scaledJob.namespace),
                "name": .string(event.scaledJob.name),
                "uid": .string(event.uid),
            ],
        ]
        _ = await self.send(
            APIRequest(
                .create,
                .events,
                namespace: event.scaledJob.namespace,
                body: try? content.encoded(),
                timeout: Self.callTimeout,
                lane: .status
            )
        )
    }

    private func send(_ request: APIRequest) async -> ControllerInput.Outcome<[UInt8]> {
        do throws(KubernetesError) {
            return .success(try await self.api.send(request))
        } catch {
            return .failure(error)
        }
    }
}
