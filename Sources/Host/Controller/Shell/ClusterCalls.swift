internal import FoundationEssentials
import Kubernetes
import Scaling

/// Turns the machine's actions into calls to the cluster, and their ends into inputs.
struct ClusterCalls: Sendable {
    static let callTimeout = Duration.seconds(15)
    /// The server gives up a create before the client does, so that an unanswered one is over when it is repeated.
    private static let serverTimeout = QueryItem("timeout", "10s")
    static let fieldManager = QueryItem("fieldManager", "sluice")

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
        case .deleteJob(let job, let deletion):
            return .jobDeleted(job, await self.delete(job.key, deletion))
        case .compareTemplate(let job, let uid, let trial, let template, let comparison):
            let outcome = await self.compare(job.key, uid: uid, trial: trial, template, comparison)
            return .templateCompared(job, uid: uid, hash: template.hash, outcome)
        case .removeFinalizer(let reference):
            return .finalizerRemoved(reference, await self.removeFinalizer(reference))
        case .writeStatus(let owner, let key, let patch):
            return .statusWritten(owner: owner, await self.writeStatus(key, patch))
        case .writeAuthenticationStatus(let id, let scaledJobs):
            return .authenticationStatusWritten(id, scaledJobs: scaledJobs, await self.writeStatus(id, scaledJobs))
        case .writeBudgetStatus(let name, let patch):
            let key = ObjectKey(namespace: "", name: name)
            return .budgetStatusWritten(name, await self.patchStatus(.jobBudgets, key, patch))
        case .setTrigger, .removeTrigger, .measure, .measureItems, .watchSecrets, .watchConfigMaps, .watchPods,
            .watchNamespaces,
            .fetchCredential,
            .recordEvent, .log:
            return nil
        }
    }

    private func create(
        _ key: ObjectKey,
        _ template: JobTemplate,
        extra: [QueryItem]
    ) async -> ControllerInput.Outcome<Void> {
        await self.send(self.creation(key, template, extra: extra)).map { _ in }
    }

    func creation(_ key: ObjectKey, _ template: JobTemplate, extra: [QueryItem]) -> APIRequest {
        APIRequest(
            .create,
            .jobs,
            namespace: key.namespace,
            query: [Self.fieldManager, Self.serverTimeout] + extra,
            body: template.body(name: key.name),
            timeout: Self.callTimeout
        )
    }

    func reading(_ key: ObjectKey) -> APIRequest {
        APIRequest(.get, .jobs, namespace: key.namespace, name: key.name, timeout: Self.callTimeout)
    }

    private func lookUp(_ key: ObjectKey) async -> ControllerInput.Outcome<JobSummary?> {
        switch await self.send(self.reading(key)) {
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

    private func writeStatus(_ key: ObjectKey, _ patch: JSONValue) async -> ControllerInput.Outcome<Void> {
        await self.patchStatus(.scaledJobs, key, patch)
    }

    private func writeStatus(
        _ authentication: AuthenticationID,
        _ scaledJobs: String?
    ) async -> ControllerInput.Outcome<Void> {
        let patch: JSONValue = ["status": ["scaledjobs": scaledJobs.map(JSONValue.string) ?? .null]]
        return await self.patchStatus(authentication.kind.resource, authentication.key, patch)
    }

    private func patchStatus(
        _ resource: APIResource,
        _ key: ObjectKey,
        _ patch: JSONValue
    ) async -> ControllerInput.Outcome<Void> {
        await self.send(
            APIRequest(
                .mergePatch,
                resource,
                namespace: resource.isNamespaced ? key.namespace : nil,
                name: key.name,
                subresource: "status",
                query: [Self.fieldManager],
                body: try? patch.encoded(),
                timeout: Self.callTimeout
            )
        )
        .map { _ in }
    }

    /// Stores an Event, or the count of one that is stored already.
    ///
    /// Events are told once: one that cannot be stored is lost, as everywhere in Kubernetes.
    func record(_ event: EventRecord) async {
        let now = KubernetesTime(microsecondsSinceEpoch: UnixTime.nowMicroseconds()).microTime
        if let count = event.count {
            let series: JSONValue = ["count": .integer(Int64(count)), "lastObservedTime": .string(now)]
            let request = APIRequest(
                .mergePatch,
                .events,
                namespace: event.namespace,
                name: event.name,
                body: try? JSONValue.object(["series": series]).encoded(),
                timeout: Self.callTimeout
            )
            guard case .failure(let error) = await self.send(request), error.code == .notFound else { return }
            // It has expired meanwhile: told anew.
        }
        _ = await self.send(
            APIRequest(
                .create,
                .events,
                namespace: event.namespace,
                body: try? Self.content(event, at: now).encoded(),
                timeout: Self.callTimeout
            )
        )
    }

    private static func content(_ event: EventRecord, at now: String) -> JSONValue {
        let object = event.regarding
        var regarding: JSONValue = [
            "apiVersion": .string(object.resource.apiVersion),
            "kind": .string(object.resource.kind),
            "name": .string(object.key.name),
            "uid": .string(object.uid),
        ]
        if !object.key.namespace.isEmpty { regarding["namespace"] = .string(object.key.namespace) }
        return [
            "apiVersion": .string(APIResource.events.apiVersion),
            "kind": .string(APIResource.events.kind),
            "metadata": ["name": .string(event.name), "namespace": .string(event.namespace)],
            "eventTime": .string(now),
            "reportingController": .string(event.reason.reportingController),
            "reportingInstance": "sluice",
            "action": .string(event.action),
            "reason": .string(event.reason.rawValue),
            "note": .string(event.note),
            "type": .string(event.kind.rawValue),
            "regarding": regarding,
        ]
    }

    func send(_ request: APIRequest) async -> ControllerInput.Outcome<[UInt8]> {
        do throws(KubernetesError) {
            return .success(try await self.api.send(request))
        } catch {
            return .failure(error)
        }
    }
}
