package import Kubernetes

// The status objects that the runner writes, in the form in which Kubernetes has them.
extension LocalJobMachine {
    /// The `status` of the Job object.
    package func statusRecord(now: Int64) -> JSONValue {
        var status: JSONValue = ["ready": .integer(Int64(self.ready))]
        if let startTime = self.startTime { status["startTime"] = .string(Timestamp.text(ofSeconds: startTime)) }
        for (field, count) in [("active", self.active), ("succeeded", self.succeeded), ("failed", self.failed)]
        where count > 0 {
            status[field] = .integer(Int64(count))
        }
        if let endTime = self.endTime, let outcome = self.outcome {
            if outcome == .complete { status["completionTime"] = .string(Timestamp.text(ofSeconds: endTime)) }
            status["conditions"] = [Self.condition(outcome, at: Timestamp.text(ofSeconds: endTime))]
        } else if self.job.isSuspended {
            let time = Timestamp.text(ofSeconds: now)
            status["conditions"] = [
                [
                    "type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended",
                    "lastProbeTime": .string(time), "lastTransitionTime": .string(time),
                ]
            ]
        }
        return status
    }

    private static func condition(_ outcome: Outcome, at time: String) -> JSONValue {
        var condition: JSONValue = [
            "type": "Failed", "status": "True", "lastProbeTime": .string(time), "lastTransitionTime": .string(time),
        ]
        switch outcome {
        case .complete: condition["type"] = "Complete"
        case .backoffLimitExceeded:
            condition["reason"] = .string(outcome.rawValue)
            condition["message"] = "Job has reached the specified backoff limit"
        case .deadlineExceeded:
            condition["reason"] = .string(outcome.rawValue)
            condition["message"] = "Job was active longer than specified deadline"
        }
        return condition
    }
}

extension LocalPod {
    /// The pod's `status.phase`.
    package var phase: String {
        if self.hasEnded { return self.hasSucceeded ? "Succeeded" : "Failed" }
        return self.containers.contains { !$0.isInit && ($0.state == .running || $0.isOver) } ? "Running" : "Pending"
    }

    /// The `status` of the pod object.
    package func statusRecord(since time: String) -> JSONValue {
        func condition(_ type: String, _ holds: Bool) -> JSONValue {
            [
                "type": .string(type), "status": holds ? "True" : "False", "lastProbeTime": .null,
                "lastTransitionTime": .string(time),
            ]
        }
        let isInitialized = self.containers.allSatisfy { !$0.isInit || $0.state.isSuccess }
        let own = self.containers.filter { !$0.isInit }
        return [
            "phase": .string(self.phase), "startTime": .string(time), "hostIP": "127.0.0.1", "podIP": "127.0.0.1",
            "conditions": [
                condition("PodScheduled", true), condition("Initialized", isInitialized),
                condition("ContainersReady", self.isReady), condition("Ready", self.isReady),
            ],
            "containerStatuses": .array(own.map(\.statusRecord)),
            "initContainerStatuses": .array(self.containers.filter(\.isInit).map(\.statusRecord)),
        ]
    }
}

extension LocalPod.Container {
    fileprivate var statusRecord: JSONValue {
        let state: JSONValue
        switch self.state {
        case .queued: state = ["waiting": ["reason": "PodInitializing"]]
        case .waiting(let reason): state = ["waiting": ["reason": .string(reason)]]
        case .running: state = ["running": [:]]
        case .exited(let exit, let time): state = ["terminated": exit.record(at: time)]
        }
        return [
            "name": .string(self.name), "ready": .bool(self.isInit ? self.state.isSuccess : self.state == .running),
            "restartCount": .integer(Int64(self.restarts)), "state": state,
            "lastState": self.lastExit.map { ["terminated": $0.record(at: nil)] } ?? [:],
        ]
    }
}

extension LocalJobMachine.Exit {
    fileprivate func record(at time: Int64?) -> JSONValue {
        var record: JSONValue
        switch self {
        case .code(let code):
            record = ["exitCode": .integer(Int64(code)), "reason": code == 0 ? "Completed" : "Error"]
        case .signal(let signal):
            record = ["exitCode": .integer(Int64(128 + signal)), "signal": .integer(Int64(signal)), "reason": "Error"]
        case .failedToStart:
            record = ["exitCode": 128, "reason": "StartError", "message": "the program could not be started"]
        }
        if let time, time > 0 { record["finishedAt"] = .string(Timestamp.text(ofSeconds: time)) }
        return record
    }
}
