internal import FoundationEssentials
internal import Kubernetes

/// The host's own token, as the kubelet puts it into a file.
struct ServiceAccountTokenFile: Sendable {
    private static let largest = 1 << 20

    let path: String

    /// Reads it, and makes sure that it is what it should be: whatever else is in a file of the host goes nowhere.
    func read() throws(CredentialFailure) -> String {
        guard let bytes = FileManager.default.contents(atPath: self.path), bytes.count <= Self.largest,
            let text = String(validating: bytes, as: UTF8.self)
        else { throw CredentialFailure("the file \(self.path) cannot be read as a token", isRefusal: true) }
        let token = text.filter { !$0.isWhitespace }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let claims = Self.decoded(parts[1]),
            claims["sub"]?.stringValue?.hasPrefix("system:serviceaccount:") == true
        else { throw CredentialFailure("the file \(self.path) is not a token of a ServiceAccount", isRefusal: true) }
        return token
    }

    private static func decoded(_ part: Substring) -> JSONValue? {
        var text = part.replacing("-", with: "+").replacing("_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        return Data(base64Encoded: String(text)).flatMap { try? JSONValue(parsing: $0) }
    }
}
