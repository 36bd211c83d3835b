extension Condition {
    /// What the Active condition says; nil leaves it as it is, since whether a trigger is active is not known.
    static func activity(_ isActive: Bool?) -> Condition? {
        isActive.map { isActive in
            isActive
                ? Condition(.active, .yes, "ScalerActive", "Scaling is performed because triggers are active")
                : Condition(.active, .no, "ScalerNotActive", "Scaling is not performed because triggers are not active")
        }
    }

    /// What Ready says about triggers that could not be read; nil where all could.
    static func triggerError(_ failures: [String], isActive: Bool?) -> Condition? {
        guard let first = failures.first else { return nil }
        let more = failures.count > 1 ? " (and \(failures.count - 1) more)" : ""
        return isActive == true
            ? Condition(.ready, .unknown, "PartialTriggerError", first + more)
            : Condition(.ready, .no, "TriggerError", first + more)
    }

    /// What Ready says when nothing is wrong.
    static func ready(isPaused: Bool) -> Condition {
        let message = isPaused ? "ScaledJob is paused" : "ScaledJob is defined correctly and is ready for scaling"
        return Condition(.ready, .yes, "ScaledJobReady", message)
    }
}
