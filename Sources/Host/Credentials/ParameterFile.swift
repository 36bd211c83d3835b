internal import FoundationEssentials
internal import Kubernetes

/// A file that holds a JSON object of texts.
struct ParameterFile: Sendable {
    private static let largest = 1 << 20
    /// Files are looked at often: it costs next to nothing.
    private static let interval = Duration.seconds(10)

    let path: String

    func read() throws(CredentialFailure) -> FetchedCredential {
        guard let bytes = FileManager.default.contents(atPath: self.path) else {
            let isThere = FileManager.default.fileExists(atPath: self.path)
            throw self.failure(isThere ? "cannot be read; allow the host to" : "does not exist; create it")
        }
        guard bytes.count <= Self.largest else { throw self.failure("is larger than \(Self.largest) bytes") }
        guard let members = (try? JSONValue(parsing: bytes))?.objectValue else {
            throw self.failure("is not a JSON object; write one such as {\"parameter\":\"value\"}")
        }
        var values: [String: String] = [:]
        for (name, value) in members {
            guard let text = value.stringValue else {
                throw self.failure("has no text under \"\(name)\"; put it in quotes")
            }
            values[name] = text
        }
        return FetchedCredential(values, renewWithin: Self.interval)
    }

    private func failure(_ message: String) -> CredentialFailure {
        CredentialFailure("the file \(self.path) \(message)", isRefusal: true)
    }
}
