package import Controller
package import Endpoints
import Kubernetes
package import PluginHost

/// The validating webhook: an `AdmissionReview` in, an `AdmissionReview` out.
package struct AdmissionWebhook: Sendable {
    /// Bodies hold an object twice; the API server takes objects of about 1.5 MiB.
    package static let largestBody = 6 << 20

    private let policy: AdmissionPolicy
    private let offers: @Sendable () async -> [String: TriggerTypeOffer]
    private let trial: TemplateTrial?
    private let validations: ValidationCounter?
    private let reader = Reader()

    /// Reads one question after the other: what a body turns into is many times its size.
    private actor Reader {
        func read(_ bytes: [UInt8]) throws(AdmissionRequest.Unreadable) -> AdmissionRequest {
            try AdmissionRequest(parsing: bytes)
        }
    }

    /// With a trial, Job templates of ScaledJobs that are fine otherwise are tried at the API server.
    package init(
        policy: AdmissionPolicy,
        offers: @escaping @Sendable () async -> [String: TriggerTypeOffer],
        trial: TemplateTrial? = nil,
        validations: ValidationCounter? = nil
    ) {
        self.policy = policy
        self.offers = offers
        self.trial = trial
        self.validations = validations
    }

    package func answer(_ request: EndpointRequest) async -> EndpointAnswer {
        guard let kind = CheckedKind.allCases.first(where: { $0.path == request.path }) else { return .notFound }
        guard request.method == "POST" else { return .methodNotAllowed }
        do throws(AdmissionRequest.Unreadable) {
            let question = try await self.reader.read(request.body)
            let verdict = await self.verdict(question, kind)
            self.validations?.validated(
                namespace: question.namespace,
                action: question.operation.lowercased(),
                refusedFor: verdict.refusal.map { _ in kind.refusalReason }
            )
            let review = verdict.review(of: question)
            guard let body = try? review.encoded() else { return .text("the answer cannot be written", status: 500) }
            return EndpointAnswer(contentType: "application/json", body: body)
        } catch {
            return .text(error.description, status: 400)
        }
    }

    private func verdict(_ request: AdmissionRequest, _ kind: CheckedKind) async -> AdmissionVerdict {
        if request.needsNoCheck { return AdmissionVerdict() }
        guard let object = request.object else {
            return AdmissionVerdict(refusal: "the AdmissionReview has no object")
        }
        guard request.kind.isEmpty || request.kind == kind.rawValue else {
            return AdmissionVerdict(
                refusal: "this path checks \(kind.rawValue)s, not \(request.kind); correct the webhook's configuration"
            )
        }
        var findings = ManifestRules(offers: await self.offers()).findings(in: object, of: kind)
        let verdict = AdmissionVerdict(findings, policy: self.policy)
        guard verdict.refusal == nil, kind == .scaledJob, let trial else { return verdict }
        findings += await trial.findings(in: object, namespace: request.namespace)
        return AdmissionVerdict(findings, policy: self.policy)
    }
}

extension CheckedKind {
    /// The word for a refusal in the metrics; KEDA's, where it has one.
    fileprivate var refusalReason: String {
        switch self {
        case .scaledJob: "incorrect-triggers"
        case .jobBudget: "incorrect-budget"
        case .triggerAuthentication, .clusterTriggerAuthentication, .scaledObject: "incorrect-authentication"
        }
    }
}
