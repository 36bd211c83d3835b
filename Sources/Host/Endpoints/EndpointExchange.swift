/// One request, whole.
package struct EndpointRequest: Sendable {
    /// Such as `GET`.
    package let method: String
    /// Without the query.
    package let path: String
    package let body: [UInt8]

    package init(method: String, path: String, body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.body = body
    }
}

/// What the server answers, whole.
package struct EndpointAnswer: Sendable, Equatable {
    package var status: Int
    package var contentType: String
    package var body: [UInt8]

    package init(status: Int = 200, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// A line for people.
    package static func text(_ text: String, status: Int = 200) -> EndpointAnswer {
        EndpointAnswer(status: status, contentType: "text/plain; charset=utf-8", body: Array("\(text)\n".utf8))
    }

    package static let notFound = EndpointAnswer.text("there is nothing at this path", status: 404)
    package static let methodNotAllowed = EndpointAnswer.text("this path does not take that method", status: 405)
}

/// How much and how long a server puts up with.
package struct EndpointLimits: Sendable {
    /// The longest body of a request.
    package var body = 1 << 20
    package var connections = 64
    /// From a request's first byte to its last, and for the first request from the connection on.
    package var request = Duration.seconds(10)
    /// Until the answer is made, and again until it is taken.
    package var answer = Duration.seconds(15)
    /// Between two requests of a connection.
    package var idle = Duration.seconds(120)
    /// For the answers under way when the server stops.
    package var drain = Duration.seconds(10)

    package init() {}
}

/// Why a server cannot serve.
package struct EndpointError: Error, Sendable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { self.message }
}
