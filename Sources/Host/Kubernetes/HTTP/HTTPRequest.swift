/// One HTTP request as the engine sends it.
struct HTTPRequest: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    var method: Method
    /// Path and query, percent-encoded, appended to the endpoint's address.
    var target: String
    /// Complete header lines.
    ///
    /// They may hold a secret.
    var headers: [String]
    var body: [UInt8]?
    /// For an answer as a whole; for a stream, until its head.
    var timeout: Duration
    /// The end of a stream that the server should have ended itself.
    var streamTimeout: Duration?
    /// The client certificate of this request, if it isn't the endpoint's.
    var identity: ClientIdentity?

    init(
        _ method: Method,
        _ target: String,
        headers: [String] = [],
        body: [UInt8]? = nil,
        timeout: Duration,
        streamTimeout: Duration? = nil,
        identity: ClientIdentity? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.streamTimeout = streamTimeout
        self.identity = identity
    }
}

/// A complete answer, whatever its status.
struct HTTPAnswer: Sendable {
    var status = 0
    /// The `Retry-After` header, when it gave seconds.
    var retryAfter: Duration?
    var body: [UInt8] = []
}

/// What came of a request whose answer may be streamed.
enum HTTPStreaming: Sendable {
    /// A 2xx head; the lines of the body follow.
    case lines(LineStream)
    /// Any other answer, whole.
    case answer(HTTPAnswer)
}

/// A certificate and its key, both PEM.
///
/// Compared by identity, because comparing keys is nobody's business.
final class ClientIdentity: Sendable {
    let certificate: [UInt8]
    let key: [UInt8]

    init(certificate: [UInt8], key: [UInt8]) {
        self.certificate = certificate
        self.key = key
    }
}

/// Why there is no answer.
struct TransferFailure: Error, Sendable {
    enum Reason: Sendable {
        case unreachable
        case timedOut
        case cancelled
        /// The peer's certificate or ours was refused.
        case untrusted
        /// Larger than allowed, or not HTTP.
        case malformed
        /// The request could not even be prepared.
        case misconfigured
    }

    let reason: Reason
    let message: String
    /// False only when the request certainly never left this machine.
    let mayHaveBeenSent: Bool
}
