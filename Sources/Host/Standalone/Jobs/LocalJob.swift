package import Kubernetes

/// A Job as the local runner understands it.
///
/// Reading one is also its validation: whatever the runner would silently do differently from a kubelet is refused with
/// the field's path, its value and what to do instead. Fields that only place or size a pod are ignored.
package struct LocalJob: Sendable, Equatable {
    /// Everything that keeps a Job from running here.
    package struct Problems: Error, Sendable, Equatable, CustomStringConvertible {
        package let sentences: [String]

        package var description: String { self.sentences.joined(separator: "; ") }
    }

    package enum RestartPolicy: String, Sendable {
        case never = "Never"
        case onFailure = "OnFailure"
    }

    package var parallelism = 1
    /// Nil for a work queue: the first success ends it, and no new pods are started afterwards.
    package var completions: Int? = 1
    package var backoffLimit = 6
    package var activeDeadline: Duration?
    package var timeToLiveAfterFinished: Duration?
    package var isSuspended = false
    package var restartPolicy = RestartPolicy.never
    package var terminationGracePeriod = Duration.seconds(30)
    package var initContainers: [LocalContainer] = []
    package var containers: [LocalContainer] = []
    package var podLabels: [String: String] = [:]
    package var podAnnotations: [String: String] = [:]

    package init() {}
}

extension LocalJob {
    private static let jobFields: Set<String> = [
        "parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "suspend",
        "template", "completionMode", "podReplacementPolicy",
    ]

    private static let podFields: Set<String> = [
        "restartPolicy", "terminationGracePeriodSeconds", "initContainers", "containers",
    ]

    /// Place, size or dress a pod on a node; a local process has none of that.
    private static let ignoredPodFields: Set<String> = [
        "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostNetwork",
        "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead", "preemptionPolicy", "priority",
        "priorityClassName", "runtimeClassName", "schedulerName", "securityContext", "serviceAccount",
        "serviceAccountName", "setHostnameAsFQDN", "subdomain", "tolerations", "topologySpreadConstraints",
    ]

    /// Reads a whole Job object.
    package init(_ object: JSONValue) throws(Problems) {
        var reader = FieldReader()
        let spec = reader.object(object["spec"], at: "spec", mend: "a Job needs a spec with a template")
        self.readCounts(from: spec, &reader)
        let template = reader.object(spec?["template"], at: "spec.template", mend: "a Job needs a pod template")
        self.podLabels = template?[path: "metadata", "labels"]?.strings ?? [:]
        self.podAnnotations = template?[path: "metadata", "annotations"]?.strings ?? [:]
        let path = "spec.template.spec"
        if let pod = reader.object(template?["spec"], at: path, mend: "the template needs containers") {
            self.readPod(from: pod, at: path, &reader)
        }
        if !reader.problems.isEmpty { throw Problems(sentences: reader.problems) }
    }

    private mutating func readCounts(from spec: JSONValue?, _ reader: inout FieldReader) {
        guard let spec else { return }
        reader.refuseUnknown(spec, at: "spec", known: Self.jobFields, ignored: [])
        self.parallelism = reader.count(spec["parallelism"], at: "spec.parallelism") ?? 1
        let completions = reader.count(spec["completions"], at: "spec.completions")
        self.completions = completions ?? (spec["parallelism"] == nil ? 1 : nil)
        self.backoffLimit = reader.count(spec["backoffLimit"], at: "spec.backoffLimit") ?? 6
        let deadline = reader.count(spec["activeDeadlineSeconds"], at: "spec.activeDeadlineSeconds")
        self.activeDeadline = deadline.map { .seconds($0) }
        let timeToLive = reader.count(spec["ttlSecondsAfterFinished"], at: "spec.ttlSecondsAfterFinished")
        self.timeToLiveAfterFinished = timeToLive.map { .seconds($0) }
        self.isSuspended = spec["suspend"]?.boolValue ?? false
        if let mode = spec["completionMode"]?.stringValue, mode != "NonIndexed" {
            reader.refuse("spec.completionMode", mode, "the local runner runs NonIndexed Jobs only")
        }
    }

    private mutating func readPod(from pod: JSONValue, at path: String, _ reader: inout FieldReader) {
        for field in ["volumes", "initContainers", "ephemeralContainers"] where pod[field]?.arrayValue?.isEmpty == false
        {
            if field == "initContainers" { continue }
            let mend = "a local process has no volumes or mounts: use paths of this machine, or env"
            reader.refuse("\(path).\(field)", "\(pod[field]?.arrayValue?.count ?? 0) entries", mend)
        }
        let known = Self.podFields.union(["volumes", "ephemeralContainers"])
        reader.refuseUnknown(pod, at: path, known: known, ignored: Self.ignoredPodFields)
        switch pod["restartPolicy"]?.stringValue {
        case "Never": self.restartPolicy = .never
        case "OnFailure": self.restartPolicy = .onFailure
        case let other: reader.refuse("\(path).restartPolicy", other ?? "(unset)", "a Job takes Never or OnFailure")
        }
        let gracePath = "\(path).terminationGracePeriodSeconds"
        let grace = reader.count(pod["terminationGracePeriodSeconds"], at: gracePath) ?? 30
        self.terminationGracePeriod = .seconds(grace)
        self.initContainers = LocalContainer.read(pod["initContainers"], at: "\(path).initContainers", &reader)
        self.containers = LocalContainer.read(pod["containers"], at: "\(path).containers", &reader)
        if self.containers.isEmpty { reader.refuse("\(path).containers", "none", "at least one is required") }
        let names = (self.initContainers + self.containers).map(\.name)
        for name in Set(names) where names.count(where: { $0 == name }) > 1 {
            reader.refuse("\(path).containers", name, "every container needs a name of its own")
        }
    }
}

extension JSONValue {
    package var strings: [String: String] { (self.objectValue ?? [:]).compactMapValues(\.stringValue) }
}
