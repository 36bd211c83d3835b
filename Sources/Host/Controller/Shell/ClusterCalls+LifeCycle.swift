internal import FoundationEssentials
import Kubernetes

extension ClusterCalls {
    /// Compares a Job with a template: as it is written first, then as the server would store it now.
    func compare(
        _ key: ObjectKey,
        uid: String,
        trial: ObjectKey,
        _ template: JobTemplate,
        _ comparison: TemplateComparison
    ) async -> ControllerInput.Outcome<TemplateComparison.Verdict> {
        switch await self.json(self.reading(key)) {
        case .failure(let error) where error.code == .notFound: return .success(.unsure("it is gone"))
        case .failure(let error): return .failure(error)
        case .success(let job):
            guard job[path: "metadata", "uid"] == .string(uid), let spec = job["spec"] else {
                return .success(.unsure("it is another Job of the same name"))
            }
            let verdict = comparison.verdict(on: spec)
            guard case .different = verdict else { return .success(verdict) }
            return await self.json(self.creation(trial, template, extra: [QueryItem("dryRun", "All")]))
                .map { comparison.verdict(on: spec, tried: $0["spec"]) }
        }
    }

    func delete(_ key: ObjectKey, _ deletion: JobDeletion) async -> ControllerInput.Outcome<Void> {
        var options: JSONValue = [
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": deletion.propagation == .foreground ? "Foreground" : "Background",
        ]
        if !deletion.uid.isEmpty { options["preconditions"] = ["uid": .string(deletion.uid)] }
        return await self.send(
            APIRequest(
                .delete,
                .jobs,
                namespace: key.namespace,
                name: key.name,
                body: try? options.encoded(),
                timeout: Self.callTimeout
            )
        )
        .map { _ in }
    }

    /// Takes one entry out of the list, and only if nobody has changed the object since.
    func removeFinalizer(_ reference: FinalizerReference) async -> ControllerInput.Outcome<Void> {
        let patch: JSONValue = [
            "metadata": [
                "uid": .string(reference.uid),
                "resourceVersion": .string(reference.resourceVersion),
                "finalizers": .array(reference.others.map(JSONValue.string)),
            ]
        ]
        return await self.send(
            APIRequest(
                .mergePatch,
                reference.resource,
                namespace: reference.resource.isNamespaced ? reference.key.namespace : nil,
                name: reference.key.name,
                query: [Self.fieldManager],
                body: try? patch.encoded(),
                timeout: Self.callTimeout
            )
        )
        .map { _ in }
    }

    private func json(_ request: APIRequest) async -> ControllerInput.Outcome<JSONValue> {
        await self.send(request).flatMap { body in
            (try? JSONValue(parsing: body)).map(Result.success)
                ?? .failure(KubernetesError(.malformed, "the API server's Job cannot be read"))
        }
    }
}
