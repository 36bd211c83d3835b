internal import MongoDB
internal import PluginProtocol

extension PluginFailure {
    /// What a failure of the driver or the server means for a trigger.
    init(_ error: MongoError) {
        switch error.domain {
        case .authentication:
            self.init(.unauthenticated, "MongoDB refused the credentials: \(error.message)")
        case .serverSelection, .connection:
            self.init(.unavailable, "MongoDB cannot be reached: \(error.message)")
        case .syntax:
            self.init(
                .invalidParameter,
                "connectionString is no usable MongoDB URI: \(error.message)",
                parameter: "connectionString"
            )
        case .driver:
            self.init(.internal, "the MongoDB driver failed: \(error.message)")
        case .server:
            self.init(server: error)
        }
    }

    private init(server error: MongoError) {
        switch error.code {
        case 13:
            self.init(.permissionDenied, "MongoDB refused the query: \(error.message)")
        case 50, 262:
            self.init(.timedOut, "MongoDB gave the query up: \(error.message)")
        case 16500:
            self.init(.throttled, "MongoDB asked to slow down: \(error.message)")
        case 73:
            self.init(.invalid("collection", "MongoDB refused the name: \(error.message)"))
        case let code where Self.queryCodes.contains(code):
            self.init(.invalid("query", "MongoDB refused the query: \(error.message)"))
        case let code where Self.passingCodes.contains(code):
            self.init(.unavailable, "MongoDB cannot answer now: \(error.message)")
        default:
            self.init(.internal, "MongoDB failed with code \(error.code): \(error.message)")
        }
    }

    private init(_ other: PluginFailure) { self = other }

    /// BadValue, FailedToParse, TypeMismatch, InvalidPipelineOperator, a bad `$regex`, a missing text index.
    private static let queryCodes: Set<UInt32> = [2, 9, 14, 27, 168, 51091]

    /// Host unreachable, shutting down, stepped down, starting: passes by itself.
    private static let passingCodes: Set<UInt32> = [
        6, 7, 89, 91, 189, 202, 234, 9001, 10058, 10107, 11600, 11602, 13435, 13436,
    ]
}
