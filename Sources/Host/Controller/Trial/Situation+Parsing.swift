import Kubernetes
import Scaling

extension Situation {
    /// Understands a situation, or says everything that is wrong with it.
    static func parse(_ value: JSONValue) -> Result<Situation, InvalidSpecification> {
        guard let members = value.objectValue else {
            let mend = "write an object with scaledJob, triggers and jobs"
            return .failure(InvalidSpecification([Problem("situation", "is \(value.summary); \(mend)")]))
        }
        var reader = SituationReader()
        reader.ignore(members, known: ["scaledJob", "triggers", "jobs"], path: "")
        let scaledJob = reader.scaledJob(members["scaledJob"] ?? .null)
        let triggers = reader.triggers(members["triggers"] ?? .null)
        let jobs = reader.jobs(members["jobs"] ?? .null)
        if let scaledJob, let triggers { reader.compare(scaledJob.specification, triggers) }
        guard reader.problems.isEmpty, let scaledJob, let triggers, let jobs else {
            return .failure(InvalidSpecification(reader.problems))
        }
        let names = scaledJob.specification.triggers.map(\.name)
        var faults: [TriggerFault] = []
        for (index, trigger) in triggers.enumerated() {
            guard case .unknown(let why) = trigger else { continue }
            let name = names.indices.contains(index) ? names[index] : nil
            faults.append(TriggerFault(index: index, name: name, message: why))
        }
        return .success(
            Situation(
                specification: scaledJob.specification,
                isPaused: scaledJob.isPaused,
                triggers: triggers,
                faults: faults,
                jobs: jobs,
                notes: reader.notes
            )
        )
    }
}

/// Reads the parts of a situation and collects what is wrong with them.
private struct SituationReader {
    var problems: [Problem] = []
    var notes: [String] = []

    mutating func ignore(_ members: [String: JSONValue], known: Set<String>, path: String) {
        for key in members.keys.sorted() where !known.contains(key) {
            self.notes.append("\(path)\(key.prefix(100)): is not known and has no effect")
        }
    }

    // MARK: - The manifest

    mutating func scaledJob(_ value: JSONValue) -> (specification: ScaledJobSpecification, isPaused: Bool)? {
        guard value.objectValue != nil else {
            return self.refuse("scaledJob", value, "write the manifest of a ScaledJob")
        }
        if let kind = value["kind"], kind != .null, kind.stringValue != ScaledJob.resource.kind {
            return self.refuse("scaledJob.kind", kind, "write the manifest of a ScaledJob")
        }
        let isPaused = self.isPaused(value["metadata"] ?? .null)
        switch ScaledJobSpecification.parse(value["spec"]) {
        case .success(let specification): return (specification, isPaused)
        case .failure(let invalid):
            self.problems += invalid.problems.map { Problem("scaledJob.\($0.field)", $0.message) }
            return nil
        }
    }

    private mutating func isPaused(_ metadata: JSONValue) -> Bool {
        guard metadata != .null, let annotations = metadata["annotations"], annotations != .null else { return false }
        guard let members = annotations.objectValue else {
            self.refuse("scaledJob.metadata.annotations", annotations, "write an object of texts")
            return false
        }
        guard let value = members[WellKnown.pausedAnnotation] else { return false }
        guard let text = value.stringValue else {
            self.refuse("scaledJob.metadata.annotations.\(WellKnown.pausedAnnotation)", value, "put it in quotes")
            return false
        }
        return WellKnown.isPaused([WellKnown.pausedAnnotation: text])
    }

    // MARK: - Readings

    mutating func triggers(_ value: JSONValue) -> [TriggerStanding]? {
        guard let list = value.arrayValue else {
            return self.refuse("triggers", value, "write a list with what each trigger reports, or an empty list")
        }
        var standings: [TriggerStanding] = []
        for (index, element) in list.enumerated() {
            var reader = FieldReader(element, path: "triggers[\(index)]")
            let known: Set<String> = [
                "value", "target", "targets", "active", "activation", "inFlight", "counts", "error",
            ]
            self.ignore(reader.members, known: known, path: "triggers[\(index)].")
            if let standing = self.trigger(&reader) { standings.append(standing) }
            self.problems += reader.problems
        }
        return standings.count == list.count ? standings : nil
    }

