import Kubernetes
import NIOConcurrencyHelpers

/// Ends Jobs as the Job controller would report it, where there is no node.
struct Kubelet: Sendable {
    enum End: String { case complete = "Complete", failed = "Failed" }

    let client: APIServerClient
    let namespace: String

    /// Sets the condition of a Job, again and again while the API server cannot be reached.
    func end(_ job: String, _ end: End = .complete, at time: String? = nil) async throws {
        let time = time ?? "2026-01-01T00:00:00Z"
        let condition: JSONValue = [
            "type": .string(end.rawValue), "status": "True", "lastTransitionTime": .string(time),
            "lastProbeTime": .string(time),
        ]
        let patch: JSONValue = ["status": ["conditions": [condition]]]
        let request = APIRequest(
            .mergePatch,
            .jobs,
            namespace: self.namespace,
            name: job,
            subresource: "status",
            body: try patch.encoded(),
            timeout: .seconds(5)
        )
        try await eventually("the end of Job \(job)", within: .seconds(60)) {
            do throws(KubernetesError) {
                _ = try await self.client.send(request)
                return true
            } catch {
                guard error.retry == .never || error.code == .notFound, error.status != nil else { return false }
                throw error
            }
        }
    }

    /// Works like a node with room for a few Jobs at a time: each Job takes one document, then ends.
    ///
    /// Jobs for which there is no document are noted as surplus. Runs until the task is cancelled.
    func work(on documents: Documents, of scaledJob: String, as jobs: JobWatch, _ surplus: Surplus) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while !Task.isCancelled {
                        guard let next = jobs.takeUnserved(of: scaledJob) else {
                            try await Task.sleep(for: .milliseconds(5))
                            continue
                        }
                        if !documents.finishOne() { surplus.add(next.name) }
                        try await self.end(next.name)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Jobs that found nothing to do.
final class Surplus: Sendable {
    private let jobs = NIOLockedValueBox<[String]>([])

    var names: [String] { self.jobs.withLockedValue { $0 } }

    func add(_ job: String) { self.jobs.withLockedValue { $0.append(job) } }
}
