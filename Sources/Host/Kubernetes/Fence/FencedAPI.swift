/// The Kubernetes API as a leader may use it: every write is bound to its Lease.
///
/// Reading goes on in any case: it changes nothing.
package struct FencedAPI: KubernetesAPI {
    private let api: any KubernetesAPI
    private let fence: WriteFence

    package init(_ api: any KubernetesAPI, _ fence: WriteFence) {
        self.api = api
        self.fence = fence
    }

    package func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        guard request.isWrite else { return try await self.api.send(request) }
        guard self.fence.stands else { throw .fenced }
        var fenced = request
        fenced.fence = self.fence
        return try await self.api.send(fenced)
    }

    package func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        try await self.api.watch(request)
    }
}
