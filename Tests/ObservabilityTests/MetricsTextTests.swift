import Kubernetes
import Scaling
import Subprocess
import SystemPackage
import Testing

@testable import Controller
@testable import Observability

/// The text of the metrics, as Prometheus' own parser reads it.
@Suite struct MetricsTextTests {
    private struct Sample: Equatable {
        var family: String
        var kind: String
        var name: String
        var labels: [String: String]
        var value: String
    }

    static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    private func parsed(_ text: [UInt8]) async throws -> [Sample] {
        let result = try await Subprocess.run(
            .path(Self.root.appending("tools/parse-metrics")),
            input: .array(text),
            output: .string(limit: 16 << 20),
            error: .string(limit: 1 << 16)
        )
        #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
        return try result.standardOutput.split(separator: "\n").map { line in
            let value = try JSONValue(parsing: Array(line.utf8))
            return Sample(
                family: value["family"]?.stringValue ?? "",
                kind: value["kind"]?.stringValue ?? "",
                name: value["name"]?.stringValue ?? "",
                labels: value["labels"]?.objectValue?.compactMapValues(\.stringValue) ?? [:],
                value: value["value"]?.stringValue ?? ""
            )
        }
    }

    private func trigger(_ index: Int, of name: String = "transcode") -> MetricsSnapshot.Trigger {
        MetricsSnapshot.Trigger(
            scaledJob: ObjectKey(namespace: "media", name: name),
            index: index,
            scaler: "mongoDBScaler",
            metric: "s\(index)-mongodb-videos",
            state: .open,
            value: 12.5,
            isActive: true,
            latency: .milliseconds(1500),
            errors: 3
        )
    }

    @Test func theParserReadsEveryFamilyWithItsKindAndLabels() async throws {
        var snapshot = MetricsSnapshot(version: "1.2.3")
        snapshot.triggers = [self.trigger(0)]
        snapshot.scaledJobs = [
            MetricsSnapshot.ScaledJobFigures(
                key: ObjectKey(namespace: "media", name: "transcode"),
                counters: JobCounters(),
                errors: 4,
                unfinished: 2,
                stuckDeleting: 1,
                queueLength: 7,
                pollLateness: .milliseconds(20),
                exhaustedItems: 2
            )
        ]
        snapshot.triggerTypes = ["mongodb": 1]
        snapshot.resources = [MetricsSnapshot.ResourceCount(type: "scaled_job", namespace: "media"): 1]
        snapshot.plugins = ["mongodb": true]
        snapshot.admission = [
            AdmissionFigures(
                scope: .budget("night"),
                limits: AdmissionLimits(runningJobs: 8, jobsPerSecond: 2.5, resources: ["nvidia.com/gpu": 8000]),
                inUse: AdmissionUse(
                    jobs: 3,
                    objects: 5,
                    resources: ResourceAmounts(thousandths: ["nvidia.com/gpu": 3000])
                ),
                waiting: [.resource("nvidia.com/gpu"): 2]
            )
        ]
        snapshot.calls.add(.create, .jobs, "success", .milliseconds(30))
        snapshot.calls.add(.create, .jobs, "forbidden", .seconds(60))
        snapshot.flow = FlowFigures()
        snapshot.validations.add(namespace: "media", action: "create", refusedFor: "incorrect-triggers")
        let samples = try await self.parsed(snapshot.prometheusText())
        for family in MetricFamily.all {
            // The parser calls a counter by its name without `_total`.
            let found = samples.filter { $0.family == family.name || "\($0.family)_total" == family.name }
            #expect(!found.isEmpty, "\(family.name)")
            for sample in found {
                #expect(sample.kind == family.kind.rawValue, "\(family.name)")
                #expect(sample.labels.keys.filter { $0 != "le" }.sorted() == family.labels.sorted(), "\(family.name)")
            }
        }
        let labels = [
            "namespace": "media", "metric": "s0-mongodb-videos", "scaledObject": "transcode",
            "scaler": "mongoDBScaler", "triggerIndex": "0", "type": "scaledjob",
        ]
        func value(_ name: String, _ labels: [String: String]) -> String? {
            samples.first { $0.name == name && $0.labels == labels }?.value
        }
        #expect(value("keda_scaler_metrics_value", labels) == "12.5")
        #expect(value("keda_scaler_metrics_latency_seconds", labels) == "1.5")
        #expect(value("keda_scaler_active", labels) == "1.0")
        #expect(value("keda_scaler_detail_errors_total", labels) == "3.0")
        #expect(value("keda_scaled_job_errors_total", ["namespace": "media", "scaledJob": "transcode"]) == "4.0")
        #expect(
            value(
                "keda_internal_scale_loop_latency_seconds",
                ["namespace": "media", "type": "scaledjob", "resource": "transcode"]
            ) == "0.02"
        )
        let duration = "sluice_api_request_duration_seconds"
        #expect(value("\(duration)_bucket", ["verb": "create", "le": "0.025"]) == "0.0")
        #expect(value("\(duration)_bucket", ["verb": "create", "le": "0.05"]) == "1.0")
        #expect(value("\(duration)_bucket", ["verb": "create", "le": "+Inf"]) == "2.0")
        #expect(value("\(duration)_count", ["verb": "create"]) == "2.0")
        #expect(value("sluice_queue_length", ["namespace": "media", "scaledjob": "transcode"]) == "7.0")
        #expect(value("sluice_items_exhausted", ["namespace": "media", "scaledjob": "transcode"]) == "2.0")
    }

    @Test func noNameBreaksOutOfItsLabel() async throws {
        let odd = "a\"b\\c\nd} 1\n# ü"
        var snapshot = MetricsSnapshot(version: odd)
        var trigger = self.trigger(0)
        trigger.scaler = odd
        snapshot.triggers = [trigger]
        let samples = try await self.parsed(snapshot.prometheusText())
        #expect(samples.first { $0.name == "keda_build_info" }?.labels["version"] == odd)
        #expect(samples.first { $0.name == "keda_scaler_active" }?.labels["scaler"] == odd)
    }

    @Test func whatIsNotKnownHasNoSeries() async throws {
        var snapshot = MetricsSnapshot(version: "1")
        var trigger = self.trigger(0)
        (trigger.value, trigger.isActive, trigger.latency) = (nil, nil, nil)
        snapshot.triggers = [trigger]
        let samples = try await self.parsed(snapshot.prometheusText())
        let names = Set(samples.map(\.name))
        #expect(!names.contains("keda_scaler_metrics_value"))
        #expect(!names.contains("keda_scaler_active"))
        #expect(names.contains("keda_scaler_detail_errors_total"))
    }

    @Test(arguments: [(0.0, "0"), (-3, "-3"), (0.1, "0.1"), (1e300, "1e+300"), (.infinity, "+Inf"), (.nan, "NaN")])
    func numbersAreWrittenAsPrometheusReadsThem(_ number: Double, _ text: String) {
        #expect(MetricsText.number(number) == text)
    }

    /// A flood would show as a text that grows faster than its triggers.
    @Test func tenThousandTriggersAreWrittenAtOnce() {
        var snapshot = MetricsSnapshot(version: "1")
        for number in 0..<10_000 { snapshot.triggers.append(self.trigger(0, of: "job-\(number)")) }
        let start = ContinuousClock.now
        let text = snapshot.prometheusText()
        let taken = ContinuousClock.now - start
        #expect(text.count > 4_000_000)
        // Well under a second in a release build; this one is not optimised and shares its machine.
        #expect(taken < .seconds(20), "\(taken)")
    }
}
