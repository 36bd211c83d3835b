internal import FoundationEssentials
internal import HTTP

/// The `Status` object that the API server answers with when it says no.
struct APIStatus: Decodable, Sendable {
    struct Details: Decodable, Sendable {
        var retryAfterSeconds: Int?
    }

    var code: Int?
    var reason: String?
    var message: String?
    var details: Details?

    /// Empty when the bytes are something else, such as a proxy's page.
    init(_ body: [UInt8]) {
        self = (try? JSONDecoder().decode(APIStatus.self, from: Data(body))) ?? APIStatus()
    }

    init(code: Int? = nil, reason: String? = nil, message: String? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
    }
}

extension KubernetesError {
    /// What an answer other than 2xx means for the request.
    init(_ answer: HTTPAnswer, for request: APIRequest) {
        let status = APIStatus(answer.body)
        self.init(
            status: status,
            httpStatus: answer.status,
            retryAfter: answer.retryAfter,
            isCreate: request.verb == .create,
            isWrite: request.isWrite
        )
    }

    /// What a `Status` means, from an answer or from an `ERROR` event inside a watch.
    init(status: APIStatus, httpStatus: Int, retryAfter: Duration?, isCreate: Bool, isWrite: Bool) {
        let code: Code =
            switch httpStatus {
            case 401: .unauthorized
            case 403: .forbidden
            case 404: .notFound
            case 408, 504: .timedOut
            // A create also gets 409 when a quota or a namespace changed under it; only one reason means "it exists".
            case 409: isCreate && status.reason == "AlreadyExists" ? .alreadyExists : .conflict
            case 410: .expired
            case 429: .throttled
            case 500...599: .serverError
            case 400...499: .invalid
            default: .malformed
            }
        let pause = retryAfter ?? status.details?.retryAfterSeconds.map { .seconds(min(max($0, 0), 3600)) }
        let retry: Retry =
            switch code {
            case .conflict: .now
            case .expired: .relist
            case .throttled, .serverError, .timedOut: .after(pause ?? .seconds(1))
            case .unauthorized: .after(.seconds(5))
            default: .never
            }
        // The server may have stored the object and failed afterwards; only its clear refusals say that it did not.
        let mayHaveHappened = isWrite && (code == .serverError || code == .timedOut || code == .malformed)
        let reason = status.message ?? status.reason ?? "the server answered with status \(httpStatus)"
        self.init(code, String(reason.prefix(2048)), retry: retry, mayHaveHappened: mayHaveHappened, status: httpStatus)
    }

    /// What it means that there was no answer.
    init(_ failure: TransferFailure, for request: APIRequest) {
        guard failure.reason != .fenced || failure.mayHaveBeenSent else {
            self = .fenced
            return
        }
        let mayHaveHappened = request.isWrite && failure.mayHaveBeenSent
        let (code, retry): (Code, Retry) =
            switch failure.reason {
            case .unreachable: (.unreachable, .after(.milliseconds(500)))
            case .timedOut: (.timedOut, .after(.milliseconds(500)))
            case .cancelled, .fenced: (.cancelled, .never)
            case .malformed: (.malformed, .never)
            case .untrusted: (.configuration, .after(.seconds(10)))
            case .misconfigured: (.configuration, .never)
            }
        self.init(code, failure.message, retry: retry, mayHaveHappened: mayHaveHappened)
    }
}
