import Kubernetes

/// The manifests that tests apply.
enum Manifests {
    /// A ScaledJob whose documents the scripted plugin counts.
    static func scaledJob(
        _ name: String,
        _ documents: Documents,
        type: String = "scripted",
        maximum: Int = 10,
        interval: Int = 1,
        keepSucceeded: Int = 1000
    ) -> JSONValue {
        let trigger: JSONValue = ["type": .string(type), "metadata": ["file": .string(documents.file)]]
        return Self.scaledJob(
            name,
            triggers: [trigger],
            [
                "pollingInterval": .integer(Int64(interval)), "maxReplicaCount": .integer(Int64(maximum)),
                "successfulJobsHistoryLimit": .integer(Int64(keepSucceeded)),
            ]
        )
    }

    /// A ScaledJob with these triggers and further members of its spec.
    static func scaledJob(_ name: String, triggers: JSONValue, _ members: [String: JSONValue] = [:]) -> JSONValue {
        let template: JSONValue = [
            "spec": ["restartPolicy": "Never", "containers": [["name": "main", "image": "main:1"]]]
        ]
        var spec = members
        spec["jobTargetRef"] = ["template": template]
        spec["triggers"] = triggers
        return [
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledJob",
            "metadata": ["name": .string(name)],
            "spec": .object(spec),
        ]
    }

    static func mongodb(_ metadata: [String: JSONValue], authentication: String? = nil) -> JSONValue {
        var trigger: JSONValue = ["type": "mongodb", "metadata": .object(metadata)]
        if let authentication { trigger["authenticationRef"] = ["name": .string(authentication)] }
        return trigger
    }

    /// What a MongoDB trigger needs besides its connection.
    static func query(of database: String) -> [String: JSONValue] {
        [
            "dbName": .string(database), "collection": "videos", "query": #"{"state":"waiting"}"#,
            "queryValue": "1",
        ]
    }

    /// A TriggerAuthentication that takes the connection string from the key `connect` of a Secret.
    static func authentication(_ name: String, secret: String) -> JSONValue {
        [
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "TriggerAuthentication",
            "metadata": ["name": .string(name)],
            "spec": [
                "secretTargetRef": [
                    ["parameter": "connectionString", "name": .string(secret), "key": "connect"]
                ]
            ],
        ]
    }

    static func secret(_ name: String, _ values: [String: JSONValue]) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": .string(name)],
            "stringData": .object(values),
        ]
    }
}
