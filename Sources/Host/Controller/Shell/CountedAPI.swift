import Kubernetes
import NIOConcurrencyHelpers

/// The Kubernetes API, with every call counted.
struct CountedAPI: KubernetesAPI {
    private let api: any KubernetesAPI
    private let box = NIOLockedValueBox(APICallCounts())

    init(_ api: any KubernetesAPI) { self.api = api }

    var counts: APICallCounts { self.box.withLockedValue { $0 } }

    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        let start = ContinuousClock.now
        do throws(KubernetesError) {
            let answer = try await self.api.send(request)
            self.count(request, "success", since: start)
            return answer
        } catch {
            self.count(request, error.code.rawValue, since: start)
            throw error
        }
    }

    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        let start = ContinuousClock.now
        do throws(KubernetesError) {
            let stream = try await self.api.watch(request)
            self.count(request, "success", since: start)
            return stream
        } catch {
            self.count(request, error.code.rawValue, since: start)
            throw error
        }
    }

    private func count(_ request: APIRequest, _ outcome: String, since start: ContinuousClock.Instant) {
        let duration = ContinuousClock.now - start
        self.box.withLockedValue { $0.add(request.verb, request.resource, outcome, duration) }
    }
}
