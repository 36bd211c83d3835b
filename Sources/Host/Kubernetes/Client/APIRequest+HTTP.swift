internal import HTTP

extension APIRequest {
    /// True when the call changes something.
    var isWrite: Bool {
        switch self.verb {
        case .get, .list, .watch: false
        case .create, .mergePatch, .replace, .delete: true
        }
    }

    var httpMethod: HTTPRequest.Method {
        switch self.verb {
        case .get, .list, .watch: .get
        case .create: .post
        case .mergePatch: .patch
        case .replace: .put
        case .delete: .delete
        }
    }

    /// Path and query, percent-encoded.
    var target: String {
        var target = self.resource.group.isEmpty ? "/api/" : "/apis/\(PercentEncoding.segment(self.resource.group))/"
        target += PercentEncoding.segment(self.resource.version)
        if self.resource.isNamespaced, let namespace = self.namespace {
            target += "/namespaces/\(PercentEncoding.segment(namespace))"
        }
        target += "/\(PercentEncoding.segment(self.resource.plural))"
        if let name = self.name { target += "/\(PercentEncoding.segment(name))" }
        if let subresource = self.subresource { target += "/\(PercentEncoding.segment(subresource))" }
        var query = self.query
        if self.verb == .watch, !query.contains(where: { $0.name == "watch" }) {
            query.append(QueryItem("watch", "true"))
        }
        for (index, item) in query.enumerated() {
            target +=
                "\(index == 0 ? "?" : "&")\(PercentEncoding.segment(item.name))=\(PercentEncoding.segment(item.value))"
        }
        return target
    }

    func headers(token: String?) -> [String] {
        var headers = ["Accept: application/json", "User-Agent: sluice"]
        if self.body != nil {
            headers.append("Content-Type: application/\(self.verb == .mergePatch ? "merge-patch+" : "")json")
        }
        if let token { headers.append("Authorization: Bearer \(token)") }
        return headers
    }
}
