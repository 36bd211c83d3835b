/// What the containers of a Pod request and may use, as it is written: everything that its cost follows from.
///
/// Whatever is of the wrong kind is left out: the API server judges templates.
package struct PodResources: Decodable, Sendable, Hashable {
    /// Amounts by the name of the resource, as texts such as `500m`.
    package typealias Amounts = [String: String]

    package struct Container: Decodable, Sendable, Hashable {
        package var requests: Amounts = [:]
        package var limits: Amounts = [:]
        /// An init container that goes on running beside the others.
        package var isSidecar = false

        private enum CodingKeys: String, CodingKey { case resources, restartPolicy }

        package init(requests: Amounts = [:], limits: Amounts = [:], isSidecar: Bool = false) {
            self.requests = requests
            self.limits = limits
            self.isSidecar = isSidecar
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let resources = try? container.decodeIfPresent(Requirements.self, forKey: .resources)
            self.requests = resources?.requests ?? [:]
            self.limits = resources?.limits ?? [:]
            self.isSidecar = (try? container.decodeIfPresent(String.self, forKey: .restartPolicy)) == "Always"
        }
    }

    /// A Pod's own `resources`, which stand for those of its containers.
    package struct Requirements: Decodable, Sendable, Hashable {
        package var requests: Amounts = [:]
        package var limits: Amounts = [:]

        private enum CodingKeys: String, CodingKey { case requests, limits }

        package init(requests: Amounts = [:], limits: Amounts = [:]) {
            self.requests = requests
            self.limits = limits
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.requests = Self.amounts(try? container.decodeIfPresent([String: Amount].self, forKey: .requests))
            self.limits = Self.amounts(try? container.decodeIfPresent([String: Amount].self, forKey: .limits))
        }

        private static func amounts(_ amounts: [String: Amount]?) -> Amounts { amounts?.mapValues(\.text) ?? [:] }
    }

    /// A text, or a number as people write it.
    package struct Amount: Decodable, Sendable, Hashable {
        package let text: String

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else if let number = try? container.decode(Int64.self) {
                self.text = "\(number)"
            } else {
                self.text = "\(try container.decode(Double.self))"
            }
        }
    }

    package var containers: [Container] = []
    package var initContainers: [Container] = []
    package var overhead: Amounts = [:]
    package var pod: Requirements?

    private enum CodingKeys: String, CodingKey { case containers, initContainers, overhead, resources }

    package init(
        containers: [Container] = [],
        initContainers: [Container] = [],
        overhead: Amounts = [:],
        pod: Requirements? = nil
    ) {
        self.containers = containers
        self.initContainers = initContainers
        self.overhead = overhead
        self.pod = pod
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.containers = (try? container.decodeIfPresent([Container].self, forKey: .containers)) ?? []
        self.initContainers = (try? container.decodeIfPresent([Container].self, forKey: .initContainers)) ?? []
        let overhead = try? container.decodeIfPresent([String: Amount].self, forKey: .overhead)
        self.overhead = overhead?.mapValues(\.text) ?? [:]
        self.pod = try? container.decodeIfPresent(Requirements.self, forKey: .resources)
    }
}
