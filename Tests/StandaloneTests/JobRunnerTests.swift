import Foundation
import Kubernetes
import Standalone
import SystemPackage
import Testing

@Suite struct JobRunnerTests {
    @Test func aJobThatSucceedsIsComplete() async throws {
        try await RunnerBench().run { bench in
            try bench.cluster.create(.jobs, shellJob("ok", "echo hello; echo trouble >&2"))
            let job = try await bench.cluster.job("ok", has: "Complete")
            #expect(job[path: "status", "succeeded"] == 1)
            #expect(job[path: "status", "active"] == nil)
            #expect(job[path: "status", "completionTime"]?.stringValue != nil)
            #expect(try bench.text(of: "ok") == "hello\ntrouble\n")
        }
    }

    @Test func aJobThatFailsIsTriedAgainUntilItsLimit() async throws {
        try await RunnerBench().run { bench in
            try bench.cluster.create(.jobs, shellJob("bad", "echo try; exit 3", spec: ["backoffLimit": 2]))
            let job = try await bench.cluster.job("bad", has: "Failed")
            #expect(job[path: "status", "failed"] == 3)
            #expect(job.conditionReason == "BackoffLimitExceeded")
            #expect(job[path: "status", "completionTime"] == nil)
            #expect(try bench.text(of: "bad") == "try\ntry\ntry\n")
        }
    }

    @Test func aContainerIsRestartedInItsPod() async throws {
        try await RunnerBench().run { bench in
            let marker = bench.folder.path.appending("marker").string
            let script = "test -e \(marker) && exit 0; touch \(marker); exit 1"
            try bench.cluster.create(.jobs, shellJob("again", script, pod: ["restartPolicy": "OnFailure"]))
            let job = try await bench.cluster.job("again", has: "Complete")
            #expect(job[path: "status", "failed"] == nil)
            let pods = try bench.cluster.answer(APIRequest(.list, .pods))["items"]?.arrayValue ?? []
            #expect(pods.count == 1)
            #expect(pods.first?[path: "status", "phase"] == "Succeeded")
        }
    }

    @Test func theDeadlineEndsAJob() async throws {
        try await RunnerBench().run { bench in
            try bench.cluster.create(.jobs, shellJob("late", "sleep 100", spec: ["activeDeadlineSeconds": 1]))
            let job = try await bench.cluster.job("late", has: "Failed")
            #expect(job.conditionReason == "DeadlineExceeded")
        }
    }

    @Test func aFinishedJobGoesWhenItsTimeIsOver() async throws {
        try await RunnerBench().run { bench in
            try bench.cluster.create(.jobs, shellJob("brief", "true", spec: ["ttlSecondsAfterFinished": 0]))
            _ = try await bench.cluster.event(of: .jobs) { $0.kind == .deleted && $0.object.name == "brief" }
        }
    }

    @Test func aDeletedJobEndsAllItsProcesses() async throws {
        try await RunnerBench().run { bench in
            let script =
                "trap 'echo bye; exit 0' TERM; sleep 1000 & echo child $!; touch ready; while :; do sleep 0.05; done"
            let directory = JSONValue.string(bench.folder.path.string)
            var job = shellJob("gone", script)
            job = MergePatch.apply(
                [
                    "spec": [
                        "template": [
                            "spec": [
                                "containers": [
                                    [
                                        "name": "main", "command": ["sh", "-c", .string(script)],
                                        "workingDir": directory,
                                    ]
                                ]
                            ]
                        ]
                    ]
                ],
                to: job
            )
            try bench.cluster.create(.jobs, job)
            try await bench.waitForFile("ready")
            let child = try #require(Int32(try bench.text(of: "gone").split(separator: " ")[1].dropLast()))
            #expect(kill(child, 0) == 0)
            try bench.cluster.delete(.jobs, "gone", ["propagationPolicy": "Background"])
            #expect(bench.cluster.find(.jobs, "gone") == nil)
            _ = try await bench.cluster.event(of: .pods) { $0.kind == .deleted }
            #expect(try bench.text(of: "gone").hasSuffix("bye\n"))
            try await bench.waitUntil { kill(child, 0) != 0 }
        }
    }

