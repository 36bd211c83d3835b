package import Kubernetes

/// How calls to the API server ended, and how long they took.
package struct APICallCounts: Sendable, Equatable {
    package struct Key: Sendable, Hashable {
        package var verb: APIRequest.Verb
        /// The plural name of the resource.
        package var resource: String
        /// `success`, or the code of the error.
        package var outcome: String
    }

    /// How many calls took at most so many seconds.
    package struct Durations: Sendable, Equatable {
        package static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

        /// Calls whose time fell between the bound before and this one; the last are those above all bounds.
        package private(set) var counts = [Int](repeating: 0, count: Self.bounds.count + 1)
        package private(set) var sum = 0.0

        package mutating func add(_ seconds: Double) {
            self.sum += seconds
            self.counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        }
    }

    package private(set) var calls: [Key: Int] = [:]
    /// For a watch, the time to its first answer.
    package private(set) var durations: [APIRequest.Verb: Durations] = [:]

    package init() {}

    package mutating func add(_ verb: APIRequest.Verb, _ resource: APIResource, _ outcome: String, _ duration: Duration)
    {
        self.calls[Key(verb: verb, resource: resource.plural, outcome: outcome), default: 0] += 1
        self.durations[verb, default: Durations()].add(duration / .seconds(1))
    }
}

extension APIRequest.Verb {
    /// As audit logs and other clients' metrics call it.
    package var name: String {
        switch self {
        case .get: "get"
        case .list: "list"
        case .watch: "watch"
        case .create: "create"
        case .mergePatch: "patch"
        case .replace: "update"
        case .delete: "delete"
        }
    }
}
