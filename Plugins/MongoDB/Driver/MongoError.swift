internal import CMongo

/// What the driver or the server said went wrong, without any credential.
package struct MongoError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Who said it.
    package enum Domain: Sendable, Hashable {
        /// The server; the code is the server's.
        case server
        /// No server of the kind that was asked for could be reached in time.
        case serverSelection
        /// A connection broke or could not be made.
        case connection
        /// Logging in failed.
        case authentication
        /// A text that should be JSON or a URI is none.
        case syntax
        /// Something else inside the driver.
        case driver
    }

    /// Who said it.
    package let domain: Domain
    /// The server's or the driver's number.
    package let code: UInt32
    /// In the words of the one who said it.
    package let message: String

    /// Creates an error.
    package init(_ domain: Domain, code: UInt32 = 0, _ message: String) {
        self.domain = domain
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { self.message }

    /// Removes texts that must not be shown.
    func without(_ secrets: [String]) -> MongoError {
        var message = self.message
        for secret in secrets where !secret.isEmpty {
            message = message.replacing(secret, with: "***")
        }
        return MongoError(self.domain, code: self.code, message)
    }

    /// Calls a function that returns NULL and fills the error when it fails.
    @safe static func check(
        _ body: (UnsafeMutablePointer<bson_error_t>) -> OpaquePointer?
    ) throws(MongoError) -> OpaquePointer {
        var error = bson_error_t()
        guard let pointer = unsafe body(&error) else { throw MongoError(error) }
        return unsafe pointer
    }

    /// Calls a function that returns false and fills the error when it fails.
    @safe static func check(_ body: (UnsafeMutablePointer<bson_error_t>) -> Bool) throws(MongoError) {
        var error = bson_error_t()
        guard unsafe body(&error) else { throw MongoError(error) }
    }

    init(_ error: bson_error_t) {
        let message = unsafe withUnsafeBytes(of: error.message) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        self.init(Domain(error), code: error.code, message)
    }
}

extension MongoError.Domain {
    fileprivate init(_ error: bson_error_t) {
        switch mongoc_error_domain_t(error.domain) {
        case MONGOC_ERROR_SERVER where error.code == 18: self = .authentication
        case MONGOC_ERROR_SERVER, MONGOC_ERROR_WRITE_CONCERN: self = .server
        case MONGOC_ERROR_SERVER_SELECTION: self = .serverSelection
        case MONGOC_ERROR_STREAM: self = .connection
        case MONGOC_ERROR_CLIENT where error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue: self = .authentication
        case MONGOC_ERROR_SCRAM, MONGOC_ERROR_SASL: self = .authentication
        case MONGOC_ERROR_BSON: self = .syntax
        default: self = .driver
        }
    }
}