    @Test func aProcessThatIgnoresTheRequestIsKilledAfterItsGrace() async throws {
        try await RunnerBench().run { bench in
            let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
            let job = shellJob("deaf", script, pod: ["terminationGracePeriodSeconds": 1])
            try bench.cluster.create(.jobs, job)
            try await bench.waitUntil { (try? bench.text(of: "deaf")) == "ready\n" }
            try bench.cluster.delete(.jobs, "deaf", ["propagationPolicy": "Foreground"])
            #expect(bench.cluster.find(.jobs, "deaf") != nil)
            _ = try await bench.cluster.event(of: .jobs) { $0.kind == .deleted && $0.object.name == "deaf" }
            #expect(bench.runner.runningProcesses == 0)
        }
    }

    @Test func stoppingEndsEverything() async throws {
        let bench = try RunnerBench()
        try await bench.run { bench in
            for number in 1...3 { try bench.cluster.create(.jobs, shellJob("long-\(number)", "echo up; sleep 1000")) }
            try await bench.waitUntil { bench.runner.runningProcesses == 3 }
        }
        #expect(bench.runner.runningProcesses == 0)
    }

    @Test func completionsAndParallelismAreKept() async throws {
        try await RunnerBench().run { bench in
            let directory = bench.folder.path.appending("slots").string
            // Each process takes a slot, notes how many are taken, and gives it back.
            let script = "d=\(directory); mkdir -p $d; f=$(mktemp -p $d); ls $d | wc -l; sleep 0.1; rm $f"
            let job = shellJob("many", script, spec: ["completions": 6, "parallelism": 2])
            try bench.cluster.create(.jobs, job)
            let finished = try await bench.cluster.job("many", has: "Complete")
            #expect(finished[path: "status", "succeeded"] == 6)
            #expect(finished[path: "status", "failed"] == nil)
            let text = try bench.text(of: "many")
            let counts = text.split(separator: "\n").compactMap { Int($0) }
            #expect(counts.count == 6, "\(text)")
            #expect(counts.max() ?? 9 <= 2)
        }
    }

    @Test func allContainersMustSucceedAndInitContainersComeFirst() async throws {
        try await RunnerBench().run { bench in
            let log = bench.folder.path.appending("order").string
            func container(_ name: String, _ script: String) -> JSONValue {
                ["name": .string(name), "command": ["sh", "-c", .string(script)]]
            }
            let good = shellJob(
                "pair",
                "",
                pod: [
                    "initContainers": [
                        container("first", "echo 1 >> \(log)"), container("second", "echo 2 >> \(log)"),
                    ],
                    "containers": [container("left", "echo 3 >> \(log)"), container("right", "echo 3 >> \(log)")],
                ]
            )
            try bench.cluster.create(.jobs, good)
            _ = try await bench.cluster.job("pair", has: "Complete")
            #expect(bench.folder.text("order") == "1\n2\n3\n3\n")
            let bad = shellJob(
                "uneven",
                "",
                spec: ["backoffLimit": 0],
                pod: [
                    "containers": [container("left", "exit 0"), container("right", "exit 1")]
                ]
            )
            try bench.cluster.create(.jobs, bad)
            _ = try await bench.cluster.job("uneven", has: "Failed")
        }
    }

