import Controller
import Kubernetes
import Standalone

// What the shell does with the machine's actions: calls to the server, under the fence.
extension World {
    private static let callTimeout = Duration.seconds(15)

    /// What a call may do, by what its host was shown when it was asked for.
    private struct Warrant {
        let process: Process
        var sentAt: ContinuousClock.Instant
        var most = 0
        var mayEnd = false
        var name = ""
    }

    func call(_ action: ControllerAction, on host: Host) {
        guard let acting = host.acting, !host.isDraining else { return }
        var warrant = Warrant(process: host.process, sentAt: self.now)
        self.judge(action, acting, host, &warrant)
        acting.calls.began()
        // Between the machine and the wire: what waits there for long is what the fence is for.
        let longestWait = self.mutation == .ignoresFence && !self.weather.isOver ? 3 : 0.02
        self.schedule(after: self.dice.time(0, longestWait), on: host, "call is sent") { world in
            world.send(action, warrant, on: host)
        }
    }

    private func send(_ action: ControllerAction, _ warrant: Warrant, on host: Host) {
        guard host.acting != nil else { return }
        if self.mutation != .ignoresFence, self.mutation != .ignoresLoss, let deadline = host.election?.deadline,
            self.now >= deadline
        {
            self.note(host.name) { "is fenced: \(Self.words(action)) is not sent" }
            return self.answered(action, .failure(KubernetesError(.cancelled, "no longer leads")), on: host)
        }
        var warrant = warrant
        warrant.sentAt = self.now
        self.judgeSending(host)
        var kind = RequestKind.writing
        switch action {
        case .createJob, .tryTemplate: kind = .creating
        case .lookUpJob, .compareTemplate: kind = .reading
        default: break
        }
        self.note(host.name) { Self.words(action) }
        self.request(on: host, timeout: Self.callTimeout, kind, "answer") { world in
            world.perform(action, warrant)
        } answer: { world, result in
            world.answered(action, result, on: host)
        }
    }

    // MARK: - The server's side

    private func perform(_ action: ControllerAction, _ warrant: Warrant) -> ClusterAPI.Answer {
        switch action {
        case .createJob(let job, let template): return self.create(job, template, warrant)
        case .tryTemplate(let owner, _, let key, let template):
            let body = self.body(template, key.name)
            let result = self.api.create(.jobs, body, in: key.namespace, isTrial: true, now: self.time)
            if case .success = result { self.accepted.insert("\(owner) \(template.hash)") }
            return result
        case .lookUpJob(let job): return self.api.get(.jobs, job.key)
        case .deleteJob(let job, let deletion): return self.delete(job, deletion, warrant)
        case .compareTemplate(let job, _, _, _, _): return self.api.get(.jobs, job.key)
        case .removeFinalizer(let reference):
            return self.api.patch(
                reference.resource,
                reference.key,
                [
                    "metadata": [
                        "uid": .string(reference.uid), "resourceVersion": .string(reference.resourceVersion),
                        "finalizers": .array(reference.others.map(JSONValue.string)),
                    ]
                ]
            )
        case .writeStatus(_, let key, let patch): return self.api.patch(.scaledJobs, key, patch, status: true)
        case .writeAuthenticationStatus(let id, let names):
            let patch: JSONValue = ["status": ["scaledjobs": names.map(JSONValue.string) ?? .null]]
            return self.api.patch(id.kind.resource, id.key, patch, status: true)
        default: return .success([:])
        }
    }

    private func body(_ template: JobTemplate, _ name: String) -> JSONValue {
        if let known = self.bodies.first(where: { $0.template == template })?.body {
            var body = known
            body.metadata["name"] = .string(name)
            return body
        }
        guard let body = try? JSONValue(parsing: template.body(name: name)) else { return [:] }
        if self.bodies.count > 16 { self.bodies.removeFirst() }
        self.bodies.append((template, body))
        return body
    }

