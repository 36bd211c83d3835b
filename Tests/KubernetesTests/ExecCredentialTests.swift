import FoundationEssentials
import Glibc
import Testing

@testable import Kubernetes

@Suite struct ExecCredentialTests {
    /// A shell script that also counts its runs in a file.
    private struct Program: ~Copyable {
        let path = "/tmp/sluice-exec-\(UInt64.random(in: 0...UInt64.max))"

        init(_ body: String) throws {
            let script = "#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO\" >> \"$0.runs\"\n\(body)\n"
            try Data(script.utf8).write(to: URL(filePath: self.path))
            chmod(self.path, 0o755)
        }

        deinit {
            unlink(self.path)
            unlink(self.path + ".runs")
        }

        var runs: [String] {
            let text = (try? SmallFile.readText(self.path + ".runs")) ?? ""
            return text.split(separator: "\n").map(String.init)
        }

        func command(_ version: String = "client.authentication.k8s.io/v1") -> ExecCredential.Command {
            ExecCredential.Command(apiVersion: version, command: self.path, environment: ["NUMBER": "7"])
        }
    }

    private static func answer(_ status: String, _ version: String = "v1") -> String {
        #"echo '{"apiVersion":"client.authentication.k8s.io/\#(version)","kind":"ExecCredential","status":{\#(status)}}'"#
    }

    @Test(arguments: ["v1", "v1beta1"]) func oneRunServesEveryone(_ version: String) async throws {
        let program = try Program("sleep 0.1; " + Self.answer(#""token":"t-'$NUMBER'""#, version))
        let source = ExecCredential(program.command("client.authentication.k8s.io/\(version)"))
        let tokens = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<20 { group.addTask { try await source.credential(by: .now + .seconds(30)).token } }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(tokens == ["t-7"])
        #expect(program.runs.count == 1)
        let information = try JSONValue(parsing: Array((program.runs.first ?? "").utf8))
        #expect(information["kind"] == "ExecCredential")
        #expect(information[path: "spec", "interactive"] == false)
    }

    @Test func aTokenIsAskedForAgainWhenItExpiresOrIsRefused() async throws {
        let old = try Program(Self.answer(#""token":"t","expirationTimestamp":"2020-01-01T00:00:00Z""#))
        let expiring = ExecCredential(old.command())
        _ = try await expiring.credential(by: .now + .seconds(30))
        _ = try await expiring.credential(by: .now + .seconds(30))
        #expect(old.runs.count == 2)

        let lasting = try Program(Self.answer(#""token":"t","expirationTimestamp":"2099-01-01T00:00:00Z""#))
        let source = ExecCredential(lasting.command())
        let credential = try await source.credential(by: .now + .seconds(30))
        _ = try await source.credential(by: .now + .seconds(30))
        #expect(lasting.runs.count == 1)
        _ = try await source.credential(afterRefusalOf: credential, by: .now + .seconds(30))
        #expect(lasting.runs.count == 2)
    }

    @Test(arguments: [
        ("echo wrong >&2; exit 3", "wrong"),
        ("echo nonsense", "no ExecCredential"),
        (Self.answer(#""token":"""#), "neither"),
        (Self.answer(#""token":"t""#, "v1beta1"), "version"),
        ("sleep 60", "longer"),
    ])
    func aProgramThatFailsIsNamedWithItsReason(_ body: String, _ part: String) async throws {
        let program = try Program(body)
        let source = ExecCredential(program.command(), deadline: .seconds(body.hasPrefix("sleep") ? 1 : 20))
        do {
            _ = try await source.credential(by: .now + .seconds(30))
            Issue.record("no error")
        } catch {
            #expect(error.code == .configuration)
            #expect(error.message.contains(part) && error.message.contains(program.path), "\(error)")
        }
    }

    @Test func aMissingProgramIsNamed() async throws {
        let command = ExecCredential.Command(
            apiVersion: "client.authentication.k8s.io/v1",
            command: "/missing/program",
            installHint: "install it"
        )
        do {
            _ = try await ExecCredential(command).credential(by: .now + .seconds(30))
            Issue.record("no error")
        } catch {
            #expect(error.message.contains("/missing/program"))
        }
    }
}