    @Test func aProcessGetsItsOwnVariablesAndFewOfTheHosts() async throws {
        try await RunnerBench().run { bench in
            let secret: JSONValue = ["metadata": ["name": "s"], "stringData": ["key": "geheim", "1bad": "x"]]
            try bench.cluster.create(.secrets, secret)
            try bench.cluster.create(.configMaps, ["metadata": ["name": "c"], "data": ["one": "1"]])
            let script = #"echo "$KEY $BOTH $P_one $NAME $0 ${NOT_INHERITED-none} ${MISSING-none}""#
            var job = shellJob("env", script)
            let env: JSONValue = [
                ["name": "KEY", "valueFrom": ["secretKeyRef": ["name": "s", "key": "key"]]],
                ["name": "BOTH", "value": "<$(KEY)$(UNKNOWN)$$(KEY)>"],
                ["name": "NAME", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['job-name']"]]],
                ["name": "MISSING", "valueFrom": ["secretKeyRef": ["name": "no", "key": "no", "optional": true]]],
            ]
            job["spec"]?["template"]?["spec"]?["containers"] = [
                [
                    "name": "main", "command": ["sh", "-c", .string(script)], "args": ["$(BOTH)"], "env": env,
                    "envFrom": [["prefix": "P_", "configMapRef": ["name": "c"]], ["secretRef": ["name": "s"]]],
                ]
            ]
            try bench.cluster.create(.jobs, job)
            _ = try await bench.cluster.job("env", has: "Complete")
            let value = "<geheim$(UNKNOWN)$(KEY)>"
            #expect(try bench.text(of: "env") == "geheim \(value) 1 env \(value) none none\n")
        }
    }

    @Test func aMissingSecretIsWaitedFor() async throws {
        try await RunnerBench().run { bench in
            var job = shellJob("waits", "")
            job["spec"]?["template"]?["spec"]?["containers"] = [
                ["name": "main", "command": ["true"], "envFrom": [["secretRef": ["name": "later"]]]]
            ]
            try bench.cluster.create(.jobs, job)
            _ = try await bench.cluster.event(of: .pods) { event in
                let state = event.object[path: "status", "containerStatuses"]?.arrayValue?.first?["state"]
                return state?[path: "waiting", "reason"] == "CreateContainerConfigError"
            }
            try bench.cluster.create(.secrets, ["metadata": ["name": "later"]])
            _ = try await bench.cluster.job("waits", has: "Complete")
        }
    }

    @Test func aProgramThatIsMissingFailsTheJob() async throws {
        try await RunnerBench().run { bench in
            var job = shellJob("absent", "", spec: ["backoffLimit": 0])
            job["spec"]?["template"]?["spec"]?["containers"] = [["name": "main", "command": ["/no/such/program"]]]
            try bench.cluster.create(.jobs, job)
            _ = try await bench.cluster.job("absent", has: "Failed")
        }
    }

    @Test func aSuspendedJobStartsWhenItIsResumed() async throws {
        try await RunnerBench().run { bench in
            try bench.cluster.create(.jobs, shellJob("later", "true", spec: ["suspend": true]))
            _ = try await bench.cluster.job("later", has: "Suspended")
            let patch = APIRequest(.mergePatch, .jobs, namespace: "default", name: "later")
            try bench.cluster.answer(patch, body: ["spec": ["suspend": false]])
            _ = try await bench.cluster.job("later", has: "Complete")
        }
    }

    @Test func noMoreProcessesRunThanMay() async throws {
        try await RunnerBench(maximumProcesses: 2).run { bench in
            for number in 1...6 { try bench.cluster.create(.jobs, shellJob("few-\(number)", "sleep 0.1")) }
            for number in 1...6 {
                _ = try await bench.cluster.job("few-\(number)", has: "Complete")
                #expect(bench.runner.runningProcesses <= 2)
            }
        }
    }

    @Test func longOutputIsCut() async throws {
        try await RunnerBench(maximumFileSize: 1000).run { bench in
            let script = "head -c 5000 /dev/zero | tr '\\0' x; echo END; while ! test -e stop; do sleep 0.05; done"
            var job = shellJob("wordy", script)
            job["spec"]?["template"]?["spec"]?["containers"] = [
                [
                    "name": "main", "command": ["sh", "-c", .string(script)],
                    "workingDir": .string(bench.folder.path.string),
                ]
            ]
            try bench.cluster.create(.jobs, job)
            try await bench.waitUntil { (try? bench.text(of: "wordy"))?.utf8.count == 1000 }
            #expect(try bench.text(of: "wordy").hasSuffix("END\n"))
            try bench.folder.write("", to: "stop")
            _ = try await bench.cluster.job("wordy", has: "Complete")
        }
    }
}

extension RunnerBench {
    /// Looks again every few milliseconds, for what only the system can tell.
    func waitUntil(_ holds: @escaping @Sendable () -> Bool) async throws {
        try await within {
            while !holds() { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    func waitForFile(_ name: String) async throws {
        let folder = self.folder
        try await self.waitUntil { folder.text(name) != nil }
    }
}
