internal import FoundationEssentials
package import HTTP
package import Kubernetes

/// A real Vault server as its administrator sees it.
package struct VaultServer: Sendable {
    package let address: String
    private let engine: CurlEngine

    package static var shared: VaultServer {
        get async throws { try VaultServer(await ToolServer.shared(.vault).address) }
    }

    /// - Parameters:
    ///   - address: where the server is.
    ///   - authority: the file with the certificate that it is trusted by, over TLS.
    /// - Throws: when the file cannot be read, or the address is none.
    package init(_ address: String, authority: String? = nil) throws {
        var endpoint = HTTPEndpoint(address: address)
        endpoint.certificateAuthority = try authority.map { Array(try Data(contentsOf: URL(filePath: $0))) }
        endpoint.allowsPlainHTTP = true
        self.address = address
        guard let engine = CurlEngine(endpoint) else { throw ToolFailure("\(address) is no address") }
        self.engine = engine
    }

    /// Asks the server; fails unless it agrees.
    @discardableResult
    package func call(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: JSONValue? = nil,
        namespace: String? = nil,
        token: String = "root"
    ) async throws -> JSONValue {
        var headers = ["X-Vault-Token: \(token)"]
        if let namespace { headers.append("X-Vault-Namespace: \(namespace)") }
        let answer = try await self.engine.answer(
            to: HTTPRequest(method, "/v1/\(path)", headers: headers, body: try body?.encoded(), timeout: .seconds(20))
        )
        guard answer.status / 100 == 2 else {
            throw ToolFailure("\(method) \(path): \(String(decoding: answer.body, as: UTF8.self))")
        }
        return answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body)
    }

    /// A name that no other test has.
    package static func name(_ prefix: String) -> String { "\(prefix)-\(UInt32.random(in: 0...UInt32.max))" }

    /// Mounts an engine where no other test has one.
    package func mount(_ type: String, options: JSONValue? = nil, namespace: String? = nil) async throws -> String {
        let name = Self.name(type)
        var body: JSONValue = ["type": .string(type)]
        body["options"] = options
        try await self.call(.post, "sys/mounts/\(name)", body, namespace: namespace)
        return name
    }

    /// A token that may do this to everything, and no more.
    package func token(_ capabilities: [JSONValue] = ["read", "update"], ttl: String = "1h") async throws -> String {
        let policy = Self.name("policy")
        let rule =
            #"path "*" { capabilities = [\#(capabilities.compactMap(\.stringValue).map { "\"\($0)\"" }.joined(separator: ","))] }"#
        try await self.call(.put, "sys/policies/acl/\(policy)", ["policy": .string(rule)])
        let answer = try await self.call(
            .post,
            "auth/token/create",
            ["policies": [.string(policy)], "ttl": .string(ttl), "renewable": true]
        )
        guard let token = answer[path: "auth", "client_token"]?.stringValue else { throw ToolFailure("no token") }
        return token
    }
}
