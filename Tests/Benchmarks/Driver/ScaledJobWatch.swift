import Foundation
import Kubernetes

/// Waits for ScaledJobs to become Ready.
struct ScaledJobWatch {
    let api: APIServerClient
    let namespace: String

    /// Returns when as many ScaledJobs say `Ready=True`.
    func wait(forReady count: Int, within limit: Duration = .seconds(180)) async throws {
        let request = APIRequest(
            .watch,
            .scaledJobs,
            namespace: self.namespace,
            query: [QueryItem("timeoutSeconds", "\(limit.components.seconds)")],
            timeout: limit
        )
        var ready: Set<String> = []
        for try await line in try await self.api.watch(request) {
            let text = String(decoding: line, as: UTF8.self)
            // Members are sorted, so that the two stand beside each other.
            guard text.contains("\"status\":\"True\",\"type\":\"Ready\""), let name = Self.name(text) else { continue }
            ready.insert(name)
            if ready.count == count { return }
        }
        throw BenchFailure("\(ready.count) of \(count) ScaledJobs were Ready within \(limit)")
    }

    /// The first name that is followed by the namespace is that of the object.
    private static func name(_ text: String) -> String? {
        guard let end = text.range(of: "\",\"namespace\":\""),
            let start = text[..<end.lowerBound].range(of: "\"name\":\"", options: .backwards)
        else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }
}
