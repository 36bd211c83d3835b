internal import Kubernetes

/// What the runner knows of one Job object beside its machine.
struct LocalJobRecord: Sendable {
    let key: ObjectKey
    let uid: String
    /// The pod template's metadata and the owner reference for pods.
    let template: JSONValue
    var machine: LocalJobMachine
    var podNames: [Int: String] = [:]

    init(_ object: JSONValue, machine: LocalJobMachine) {
        self.key = object.key
        self.uid = object.uid
        self.template = object[path: "spec", "template"] ?? .object([:])
        self.machine = machine
    }

    /// The object of a pod that is about to be created.
    func podObject(named name: String) -> JSONValue {
        var labels = self.template[path: "metadata", "labels"]?.objectValue ?? [:]
        for label in ["job-name", "batch.kubernetes.io/job-name"] { labels[label] = .string(self.key.name) }
        for label in ["controller-uid", "batch.kubernetes.io/controller-uid"] { labels[label] = .string(self.uid) }
        var metadata: JSONValue = [
            "name": .string(name), "namespace": .string(self.key.namespace), "labels": .object(labels),
            "ownerReferences": [
                [
                    "apiVersion": "batch/v1", "kind": "Job", "name": .string(self.key.name), "uid": .string(self.uid),
                    "controller": true, "blockOwnerDeletion": true,
                ]
            ],
        ]
        metadata["annotations"] = self.template[path: "metadata", "annotations"]
        return ["metadata": metadata, "spec": self.template["spec"] ?? .object([:]), "status": ["phase": "Pending"]]
    }
}
