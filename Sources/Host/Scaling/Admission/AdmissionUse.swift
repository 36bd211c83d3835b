/// What Jobs take of the limits: of one ScaledJob, or of all within a scope.
package struct AdmissionUse: Sendable, Hashable {
    /// Jobs that are not finished, with those whose creation is under way or has an unknown outcome.
    package var jobs: Int
    /// Job objects: these, and the finished ones.
    package var objects: Int
    /// What the unfinished ones request.
    package var resources: ResourceAmounts

    package init(jobs: Int = 0, objects: Int = 0, resources: ResourceAmounts = ResourceAmounts()) {
        self.jobs = jobs
        self.objects = objects
        self.resources = resources
    }

    package static func += (left: inout AdmissionUse, right: AdmissionUse) {
        left.jobs += right.jobs
        left.objects += right.objects
        if !right.resources.isEmpty { left.resources += right.resources }
    }

    package static func -= (left: inout AdmissionUse, right: AdmissionUse) {
        left.jobs -= right.jobs
        left.objects -= right.objects
        if !right.resources.isEmpty { left.resources -= right.resources }
    }
}
