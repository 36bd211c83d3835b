import Controller
import Kubernetes
import Scaling
import Standalone

/// A Job as it is, whatever any host has seen of it.
struct JobTruth {
    let key: ObjectKey
    let uid: String
    /// The UID of the ScaledJob that controls it.
    let owner: String?
    let isFinished: Bool
    let isSuspended: Bool
    let hash: String?
    /// etcd lost its end: it counts on top until it ends again.
    var isResurrected = false

    init(_ object: JSONValue) {
        self.key = object.key
        self.uid = object.uid
        self.owner =
            object.metadata["ownerReferences"]?.arrayValue?.first { $0["controller"] == true }?["uid"]?.stringValue
        self.isFinished =
            object[path: "status", "conditions"]?.arrayValue?.contains { condition in
                condition["status"] == "True" && (condition["type"] == "Complete" || condition["type"] == "Failed")
            } ?? false
        self.isSuspended = object[path: "spec", "suspend"] == true
        self.hash = object.metadata["annotations"]?[WellKnown.templateHashAnnotation]?.stringValue
    }
}

/// What a host was shown of a ScaledJob last.
struct ShownScaledJob {
    let key: ObjectKey
    let most: Int
    let isPaused: Bool
    let isValid: Bool
    let isImmediate: Bool
    let hash: String?

    init(_ scaledJob: ScaledJob) {
        self.key = scaledJob.key
        self.isPaused = WellKnown.isPaused(scaledJob.metadata.annotations)
        switch ScaledJobSpecification.parse(scaledJob.spec) {
        case .success(let specification):
            self.most = specification.bounds.mostUnfinished
            self.isValid = true
            self.isImmediate = specification.rollout.strategy == .immediate
            self.hash = try? CanonicalTemplate(specification.jobTargetRef).hash()
        case .failure:
            self.most = 0
            self.isValid = false
            self.isImmediate = false
            self.hash = nil
        }
    }
}
