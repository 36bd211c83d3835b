package import Kubernetes
package import Scaling

/// The Job of a ScaledJob as JSON with gaps where the name and the item go, so that a batch encodes its template once.
package struct JobTemplate: Sendable, Equatable {
    /// What goes into a gap; the raw value marks it until the template is cut.
    enum Gap: String, CaseIterable {
        case name = "sluice-job-name-goes-here"
        case annotatedKey = "sluice-item-key-goes-here"
        case annotatedAttempt = "sluice-item-attempt-goes-here"
        case variableKey = "sluice-item-key-variable-goes-here"
        case variablePayload = "sluice-item-payload-goes-here"
        case variableEncoding = "sluice-item-encoding-goes-here"
    }

    /// One more than there are gaps.
    private let pieces: [[UInt8]]
    private let gaps: [Gap]
    /// What fills them; nil for an ordinary Job, and for a trial.
    private var order: ItemOrder?
    /// Tells this template from another one, whatever a manifest's labels and annotations say.
    package let hash: String

    /// Builds the Job of a ScaledJob, with the labels, annotations and owner that existing tooling relies on.
    ///
    /// With `carriesItems` each Job is for one item, which its containers learn.
    package init(
        for scaledJob: ScaledJob,
        jobTargetRef: JSONValue,
        version: String,
        carriesItems: Bool = false
    ) throws {
        let name = scaledJob.metadata.name
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
        if carriesItems { template = Self.carryingItems(template) }
        var spec = jobTargetRef
        spec["template"] = template

        let hash = try CanonicalTemplate(jobTargetRef).hash()
        var annotations = Self.annotations(of: scaledJob, jobTargetRef, hash: hash)
        if carriesItems {
            annotations[WellKnown.itemKeyAnnotation] = .string(Gap.annotatedKey.rawValue)
            annotations[WellKnown.itemAttemptAnnotation] = .string(Gap.annotatedAttempt.rawValue)
        }
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
                "name": .string(Gap.name.rawValue),
                "namespace": .string(scaledJob.metadata.namespace ?? ""),
                "labels": .object(Self.labels(of: scaledJob, version: version)),
                "annotations": .object(annotations),
                "ownerReferences": [owner],
            ],
            "spec": spec,
        ]
        let bytes = try job.encoded()
        (self.pieces, self.gaps) = try Self.cut(bytes, carriesItems ? Gap.allCases : [.name])
        self.hash = hash
    }

    /// Whether each Job of it is for one item.
    package var carriesItems: Bool { self.gaps.count > 1 }

    /// The same template for the Job of one item.
    package func carrying(_ order: ItemOrder) -> JobTemplate {
        var template = self
        template.order = order
        return template
    }

    /// The body of the request that creates the Job of this name.
    ///
    /// Names are made by the host and need no escaping.
    package func body(name: String) -> [UInt8] {
        var body = self.pieces[0]
        for (gap, piece) in zip(self.gaps, self.pieces.dropFirst()) {
            body += Self.filling(gap, name: name, self.order)
            body += piece
        }
        return body
    }

    /// Cuts the text at the marks of these gaps.
    private static func cut(_ bytes: [UInt8], _ gaps: [Gap]) throws -> ([[UInt8]], [Gap]) {
        var marks: [(gap: Gap, range: Range<Int>)] = []
        for gap in gaps {
            // The name stands once, where only that key can be.
            let before = Array((gap == .name ? "\"name\":\"" : "\"").utf8)
            let mark = before + Array("\(gap.rawValue)\"".utf8)
            var start = 0
            while let range = bytes[start...].firstRange(of: mark) {
                marks.append((gap, (range.lowerBound + before.count)..<(range.upperBound - 1)))
                start = range.upperBound
                if gap == .name { break }
            }
        }
        guard marks.contains(where: { $0.gap == .name }) else {
            throw KubernetesError(.malformed, "the Job template cannot be encoded")
        }
        marks.sort { $0.range.lowerBound < $1.range.lowerBound }
        var pieces: [[UInt8]] = []
        var end = 0
        for mark in marks {
            pieces.append(Array(bytes[end..<mark.range.lowerBound]))
            end = mark.range.upperBound
        }
        return (pieces + [Array(bytes[end...])], marks.map(\.gap))
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
        annotations[WellKnown.itemKeyAnnotation] = nil
        annotations[WellKnown.itemAttemptAnnotation] = nil
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
    /// On a Job: the key of the item that it is for.
    package static let itemKeyAnnotation = "sluice.dev/item-key"
    /// On a Job: how often the item has been tried with it.
    package static let itemAttemptAnnotation = "sluice.dev/item-attempt"
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
