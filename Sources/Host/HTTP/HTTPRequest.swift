/// One HTTP request as the engine sends it.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package var method: Method
    /// Path and query, percent-encoded, appended to the endpoint's address.
    package var target: String
    /// Complete header lines.
    ///
    /// They may hold a secret.
    package var headers: [String]
    package var body: [UInt8]?
    /// For an answer as a whole; for a stream, until its head.
    package var timeout: Duration
    /// The end of a stream that the server should have ended itself.
    package var streamTimeout: Duration?
    /// The client certificate of this request, if it isn't the endpoint's.
    package var identity: ClientIdentity?
    /// Signs the request as Amazon wants it.
    package var signing: AmazonSigning?
    /// The instant from which on it must not be sent, nor be waited for; asked for each time, because it moves.
    package var fence: (@Sendable () -> ContinuousClock.Instant)?

    package init(
        _ method: Method,
        _ target: String,
        headers: [String] = [],
        body: [UInt8]? = nil,
        timeout: Duration,
        streamTimeout: Duration? = nil,
        identity: ClientIdentity? = nil,
        signing: AmazonSigning? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.streamTimeout = streamTimeout
        self.identity = identity
        self.signing = signing
    }
}

/// What a request to Amazon's services is signed with (Signature Version 4).
package struct AmazonSigning: Sendable {
    package var region: String
    package var service: String
    package var accessKey: String
    package var secretKey: String

    package init(region: String, service: String, accessKey: String, secretKey: String) {
        self.region = region
        self.service = service
        self.accessKey = accessKey
        self.secretKey = secretKey
    }
}

/// A complete answer, whatever its status.
package struct HTTPAnswer: Sendable {
    package var status = 0
    /// The `Retry-After` header, when it gave seconds.
    package var retryAfter: Duration?
    package var body: [UInt8] = []

    package init() {}
}

/// What came of a request whose answer may be streamed.
package enum HTTPStreaming: Sendable {
    /// A 2xx head; the lines of the body follow.
    case lines(LineStream)
    /// Any other answer, whole.
    case answer(HTTPAnswer)
}

/// A certificate and its key, both PEM.
///
/// Compared by identity, because comparing keys is nobody's business.
package final class ClientIdentity: Sendable {
    package let certificate: [UInt8]
    package let key: [UInt8]

    package init(certificate: [UInt8], key: [UInt8]) {
        self.certificate = certificate
        self.key = key
    }
}

/// Why there is no answer.
package struct TransferFailure: Error, Sendable {
    package enum Reason: Sendable {
        case unreachable
        case timedOut
        case cancelled
        /// The fence of the request fell before it was sent.
        case fenced
        /// The peer's certificate or ours was refused.
        case untrusted
        /// Larger than allowed, or not HTTP.
        case malformed
        /// The request could not even be prepared.
        case misconfigured
    }

    package let reason: Reason
    package let message: String
    /// False only when the request certainly never left this machine.
    package let mayHaveBeenSent: Bool
}
