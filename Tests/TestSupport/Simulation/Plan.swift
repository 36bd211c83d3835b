import Kubernetes
import Standalone

/// A ScaledJob as somebody wants it: what its manifest is made of.
struct Plan {
    let key: ObjectKey
    /// For each trigger, its type.
    let types: [String]
    var most = 3
    var minimum = 0
    var interval = 5
    var image = 1
    var isImmediate = false
    var isForeground = false
    var keepsSucceeded = 2
    var keepsFailed = 2
    var expiresAfter: Int?
    var strategy: String?
    var calculation: String?
    var isPaused = false
    var isBroken = false
    var hasFinalizer = false
    var label = 0

    var queues: [String] { self.types.indices.map { "\(self.key)-\($0)" } }
    var login: ObjectKey { ObjectKey(namespace: self.key.namespace, name: "\(self.key.name)-login") }

    var manifest: JSONValue {
        var job: JSONValue = [
            "backoffLimit": 0,
            "template": [
                "spec": [
                    "containers": [["name": "main", "image": .string("worker:\(self.image)"), "command": ["work"]]]
                ]
            ],
        ]
        if let expiresAfter { job["ttlSecondsAfterFinished"] = .integer(Int64(expiresAfter)) }
        var spec: JSONValue = [
            "pollingInterval": .integer(Int64(self.interval)),
            // A manifest that cannot be understood.
            "maxReplicaCount": .integer(Int64(self.isBroken ? 0 : self.most)),
            "successfulJobsHistoryLimit": .integer(Int64(self.keepsSucceeded)),
            "failedJobsHistoryLimit": .integer(Int64(self.keepsFailed)),
            "jobTargetRef": job,
            "rollout": [
                "strategy": self.isImmediate ? "immediate" : "gradual",
                "propagationPolicy": self.isForeground ? "foreground" : "background",
            ],
            "triggers": .array(
                zip(self.types, self.queues).map { type, queue in
                    [
                        "type": .string(type), "metadata": ["queue": .string(queue)],
                        "authenticationRef": ["name": .string(self.login.name)],
                    ]
                }
            ),
        ]
        if self.minimum > 0 { spec["minReplicaCount"] = .integer(Int64(self.minimum)) }
        var scaling: JSONValue = [:]
        if let strategy { scaling["strategy"] = .string(strategy) }
        if let calculation { scaling["multipleScalersCalculation"] = .string(calculation) }
        if scaling != [:] { spec["scalingStrategy"] = scaling }
        var metadata: JSONValue = [
            "name": .string(self.key.name), "namespace": .string(self.key.namespace),
            "labels": ["team": .string("team-\(self.label)")],
        ]
        if self.isPaused { metadata["annotations"] = ["autoscaling.keda.sh/paused": "true"] }
        if self.hasFinalizer { metadata["finalizers"] = ["finalizer.keda.sh"] }
        return ["metadata": metadata, "spec": spec]
    }

    func secret(_ password: String) -> JSONValue {
        [
            "metadata": ["name": .string(self.login.name), "namespace": .string(self.login.namespace)],
            "stringData": ["p": .string(password)],
        ]
    }

    var authentication: JSONValue {
        [
            "metadata": ["name": .string(self.login.name), "namespace": .string(self.login.namespace)],
            "spec": [
                "secretTargetRef": [["parameter": "password", "name": .string(self.login.name), "key": "p"]]
            ],
        ]
    }
}