    private mutating func trigger(_ reader: inout FieldReader) -> TriggerStanding? {
        if reader.present("error") != nil {
            if reader.present("value") != nil {
                reader.note("error", "is there beside a value; leave one of them out")
            }
            return reader.string("error").map { .unknown($0.isEmpty ? "the reading failed" : $0) }
        }
        guard reader.problems.isEmpty else { return nil }
        if reader.present("value") == nil { reader.note("value", "is missing; write the number that waits, or error") }
        let waiting = reader.number("value")
        let target = self.target(&reader)
        let activation = reader.number("activation") ?? 0
        let active = reader.boolean("active")
        let inFlight = reader.number("inFlight")
        let counts = reader.choice("counts", of: TriggerBacklog.Counts.self)
        guard reader.problems.isEmpty, let waiting, let target else { return nil }
        if waiting < 0 { self.notes.append("\(reader.path).value: \(waiting) counts as 0") }
        return .known(
            TriggerBacklog(
                waiting: waiting,
                target: target,
                isActive: active ?? (waiting > activation),
                inFlight: inFlight,
                counts: counts
            ),
            askedAt: Situation.moment
        )
    }

    private func target(_ reader: inout FieldReader) -> Double? {
        guard let several = reader.present("targets") else {
            if reader.present("target") == nil { reader.note("target", "is missing; write the backlog one Job takes") }
            return reader.number("target", atLeast: 0)
        }
        guard let list = several.arrayValue else {
            reader.note("targets", "\(several.summary) is not a list; write one target for each metric")
            return nil
        }
        var targets: [Double?] = []
        for (index, element) in list.enumerated() {
            if element != .null, (element.numberValue ?? -1) < 0 {
                reader.note("targets[\(index)]", "\(element.summary) is not a number; write 0 or more, or null")
            }
            targets.append(element.numberValue)
        }
        return TriggerBacklog.meanTarget(targets)
    }

    /// Readings belong to triggers; none at all is a situation of its own.
    mutating func compare(_ specification: ScaledJobSpecification, _ triggers: [TriggerStanding]) {
        let (wanted, found) = (specification.triggers.count, triggers.count)
        guard found > 0, wanted != found else { return }
        let message = "has \(found) readings and the manifest \(wanted) triggers; write one for each, or an empty list"
        self.problems.append(Problem("triggers", message))
    }

    // MARK: - Jobs

    mutating func jobs(_ value: JSONValue) -> Situation.Jobs? {
        guard value.objectValue != nil else {
            return self.refuse("jobs", value, "write an object with running and pending, or with error")
        }
        var reader = FieldReader(value, path: "jobs")
        defer { self.problems += reader.problems }
        self.ignore(reader.members, known: ["running", "pending", "error"], path: "jobs.")
        if reader.present("error") != nil {
            return reader.string("error").map { .unknown($0.isEmpty ? "the list failed" : $0) }
        }
        if reader.present("running") == nil {
            reader.note("running", "is missing; write how many Jobs are unfinished, pending ones among them")
        }
        let running = reader.integer("running", atLeast: 0)
        var pending: Int? = 0
        var why: String?
        if let failure = reader.present("pending")?["error"] {
            why = failure.stringValue
            if why == nil { reader.note("pending.error", "\(failure.summary) is not text") }
            if why == "" { why = "the list failed" }
            pending = nil
        } else {
            pending = reader.integer("pending", atLeast: 0) ?? 0
        }
        guard reader.problems.isEmpty, let running else { return nil }
        if let pending, pending > running {
            reader.note(
                "pending",
                "\(pending) is more than \(running) running; running counts pending Jobs as well"
            )
            return nil
        }
        return .known(ScalingPolicy.Jobs(unfinished: running, pending: pending, whyPendingIsUnknown: why))
    }

    @discardableResult
    private mutating func refuse<Value>(_ field: String, _ value: JSONValue, _ mend: String) -> Value? {
        let what = value == .null ? "is missing" : "\(value.summary) cannot be used"
        self.problems.append(Problem(field, "\(what); \(mend)"))
        return nil
    }

    private mutating func refuse(_ field: String, _ value: JSONValue, _ mend: String) {
        let _: Bool? = self.refuse(field, value, mend)
    }
}

extension JSONValue {
    /// A finite number.
    fileprivate var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value.isFinite ? value : nil
        default: nil
        }
    }
}

extension FieldReader {
    fileprivate mutating func number(_ key: String, atLeast minimum: Double? = nil) -> Double? {
        guard let value = self.present(key) else { return nil }
        guard let number = value.numberValue else {
            self.note(key, "\(value.summary) is not a number")
            return nil
        }
        if let minimum, number < minimum {
            self.note(key, "\(number) is too small; write \(minimum) or more")
            return nil
        }
        return number
    }

    fileprivate mutating func boolean(_ key: String) -> Bool? {
        guard let value = self.present(key) else { return nil }
        guard let result = value.boolValue else {
            self.note(key, "\(value.summary) is neither true nor false")
            return nil
        }
        return result
    }
}
