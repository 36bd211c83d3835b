/// Why something about a trigger could not be done.
///
/// The code is for programs, the message for people: one sentence that names the parameter and the mend, never a secret.
public struct PluginFailure: Error, Sendable, Equatable {
    /// The closed set of codes that the protocol knows.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The number on the wire.
        public let number: UInt32
        /// The name in logs and metrics.
        public let description: String

        /// A fault of the plugin itself.
        public static let `internal` = Code(number: 0, description: "internal")
        /// A parameter is missing or cannot be used.
        public static let invalidParameter = Code(number: 1, description: "invalidParameter")
        /// The source refused the credentials.
        public static let unauthenticated = Code(number: 2, description: "unauthenticated")
        /// The source refused the request.
        public static let permissionDenied = Code(number: 3, description: "permissionDenied")
        /// The source has no such queue, collection, and so on.
        public static let notFound = Code(number: 4, description: "notFound")
        /// The source, or the plugin, cannot be reached.
        public static let unavailable = Code(number: 5, description: "unavailable")
        /// No answer in time.
        public static let timedOut = Code(number: 6, description: "timedOut")
        /// The source asked to slow down.
        public static let throttled = Code(number: 7, description: "throttled")
        /// A trigger type or capability that the receiver does not have.
        public static let unsupported = Code(number: 8, description: "unsupported")
        /// The plugin no longer knows this trigger.
        public static let unknownTrigger = Code(number: 9, description: "unknownTrigger")
        /// The sender broke the protocol.
        public static let protocolError = Code(number: 10, description: "protocolError")
        /// The answer is no longer wanted.
        public static let cancelled = Code(number: 11, description: "cancelled")
        /// The receiver is overloaded.
        public static let overloaded = Code(number: 12, description: "overloaded")

        /// Every code, in the order of its number.
        public static let all: [Code] = [
            .internal, .invalidParameter, .unauthenticated, .permissionDenied, .notFound, .unavailable, .timedOut,
            .throttled, .unsupported, .unknownTrigger, .protocolError, .cancelled, .overloaded,
        ]

        /// The code with this number; an unknown number reads as `internal`.
        public init(number: UInt32) {
            self = Self.all.first { $0.number == number } ?? .internal
        }

        private init(number: UInt32, description: String) {
            self.number = number
            self.description = description
        }

        /// Codes are equal when their numbers are.
        public static func == (left: Code, right: Code) -> Bool { left.number == right.number }

        /// Hashes the number.
        public func hash(into hasher: inout Hasher) { hasher.combine(self.number) }
    }

    /// What kind of failure it is.
    public var code: Code
    /// For people, at most 1 KiB, never a secret.
    public var message: String
    /// The parameter at fault, where there is one.
    public var parameter: String?
    /// Not to be tried again before this has passed.
    public var retryAfter: Duration?

    /// Creates a failure.
    public init(_ code: Code, _ message: String, parameter: String? = nil, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.parameter = parameter
        self.retryAfter = retryAfter
    }
}
