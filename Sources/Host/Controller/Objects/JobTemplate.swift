package import Kubernetes

/// The Job of a ScaledJob as JSON with a gap where the name goes, so that a batch encodes its template once.
package struct JobTemplate: Sendable, Equatable {
    private let beforeName: [UInt8]
    private let afterName: [UInt8]
    /// Tells this template from another one, whatever a manifest's labels and annotations say.
    package let hash: String

    /// Builds the Job of a ScaledJob, with the labels, annotations and owner that existing tooling relies on.
    package init(for scaledJob: ScaledJob, jobTargetRef: JSONValue, version: String) throws {
        let name = scaledJob.metadata.name
        let mark = "sluice-job-name-goes-here"
        var template = jobTargetRef["template"] ?? .object([:])
        var podMetadata = template["metadata"] ?? .object([:])
        var podLabels = podMetadata["labels"] ?? .object([:])
        podLabels[WellKnown.nameLabel] = .string(WellKnown.labelValue(name))
        podMetadata["labels"] = podLabels
        template["metadata"] = podMetadata
        if template[path: "spec", "restartPolicy"]?.stringValue.map(\.isEmpty) ?? true {
            var podSpec = template["spec"] ?? .object([:])
            podSpec["restartPolicy"] = "OnFailure"
            template["spec"] = podSpec
        }
        var spec = jobTargetRef
        spec["template"] = template

        let hash = try CanonicalTemplate(jobTargetRef).hash()
        let owner: JSONValue = [
            "apiVersion": .string(ScaledJob.resource.apiVersion),
            "kind": .string(ScaledJob.resource.kind),
            "name": .string(name),
            "uid": .string(scaledJob.uid),
            "controller": true,
            "blockOwnerDeletion": true,
        ]
        let job: JSONValue = [
            "apiVersion": .string(APIResource.jobs.apiVersion),
            "kind": .string(APIResource.jobs.kind),
            "metadata": [
                "name": .string(mark),
                "namespace": .string(scaledJob.metadata.namespace ?? ""),
                "labels": .object(Self.labels(of: scaledJob, version: version)),
                "annotations": .object(Self.annotations(of: scaledJob, jobTargetRef, hash: hash)),
                "ownerReferences": [owner],
            ],
            "spec": spec,
        ]
        let bytes = try job.encoded()
        guard let range = bytes.firstRange(of: Array("\"name\":\"\(mark)\"".utf8)) else {
            throw KubernetesError(.malformed, "the Job template cannot be encoded")
        }
        self.hash = hash
        self.beforeName = Array(bytes[..<range.lowerBound]) + Array("\"name\":\"".utf8)
        self.afterName = Array("\"".utf8) + Array(bytes[range.upperBound...])
    }

    /// The body of the request that creates the Job of this name.
    ///
    /// Names are made by the host and need no escaping.
    package func body(name: String) -> [UInt8] {
        self.beforeName + Array(name.utf8) + self.afterName
    }

    private static func labels(of scaledJob: ScaledJob, version: String) -> [String: JSONValue] {
        let name = WellKnown.labelValue(scaledJob.metadata.name)
        let excluded = Set(
            (scaledJob.metadata.annotations?[WellKnown.excludedLabelsAnnotation] ?? "").split(separator: ",")
                .map(String.init)
        )
        var labels: [String: String] = [
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/version": WellKnown.labelValue(version),
            "app.kubernetes.io/part-of": name,
            // Policies and dashboards that came with the manifests select on it.
            "app.kubernetes.io/managed-by": "keda-operator",
        ]
        for (key, value) in scaledJob.metadata.labels ?? [:] where !excluded.contains(key) {
            labels[key] = value
        }
        // The host finds its Jobs by this label: no label of the ScaledJob may take its place.
        labels[WellKnown.nameLabel] = name
        return labels.mapValues(JSONValue.string)
    }

    private static func annotations(
        of scaledJob: ScaledJob,
        _ jobTargetRef: JSONValue,
        hash: String
    ) -> [String: JSONValue] {
        var annotations = scaledJob.metadata.annotations ?? [:]
        annotations[WellKnown.lastAppliedAnnotation] = nil
        annotations[WellKnown.templateHashAnnotation] = hash
        annotations[WellKnown.timeToLiveAnnotation] = jobTargetRef["ttlSecondsAfterFinished"]?.integerValue.map {
            "\($0)"
        }
        annotations[WellKnown.generationAnnotation] = "\(scaledJob.metadata.generation ?? 0)"
        return annotations.mapValues(JSONValue.string)
    }
}

/// Keys that existing manifests and tools rely on.
package enum WellKnown {
    package static let nameLabel = "scaledjob.keda.sh/name"
    package static let generationAnnotation = "scaledjob.keda.sh/generation"
    /// On a Job: the template that it was made of.
    package static let templateHashAnnotation = "sluice.dev/template-hash"
    /// On a Job: its `ttlSecondsAfterFinished`, which an API server without that feature takes off the Job itself.
    package static let timeToLiveAnnotation = "sluice.dev/ttl-seconds-after-finished"
    /// What KEDA leaves on its objects.
    package static let kedaFinalizer = "finalizer.keda.sh"
    package static let excludedLabelsAnnotation = "scaledjob.keda.sh/job-excluded-labels"
    package static let finishedJobsAgeAnnotation = "sluice.dev/finished-jobs-max-age"
    package static let pausedAnnotation = "autoscaling.keda.sh/paused"
    package static let lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"

    /// A name or version as a label value: at most 63 characters of those that a label may have, ending in a letter or
    /// digit.
    package static func labelValue(_ name: String) -> String {
        var value = name.utf8.prefix(63).map { Self.mayStand($0) ? $0 : UInt8(ascii: "-") }
        while let last = value.last, !Self.mayEnd(last) { value.removeLast() }
        return String(decoding: value, as: UTF8.self)
    }

    private static func mayEnd(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func mayStand(_ byte: UInt8) -> Bool {
        Self.mayEnd(byte) || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
    }

    /// Whether an object's annotations pause it: present and not a form of false.
    package static func isPaused(_ annotations: [String: String]?) -> Bool {
        guard let value = annotations?[Self.pausedAnnotation] else { return false }
        return !["0", "f", "F", "FALSE", "false", "False"].contains(value)
    }
}

extension Array where Element == UInt8 {
    fileprivate func firstRange(of other: [UInt8]) -> Range<Int>? {
        guard !other.isEmpty, self.count >= other.count else { return nil }
        return (0...(self.count - other.count)).lazy
            .first { self[$0..<($0 + other.count)].elementsEqual(other) }
            .map { $0..<($0 + other.count) }
    }
}
