import Kubernetes

/// Objects as KEDA leaves them behind.
enum KEDAObjects {
    static let finalizer = "finalizer.keda.sh"

    /// A Job as KEDA makes it for this ScaledJob, named by the API server.
    static func job(of scaledJob: JSONValue, generation: Int64) -> JSONValue {
        let name = scaledJob[path: "metadata", "name"] ?? ""
        var spec = scaledJob[path: "spec", "jobTargetRef"] ?? [:]
        var template = spec["template"] ?? [:]
        template["metadata"] = [
            "generateName": .string("\(name.stringValue ?? "")-"), "labels": ["scaledjob.keda.sh/name": name],
        ]
        spec["template"] = template
        return [
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": [
                "generateName": .string("\(name.stringValue ?? "")-"),
                "labels": [
                    "app.kubernetes.io/name": name, "app.kubernetes.io/version": "2.20.2",
                    "app.kubernetes.io/part-of": name, "app.kubernetes.io/managed-by": "keda-operator",
                    "scaledjob.keda.sh/name": name,
                ],
                "annotations": ["scaledjob.keda.sh/generation": .string("\(generation)")],
                "ownerReferences": [
                    [
                        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "name": name,
                        "uid": scaledJob[path: "metadata", "uid"] ?? "", "controller": true,
                        "blockOwnerDeletion": true,
                    ]
                ],
            ],
            "spec": spec,
        ]
    }

    /// The status of a ScaledJob that KEDA has worked on.
    static let status: JSONValue = [
        "status": [
            "conditions": [
                [
                    "type": "Ready", "status": "True", "reason": "ScaledJobReady",
                    "message": "ScaledJob is defined correctly and is ready for scaling",
                ],
                ["type": "Active", "status": "True", "reason": "ScalerActive"],
                ["type": "Fallback", "status": "Unknown"],
                ["type": "Paused", "status": "False"],
            ],
            "lastActiveTime": "2026-01-01T00:00:00Z",
            "triggersTypes": "scripted",
            "triggersActivity": ["s0-scripted": ["isActive": true]],
        ]
    ]
}
