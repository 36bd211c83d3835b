/// A Job, as far as the host looks at one: counts, conditions, and what its Pods request.
package struct Job: KubernetesObject, Equatable {
    package static let resource = APIResource.jobs

    package var metadata: ObjectMetadata
    package var spec: Spec
    package var status: Status

    package struct Spec: Decodable, Sendable, Equatable {
        package var parallelism: Int32?
        package var completions: Int32?
        package var suspend: Bool?
        package var ttlSecondsAfterFinished: Int32?
        package var template: Template?

        package init() {}
    }

    /// The Pod template; the rest of it is dropped as it is read.
    package struct Template: Decodable, Sendable, Equatable {
        package var spec: PodResources

        private enum CodingKeys: String, CodingKey { case spec }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.spec = try container.decodeIfPresent(PodResources.self, forKey: .spec) ?? PodResources()
        }
    }

    package struct Status: Decodable, Sendable, Equatable {
        package var active: Int32?
        package var ready: Int32?
        package var succeeded: Int32?
        package var failed: Int32?
        package var startTime: KubernetesTime?
        package var completionTime: KubernetesTime?
        package var conditions: [Condition]?

        package init() {}
    }

    package struct Condition: Decodable, Sendable, Equatable {
        package var type: String
        package var status: String
        package var reason: String?
        package var message: String?
        package var lastTransitionTime: KubernetesTime?

        package init(type: String, status: String, lastTransitionTime: KubernetesTime?) {
            self.type = type
            self.status = status
            self.lastTransitionTime = lastTransitionTime
        }
    }

    private enum CodingKeys: String, CodingKey {
        case metadata
        case spec
        case status
    }

    package init(metadata: ObjectMetadata, spec: Spec = Spec(), status: Status = Status()) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        self.spec = try container.decodeIfPresent(Spec.self, forKey: .spec) ?? Spec()
        self.status = try container.decodeIfPresent(Status.self, forKey: .status) ?? Status()
    }
}
