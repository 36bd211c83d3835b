/// Why bytes are not a frame, or a frame cannot become bytes.
///
/// On the receiving side each of these ends the connection: what follows cannot be trusted.
package enum FrameError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The length is beyond the limit.
    case oversized(bytes: Int, limit: Int)
    /// The bytes are not the encoding of a frame.
    case malformed
    /// The tree of the message would take more memory than a message may.
    case memoryExceeded(limit: Int)
    /// A name is not UTF-8, or contains NUL.
    case invalidText(field: String)

    package var description: String {
        switch self {
        case .oversized(let bytes, let limit): "frame of \(bytes) bytes is over the limit of \(limit)"
        case .malformed: "bytes are not a frame"
        case .memoryExceeded(let limit): "message takes more than \(limit) bytes of memory"
        case .invalidText(let field): "\(field) is not UTF-8 text without NUL"
        }
    }
}
