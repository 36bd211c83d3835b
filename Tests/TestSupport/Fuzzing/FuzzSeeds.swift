import Kubernetes

/// Documents as people write them, to start from.
enum FuzzSeeds {
    static let all: [JSONValue] = [scaledJob, itemJob, authentication, clusterAuthentication, secret, list]

    /// One Job per item.
    static let itemJob: JSONValue = {
        var object = Self.scaledJob
        object["metadata"]?["annotations"] = ["sluice.dev/one-job-per-item": "true", "sluice.dev/item-attempts": "3"]
        object["spec"]?["minReplicaCount"] = nil
        let first = Self.scaledJob[path: "spec", "triggers"]?.arrayValue?.first
        object["spec"]?["triggers"] = .array(first.map { [$0] } ?? [])
        return object
    }()

    static let scaledJob: JSONValue = [
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledJob",
        "metadata": [
            "name": "transcode", "namespace": "media", "labels": ["team": "media"],
            "annotations": ["autoscaling.keda.sh/paused": "false", "scaledjob.keda.sh/job-excluded-labels": "team,x"],
        ],
        "spec": [
            "pollingInterval": 30, "successfulJobsHistoryLimit": 5, "failedJobsHistoryLimit": 5, "minReplicaCount": 1,
            "maxReplicaCount": 10, "envSourceContainerName": "main",
            "rollout": ["strategy": "gradual", "propagationPolicy": "foreground"],
            "scalingStrategy": [
                "strategy": "custom", "customScalingQueueLengthDeduction": 1,
                "customScalingRunningJobPercentage": "0.5",
                "pendingPodConditions": ["Ready", "PodScheduled"], "multipleScalersCalculation": "sum",
            ],
            "triggers": [
                [
                    "type": "queue", "name": "first",
                    "metadata": [
                        "address": "http://queue/", "target": "5", "filter": "{\"a\":1}", "passwordFromEnv": "PASS",
                    ],
                    "authenticationRef": ["name": "queue"],
                ],
                ["type": "cron", "metadata": ["timezone": "UTC", "start": "0 8 * * *"], "useCachedMetrics": false],
            ],
            "jobTargetRef": [
                "parallelism": 1, "backoffLimit": 2,
                "template": [
                    "metadata": ["labels": ["app": "transcode"]],
                    "spec": [
                        "restartPolicy": "Never",
                        "containers": [
                            [
                                "name": "main", "image": "main:1",
                                "env": [
                                    ["name": "PASS", "value": "$(USER)-$$(X)"],
                                    [
                                        "name": "USER",
                                        "valueFrom": [
                                            "secretKeyRef": ["name": "queue", "key": "user", "optional": true]
                                        ],
                                    ],
                                ],
                                "envFrom": [["secretRef": ["name": "queue"], "prefix": "Q_"]],
                                "resources": ["requests": ["cpu": "100m", "memory": "1Gi"]],
                            ]
                        ],
                    ],
                ],
            ],
        ],
    ]

    static let authentication: JSONValue = [
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": ["name": "queue", "namespace": "media"],
        "spec": [
            "podIdentity": ["provider": "aws", "roleArn": "arn:aws:iam::1:role/a", "identityOwner": "keda"],
            "secretTargetRef": [["parameter": "password", "name": "queue", "key": "password"]],
            "configMapTargetRef": [["parameter": "address", "name": "queue", "key": "address"]],
            "env": [["parameter": "password", "name": "PASS", "containerName": "main"]],
            "hashiCorpVault": [
                "address": "https://vault", "authentication": "token", "credential": ["token": "t"],
                "secrets": [["parameter": "password", "path": "secret/data/a", "key": "b"]],
            ],
            "oauth2": [
                "type": "clientCredentials", "clientId": "a", "tokenUrl": "https://host/token", "scopes": ["a"],
                "clientSecret": ["valueFrom": ["secretKeyRef": ["name": "a", "key": "b"]]],
            ],
            "boundServiceAccountToken": [["parameter": "token", "serviceAccountName": "default"]],
        ],
    ]

    static let clusterAuthentication: JSONValue = [
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ClusterTriggerAuthentication",
        "metadata": ["name": "queue"],
        "spec": ["filePath": "team/queue.json", "podIdentity": ["provider": "azure-workload", "identityId": "a"]],
    ]

    static let secret: JSONValue = [
        "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "queue", "namespace": "media"],
        "data": ["password": "aHVudGVyMg=="], "stringData": ["user": "anna"],
    ]

    static let list: JSONValue = [
        "apiVersion": "v1", "kind": "List", "items": [scaledJob, authentication, ["kind": "Deployment"]],
    ]

    /// The question of `sluice decide` about this object.
    static func situation(_ object: JSONValue) -> JSONValue {
        let count = object[path: "spec", "triggers"]?.arrayValue?.count ?? 1
        let readings: [JSONValue] = [
            ["value": 3, "target": 1, "active": true], ["value": 0.5, "target": 0.1, "activation": 2],
            ["error": "timed out"], ["value": 7, "targets": [2, 3], "counts": "claimed", "inFlight": 2],
        ]
        return [
            "scaledJob": object,
            "triggers": .array((0..<count).map { readings[$0 % readings.count] }),
            "jobs": ["running": 2, "pending": 1],
        ]
    }

    /// An `AdmissionReview` that asks about an object.
    static func review(_ object: JSONValue) -> JSONValue {
        [
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": [
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
                "kind": ["group": "keda.sh", "version": "v1alpha1", "kind": object["kind"] ?? .null],
                "resource": ["group": "keda.sh", "version": "v1alpha1", "resource": "scaledjobs"],
                "name": "transcode", "namespace": "media", "operation": "UPDATE",
                "userInfo": ["username": "admin", "groups": ["system:authenticated"]],
                "object": object, "oldObject": .null, "dryRun": false,
            ],
        ]
    }
}
