import ClusterTestSupport
import Kubernetes
import Testing

extension WholeHostTests {
    /// What people see of authentications, and of the Events about them.
    @Suite struct AuthenticationStatusTests {
        /// The words of a table's line.
        private func words(_ line: Substring) -> [String] {
            line.split(whereSeparator: \.isWhitespace).map(String.init)
        }

        @Test func theColumnsSayWhoUsesAnAuthentication() async throws {
            try await HostFixture.with { fixture in
                try await fixture.create(.secrets, Manifests.secret("keys", ["connect": "secret-value"]))
                let login: JSONValue = [
                    "apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication", "metadata": ["name": "login"],
                    "spec": ["secretTargetRef": [["parameter": "password", "name": "keys", "key": "connect"]]],
                ]
                try await fixture.create(.triggerAuthentications, login)
                var trigger: JSONValue = [
                    "type": "scripted", "metadata": ["file": .string(fixture.documents(0).file)],
                    "authenticationRef": ["name": "login"],
                ]
                for name in ["b", "a"] {
                    let manifest = Manifests.scaledJob(name, triggers: .array([trigger]), ["pollingInterval": 1])
                    try await fixture.create(.scaledJobs, manifest)
                }
                try fixture.startHost()
                try await eventually("both users") {
                    let object = try await fixture.get(.triggerAuthentications, "login")
                    return object[path: "status", "scaledjobs"] == "a,b"
                }
                let table = try await fixture.kubectl("get", "ta", "-o", "wide").split(separator: "\n")
                #expect(
                    table.first.map(self.words)
                        == ["NAME", "PODIDENTITY", "SECRET", "ENV", "VAULTADDRESS", "SCALEDOBJECTS", "SCALEDJOBS"]
                )
                #expect(table.last.map(self.words) == ["login", "keys", "a,b"])
                let narrow = try await fixture.kubectl("get", "ta").split(separator: "\n")
                #expect(narrow.first.map(self.words) == ["NAME", "PODIDENTITY", "SECRET", "ENV", "VAULTADDRESS"])
                try await fixture.isReady("a")
                let row = try await fixture.kubectl("get", "sj", "a").split(separator: "\n").last.map(self.words)
                #expect(row?.dropLast() == ["a", "True", "False", "False", "scripted", "login"])

                trigger["authenticationRef"] = .null
                try await fixture.patch(.scaledJobs, "a", ["spec": ["triggers": [trigger]]])
                try await eventually("one user") {
                    let object = try await fixture.get(.triggerAuthentications, "login")
                    return object[path: "status", "scaledjobs"] == "b"
                }
                _ = try await fixture.kubectl("delete", "scaledjob", "b")
                try await eventually("no user") {
                    let object = try await fixture.get(.triggerAuthentications, "login")
                    return object[path: "status", "scaledjobs"] == nil
                }
                _ = try await fixture.kubectl("delete", "ta", "login")
                let expected: Set = ["KEDAScalersStarted", "KEDAScalersStopped", "ScaledJobDeleted"]
                try await eventually("the events") {
                    let events = try await fixture.list(.events)
                    let reasons = Set(events.compactMap { $0["reason"]?.stringValue })
                    return expected.isSubset(of: reasons) && reasons.contains("TriggerAuthenticationDeleted")
                }
                let events = try await fixture.list(.events)
                #expect(!events.contains { "\($0)".contains("secret-value") })
                let deleted = events.first { $0["reason"] == "ScaledJobDeleted" }
                #expect(deleted?["type"] == "Warning")
                #expect(deleted?["reportingController"] == "keda-operator")
                #expect(deleted?[path: "regarding", "kind"] == "ScaledJob")
            }
        }

        @Test func anAuthenticationOfTheWholeClusterNamesTheNamespaces() async throws {
            try await HostFixture.with { fixture in
                let name = "shared-\(fixture.namespace)"
                let shared: JSONValue = [
                    "apiVersion": "keda.sh/v1alpha1", "kind": "ClusterTriggerAuthentication",
                    "metadata": ["name": .string(name)], "spec": ["secretTargetRef": []],
                    "status": ["scaledjobs": "elsewhere/kept"],
                ]
                let body = try shared.encoded()
                _ = try await fixture.client.send(APIRequest(.create, .clusterTriggerAuthentications, body: body))
                let status = APIRequest(
                    .mergePatch,
                    .clusterTriggerAuthentications,
                    name: name,
                    subresource: "status",
                    body: body
                )
                _ = try await fixture.client.send(status)
                let trigger: JSONValue = [
                    "type": "scripted", "metadata": ["file": .string(fixture.documents(0).file)],
                    "authenticationRef": ["name": .string(name), "kind": "ClusterTriggerAuthentication"],
                ]
                let manifest = Manifests.scaledJob("user", triggers: .array([trigger]), ["pollingInterval": 1])
                try await fixture.create(.scaledJobs, manifest)
                try fixture.startHost()
                let wanted = ["elsewhere/kept", "\(fixture.namespace)/user"].sorted().joined(separator: ",")
                try await eventually("its user") {
                    let request = APIRequest(.get, .clusterTriggerAuthentications, name: name)
                    let object = try JSONValue(parsing: await fixture.client.send(request))
                    return object[path: "status", "scaledjobs"]?.stringValue == wanted
                }
                let table = try await fixture.kubectl("get", "cta", name, "-o", "wide").split(separator: "\n")
                #expect(
                    table.first.map(self.words) == [
                        "NAME", "PODIDENTITY", "SECRET", "ENV", "FILEPATH", "VAULTADDRESS", "SCALEDOBJECTS",
                        "SCALEDJOBS",
                    ]
                )
                #expect(table.last.map(self.words) == [name, wanted])
                _ = try await fixture.kubectl("delete", "cta", name)
            }
        }

        @Test func aFailureThatRepeatsIsOneEventWithACount() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(0)
                let manifest = Manifests.scaledJob("flapping", documents)
                try await fixture.create(.scaledJobs, manifest)
                try fixture.startHost()
                try await fixture.isReady("flapping")
                // Each round is a failure and its end; the count is brought up to date after ten seconds.
                try await eventually("the count", within: .seconds(60)) {
                    documents.spoil()
                    try await fixture.condition("Ready", of: "flapping") { $0.reason == "TriggerError" }
                    documents.add(0)
                    try await fixture.isReady("flapping")
                    let failed = try await fixture.list(.events).filter { $0["reason"] == "KEDAScalerFailed" }
                    #expect(failed.count <= 1)
                    return (failed.first?[path: "series", "count"]?.integerValue ?? 0) > 1
                }
            }
        }
    }
}
