import ClusterTestSupport
import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// What Prometheus would scrape from the real host.
    @Suite struct MetricsTests {
        /// The metrics as Prometheus' own parser reads them.
        private func scrape(_ host: ChildProcess, _ fixture: HostFixture) async throws -> [JSONValue] {
            var address = ""
            try await eventually("an address for metrics") {
                let line = host.log.split(separator: "\n").first {
                    $0.contains("listening") && $0.contains("for=metrics")
                }
                address = line?.firstMatch(of: /address=([0-9.:]+)/).map { String($0.1) } ?? ""
                return !address.isEmpty
            }
            let program = "import sys, urllib.request as r; sys.stdout.write(r.urlopen(sys.argv[1]).read().decode())"
            let script =
                "set -o pipefail; python3 -c '\(program)' http://\(address)/metrics | \"$0/tools/parse-metrics\""
            let file = "\(fixture.folder.folder)/scrape-\(UInt64.random(in: 0 ... .max)).log"
            let process = try ChildProcess(
                "/bin/bash",
                ["-c", script, TestCluster.repository],
                logFile: file
            )
            try await eventually("the end of the scrape") { process.hasEnded }
            #expect(try await process.stop() == 0, "\(process.log)")
            return try process.log.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
        }

        /// The value of a series by some of its labels.
        private func value(_ samples: [JSONValue], _ name: String, _ labels: [String: JSONValue]) -> String? {
            samples.first { sample in
                sample["name"]?.stringValue == name && labels.allSatisfy { sample[path: "labels", $0.key] == $0.value }
            }?["value"]?.stringValue
        }

        @Test func seriesComeAndGoWithTheirScaledJob() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(3)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("measured", documents))
                try await fixture.create(.secrets, Manifests.secret("keys", ["connect": "secret-value"]))
                let host = try fixture.startHost(["--metrics-bind-address", "127.0.0.1:0"])
                try await fixture.jobs.created(3, of: "measured")
                try await fixture.isReady("measured")
                var samples: [JSONValue] = []
                let trigger: [String: JSONValue] = [
                    "namespace": .string(fixture.namespace), "scaledObject": "measured", "metric": "s0-scripted",
                    "scaler": "scripted", "triggerIndex": "0", "type": "scaledjob",
                ]
                try await eventually("the metrics") {
                    samples = try await self.scrape(host, fixture)
                    return self.value(samples, "sluice_jobs_created_total", ["scaledjob": "measured"]) == "3.0"
                }
                #expect(self.value(samples, "keda_scaler_metrics_value", trigger) == "3.0")
                #expect(self.value(samples, "keda_scaler_active", trigger) == "1.0")
                #expect(self.value(samples, "keda_scaler_detail_errors_total", trigger) == "0.0")
                #expect(self.value(samples, "keda_trigger_registered_total", ["type": "scripted"]) == "1.0")
                #expect(self.value(samples, "sluice_jobs_unfinished", ["scaledjob": "measured"]) == "3.0")
                #expect(self.value(samples, "sluice_plugin_connected", ["plugin": "scripted"]) == "1.0")
                let creates: [String: JSONValue] = ["verb": "create", "resource": "jobs", "outcome": "success"]
                // The trial of the template is a create as well.
                #expect(self.value(samples, "sluice_api_requests_total", creates) == "4.0")

                documents.spoil()
                try await fixture.condition("Ready", of: "measured") { $0.status != "True" }
                samples = try await self.scrape(host, fixture)
                #expect(self.value(samples, "keda_scaler_metrics_value", trigger) == nil)
                #expect(self.value(samples, "keda_scaler_detail_errors_total", trigger) != "0.0")
                #expect(self.value(samples, "keda_scaled_job_errors_total", ["scaledJob": "measured"]) != "0.0")

                _ = try await fixture.kubectl("delete", "scaledjob", "measured")
                try await eventually("the end of its series") {
                    samples = try await self.scrape(host, fixture)
                    return !samples.contains { "\($0)".contains("measured") }
                }
                #expect(!samples.contains { "\($0)".contains("secret-value") })
            }
        }
    }
}