    private func create(_ job: JobReference, _ template: JobTemplate, _ warrant: Warrant) -> ClusterAPI.Answer {
        let body = self.body(template, warrant.name)
        let result = self.api.create(.jobs, body, in: job.key.namespace, now: self.time)
        guard case .success = result else {
            if case .failure(let error) = result {
                self.note("server") { "\(warrant.name) is not created: \(error)" }
                if error.status == 403 { self.count(self.api.refusal == nil ? .quotaShrank : .admissionRefused) }
            }
            return result
        }
        self.createdJobs += 1
        self.noteWrites()
        let unfinished = self.unfinished(of: job.owner)
        self.note("server") { "stores \(warrant.name), the \(unfinished). that is unfinished, of \(warrant.most)" }
        let most = self.most(for: job, warrant.most) + self.resurrected(of: job.owner)
        if unfinished > most {
            self.violate(
                "\(warrant.name) makes \(unfinished) unfinished Jobs where \(most) are allowed (asked for by "
                    + "\(self.hosts[warrant.process.host].name) in its life \(warrant.process.life))"
            )
        }
        if let leader = self.lastLeader, leader.process != warrant.process, leader.since > warrant.sentAt {
            self.violate("\(warrant.name) was stored for a former leader after another had begun to act")
        }
        self.collectSoon(job)
        return result
    }

    /// The largest maximum under which one of the unfinished Jobs was asked for: who lowers it kills nothing.
    private func most(for job: JobReference, _ most: Int) -> Int {
        let others = self.jobs.values.filter { $0.owner == job.owner && !$0.isFinished && $0.key != job.key }
        let largest = Swift.max(most, others.compactMap { self.allowances[$0.uid] }.max() ?? 0)
        if let uid = self.jobs.values.first(where: { $0.key == job.key })?.uid { self.allowances[uid] = most }
        return largest
    }

    /// A Job whose ScaledJob is gone goes as well.
    func collectSoon(_ job: JobReference) {
        self.schedule(after: self.dice.time(1, 5), "garbage collector") { world in
            let owners = Set(world.api.list(.scaledJobs).map(\.uid))
            guard !owners.contains(job.owner) else { return }
            _ = world.api.delete(.jobs, job.key, now: world.time)
        }
    }

    private func delete(_ job: JobReference, _ deletion: JobDeletion, _ warrant: Warrant) -> ClusterAPI.Answer {
        var (key, uid) = (job.key, deletion.uid)
        if self.mutation == .deletesRunningJobs,
            let other = self.jobs.values.filter({ $0.owner == job.owner && !$0.isFinished })
                .min(by: { $0.key < $1.key })
        {
            (key, uid) = (other.key, other.uid)
        }
        guard let truth = self.jobs[uid], truth.key == key else {
            return self.api.delete(.jobs, key, uid: uid, now: self.time)
        }
        if truth.owner != job.owner {
            self.violate("\(key.name) was deleted, which belongs to \(truth.owner ?? "nobody")")
        } else if !truth.isFinished, !truth.isResurrected, !warrant.mayEnd {
            self.violate("\(key.name) was deleted while it ran, which nobody had asked for")
        }
        self.note("server") { "deletes \(key.name)" }
        self.deletedJobs += 1
        let isForeground = deletion.propagation == .foreground
        return self.api.delete(.jobs, key, uid: uid, isForeground: isForeground, now: self.time)
    }

    // MARK: - The answer

    private func answered(_ action: ControllerAction, _ result: ClusterAPI.Answer, on host: Host) {
        guard let acting = host.acting else { return }
        var failure: KubernetesError?
        if case .failure(let error) = result { failure = error }
        acting.calls.ended(failure, at: self.now)
        if let failure { self.note(host.name) { "\(Self.words(action)) failed: \(failure)" } }
        if case .createJob(let job, _) = action {
            if self.mutation == .forgetsHolds, failure != nil { acting.heldForever.insert(job.owner) }
            if self.mutation == .forgetsHolds, acting.heldForever.contains(job.owner) { return }
        }
        guard let input = Self.input(action, result) else { return }
        self.take(input, on: host)
        if self.mutation == .forgetsExpectations, case .createJob(let job, _) = action, failure == nil,
            case .success(let object) = result
        {
            self.take(.jobs(.deleted(JobSummary(Job(object))), scope: nil), on: host)
            _ = job
        }
        if host.isDraining, !acting.calls.isWaiting { self.handOver(host) }
    }

