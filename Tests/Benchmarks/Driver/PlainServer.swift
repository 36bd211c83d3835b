import Foundation
import Kubernetes
import PlainCurl

/// The API server as plain libcurl sees it.
struct PlainServer {
    private let address: String
    private let authority: String
    private let certificate: String
    private let key: String

    init(kubeconfig: String, certificates: String) throws {
        self.address = try ClientConfiguration.kubeconfig(kubeconfig, environment: [:]).server
        func read(_ name: String) throws -> String {
            try String(contentsOfFile: "\(certificates)/\(name)", encoding: .utf8)
        }
        self.authority = try read("ca.crt")
        self.certificate = try read("admin.crt")
        self.key = try read("admin.key")
    }

    /// Posts Jobs from a thread of its own; returns the seconds it took.
    func post(_ bodies: [[UInt8]], namespace: String, isHTTP2: Bool) async throws -> Double {
        let texts = bodies.map { String(decoding: $0, as: UTF8.self) }
        return try await self.send("created", texts, [], namespace: namespace, isHTTP2: isHTTP2)
    }

    /// Deletes Jobs, each by its name and with its options.
    func delete(_ jobs: [(name: String, options: String)], namespace: String, isHTTP2: Bool) async throws -> Double {
        let urls = jobs.map { "\(self.url(namespace))/\($0.name)" }
        return try await self.send("deleted", jobs.map(\.options), urls, namespace: namespace, isHTTP2: isHTTP2)
    }

    private func url(_ namespace: String) -> String { "\(self.address)/apis/batch/v1/namespaces/\(namespace)/jobs" }

    private func send(
        _ what: String,
        _ bodies: [String],
        _ urls: [String],
        namespace: String,
        isHTTP2: Bool
    ) async throws -> Double {
        let (done, seconds) = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: self.sendNow(bodies, urls, namespace, isHTTP2))
            }
        }
        guard done == bodies.count else { throw BenchFailure("plain libcurl \(what) \(done) Jobs only") }
        return seconds
    }

    private func sendNow(
        _ bodies: [String],
        _ urls: [String],
        _ namespace: String,
        _ isHTTP2: Bool
    ) -> (Int, Double) {
        let copies = (bodies + urls).map { strdup($0) }
        defer { copies.forEach { free($0) } }
        let pointers = copies.compactMap { $0.map { UnsafePointer($0) } }
        let (texts, addresses) = (Array(pointers[..<bodies.count]), Array(pointers[bodies.count...]))
        let url = "\(self.url(namespace))?fieldManager=sluice&timeout=10s"
        var seconds = 0.0
        let done = url.withCString { url in
            self.authority.withCString { authority in
                self.certificate.withCString { certificate in
                    self.key.withCString { key in
                        var target = plain_curl_target(
                            url: url,
                            authority: authority,
                            certificate: certificate,
                            key: key,
                            uses_http2: isHTTP2 ? 1 : 0,
                            parallel: 32
                        )
                        let count = Int32(texts.count)
                        return addresses.isEmpty
                            ? plain_curl_post(&target, texts, count, &seconds)
                            : plain_curl_delete(&target, addresses, texts, count, &seconds)
                    }
                }
            }
        }
        return (Int(done), seconds)
    }
}
