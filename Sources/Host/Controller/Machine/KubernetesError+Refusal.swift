import Kubernetes

extension KubernetesError {
    /// The API server looked at the object and said no; asking again at once changes nothing.
    var isRefusal: Bool {
        switch self.code {
        case .invalid, .forbidden, .notFound, .conflict: true
        case .unreachable, .timedOut, .cancelled, .unauthorized, .alreadyExists, .expired, .throttled, .serverError,
            .malformed, .configuration:
            false
        }
    }

    /// A ResourceQuota is used up, which says nothing against the template: it is looked at after everything else.
    ///
    /// That a quota asks for requests which the template lacks reads differently.
    var isQuota: Bool { self.code == .forbidden && self.message.contains("exceeded quota:") }

    /// The message, with the object's name left out wherever it stands alone or in quotes.
    func message(without name: String) -> String {
        guard !name.isEmpty else { return self.message }
        return self.message
            .replacing(" \"\(name)\"", with: "")
            .replacing("\"\(name)\"", with: "the Job")
            .replacing(name, with: "the Job")
    }
}