    private static func input(_ action: ControllerAction, _ result: ClusterAPI.Answer) -> ControllerInput? {
        let done = result.map { _ in }
        switch action {
        case .createJob(let job, _): return .jobCreated(job, done)
        case .tryTemplate(let owner, let revision, _, _): return .templateTried(owner: owner, revision: revision, done)
        case .lookUpJob(let job):
            switch result {
            case .success(let object): return .jobLookedUp(job, .success(JobSummary(Job(object))))
            case .failure(let error) where error.code == .notFound: return .jobLookedUp(job, .success(nil))
            case .failure(let error): return .jobLookedUp(job, .failure(error))
            }
        case .deleteJob(let job, _): return .jobDeleted(job, done)
        case .compareTemplate(let job, let uid, _, let template, _):
            return .templateCompared(job, uid: uid, hash: template.hash, result.map { _ in .unsure("not compared") })
        case .removeFinalizer(let reference): return .finalizerRemoved(reference, done)
        case .writeStatus(let owner, _, _): return .statusWritten(owner: owner, done)
        case .writeAuthenticationStatus(let id, let names):
            return .authenticationStatusWritten(id, scaledJobs: names, done)
        default: return nil
        }
    }

    // MARK: - What may be asked for

    private func judge(_ action: ControllerAction, _ acting: Acting, _ host: Host, _ warrant: inout Warrant) {
        switch action {
        case .createJob(let job, _):
            let name = job.key.name
            guard let shown = acting.shown[job.owner] else {
                return self.violate("\(name) is asked for, of a ScaledJob that \(host.name) was shown to be gone")
            }
            if shown.isPaused { self.violate("\(name) is asked for while \(shown.key) is paused") }
            if !shown.isValid { self.violate("\(name) is asked for by a manifest that is not valid") }
            // A Job that was asked for under a former maximum is asked for again until its fate is known.
            let most = Swift.max(acting.allowances[job.key] ?? 0, shown.most)
            acting.allowances[job.key] = most
            warrant.most = most
            warrant.name = name
            if !acting.tried.insert(job.key).inserted, self.mutation == .renamesRetries {
                warrant.name = "\(name)-\(self.dice.number(10_000...99_999))"
            }
        case .deleteJob(let job, let deletion):
            guard let shown = acting.shown[job.owner], let hash = self.jobs[deletion.uid]?.hash else { return }
            warrant.mayEnd =
                shown.isImmediate && hash != shown.hash
                && self.accepted.contains("\(job.owner) \(shown.hash ?? "")")
        case .writeStatus(let owner, let key, let patch): self.judgeStatus(owner, key, patch, acting, host)
        default: break
        }
    }

    /// Nobody may send while another may.
    private func judgeSending(_ host: Host) {
        for other in self.hosts where other !== host && other.acting != nil {
            guard let deadline = other.election?.deadline, deadline > self.now else { continue }
            self.violate("\(host.name) and \(other.name) act at the same time")
        }
    }

    static func words(_ action: ControllerAction) -> String {
        switch action {
        case .createJob(let job, _): "create \(job.key.name)"
        case .tryTemplate(_, let revision, let key, _): "try template \(revision) as \(key.name)"
        case .lookUpJob(let job): "look for \(job.key.name)"
        case .deleteJob(let job, _): "delete \(job.key.name)"
        case .compareTemplate(let job, _, _, _, _): "compare \(job.key.name)"
        case .removeFinalizer(let reference): "take the finalizer off \(reference.key)"
        case .writeStatus(_, let key, let patch):
            "write the status of \(key): \(patch[path: "status", "lastDecision"]?.stringValue ?? "no decision")"
        case .writeAuthenticationStatus(let id, _): "write the status of \(id.key)"
        default: "do something"
        }
    }
}
