package import Kubernetes

/// A JobBudget as the API server holds it; what it says is read by ``BudgetSpecification``.
package struct JobBudget: KubernetesObject, Sendable, Equatable {
    package static let resource = APIResource.jobBudgets

    package let metadata: ObjectMetadata
    package let spec: JSONValue?
    package let status: JSONValue?

    package init(metadata: ObjectMetadata, spec: JSONValue?, status: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}
