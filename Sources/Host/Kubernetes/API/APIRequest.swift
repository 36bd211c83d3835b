/// One call to the Kubernetes API, by resource and verb rather than by URL.
package struct APIRequest: Sendable, Equatable {
    /// What is done with the resource.
    package enum Verb: Sendable, Equatable {
        case get
        case list
        case watch
        case create
        /// A JSON merge patch (`application/merge-patch+json`).
        case mergePatch
        case replace
        case delete
    }

    /// Which calls may wait for each other's connections.
    package enum Lane: Sendable {
        case ordinary
        /// Calls about the Lease, which wait for nothing else.
        case lease
    }

    package var verb: Verb
    package var resource: APIResource
    /// Nil for cluster-scoped resources and for lists over all namespaces.
    package var namespace: String?
    /// Nil for list, watch and create.
    package var name: String?
    /// `status`, or nil.
    package var subresource: String?
    /// Query parameters in order, not yet percent-encoded.
    package var query: [QueryItem]
    /// JSON, for create, replace, patch and delete (delete options).
    package var body: [UInt8]?
    /// The longest this call may take as a whole; for a watch, until its first byte.
    package var timeout: Duration
    package var lane: Lane
    /// Where the call may change something only for so long: until when, and asked for again each time.
    package var fence: WriteFence?

    package init(
        _ verb: Verb,
        _ resource: APIResource,
        namespace: String? = nil,
        name: String? = nil,
        subresource: String? = nil,
        query: [QueryItem] = [],
        body: [UInt8]? = nil,
        timeout: Duration = .seconds(30),
        lane: Lane = .ordinary
    ) {
        self.verb = verb
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
        self.query = query
        self.body = body
        self.timeout = timeout
        self.lane = lane
    }
}

/// One query parameter of an ``APIRequest``.
package struct QueryItem: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
