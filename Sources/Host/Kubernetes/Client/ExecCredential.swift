internal import FoundationEssentials
internal import HTTP
internal import Subprocess
internal import SystemPackage

/// Credentials from a program that the kubeconfig names, as `aws eks get-token` or `gke-gcloud-auth-plugin`.
///
/// One run at a time serves everyone who waits; its answer is kept until it expires or is refused.
actor ExecCredential: CredentialSource {
    /// The `exec` part of a kubeconfig user.
    struct Command: Sendable {
        var apiVersion: String
        var command: String
        var arguments: [String] = []
        var environment: [String: String] = [:]
        var installHint: String?
        /// The cluster's part of `KUBERNETES_EXEC_INFO`, when the program asked for it.
        var cluster: JSONValue?
    }

    private struct Answer: Decodable {
        struct Status: Decodable {
            var token: String?
            var clientCertificateData: String?
            var clientKeyData: String?
            var expirationTimestamp: String?
        }
        var apiVersion: String?
        var status: Status?
    }

    private let command: Command
    private let deadline: Duration
    private var cached: Credential?
    private var expiration: KubernetesTime?
    private var running: Task<Outcome, Never>?

    private typealias Outcome = Result<Credential, KubernetesError>

    init(_ command: Command, deadline: Duration = .seconds(60)) {
        self.command = command
        self.deadline = deadline
    }

    func credential(by deadline: ContinuousClock.Instant) async throws(KubernetesError) -> Credential {
        if let cached, self.expiration.map({ $0 > .now.advanced(by: .seconds(10)) }) ?? true { return cached }
        return try await self.run(by: deadline)
    }

    func credential(
        afterRefusalOf refused: Credential,
        by deadline: ContinuousClock.Instant
    ) async throws(KubernetesError) -> Credential {
        if let cached, cached != refused { return cached }
        return try await self.run(by: deadline)
    }

    private func run(by deadline: ContinuousClock.Instant) async throws(KubernetesError) -> Credential {
        // Unowned on purpose: several callers wait for the same run, and none of them may end it for the others. It has
        // a deadline of its own.
        let run = self.running ?? Task { await self.renew() }
        self.running = run
        guard let outcome = await Self.outcome(of: run, by: deadline) else {
            throw Task.isCancelled ? KubernetesError(.cancelled, "the call was cancelled") : .noCredentialInTime
        }
        return try outcome.get()
    }

    private func renew() async -> Outcome {
        defer { self.running = nil }
        do {
            let (credential, expiration) = try await Self.execute(self.command, within: self.deadline)
            self.cached = credential
            self.expiration = expiration
            return .success(credential)
        } catch let error as KubernetesError {
            return .failure(error)
        } catch {
            let error = KubernetesError(
                .configuration,
                "the credential program \(self.command.command) could not be run: \(error)",
                retry: .after(.seconds(5))
            )
            return .failure(error)
        }
    }

    /// Waits no longer than the deadline, and no longer than the task that waits lives; nil then.
    private static func outcome(of run: Task<Outcome, Never>, by deadline: ContinuousClock.Instant) async -> Outcome? {
        let (outcomes, continuation) = AsyncStream.makeStream(of: Outcome.self)
        // Ends with the run: the value of a task can't be waited for in any other way that ends early.
        Task { continuation.yield(await run.value) }
        return await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await outcomes.first { _ in true } }
            group.addTask {
                try? await Task.sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private static func execute(
        _ command: Command,
        within deadline: Duration
    ) async throws -> (Credential, KubernetesTime?) {
        try await withThrowingTaskGroup(of: (Credential, KubernetesTime?)?.self) { group in
            group.addTask { try await Self.execute(command) }
            group.addTask {
                try await Task.sleep(for: deadline)
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next(), let result else {
                throw Self.failure(command, "took longer than \(deadline)")
            }
            return result
        }
    }

    private static func execute(_ command: Command) async throws -> (Credential, KubernetesTime?) {
        var information: JSONValue = [
            "apiVersion": .string(command.apiVersion),
            "kind": "ExecCredential",
            "spec": ["interactive": false],
        ]
        if let cluster = command.cluster {
            information["spec"] = ["interactive": false, "cluster": cluster]
        }
        var environment: [Environment.Key: String?] = [:]
        for (name, value) in command.environment {
            environment[.init(stringLiteral: name)] = value
        }
        environment["KUBERNETES_EXEC_INFO"] = String(decoding: try information.encoded(), as: UTF8.self)
        let executable: Executable =
            command.command.contains("/") ? .path(FilePath(command.command)) : .name(command.command)
        let result = try await Subprocess.run(
            executable,
            arguments: Arguments(command.arguments),
            environment: .inherit.updating(environment),
            output: .bytes(limit: 1 << 20),
            error: .string(limit: 64 << 10)
        )
        guard result.terminationStatus.isSuccess else {
            let reason = result.standardError.prefix(300)
            throw Self.failure(command, "failed (\(result.terminationStatus)): \(reason)")
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(result.standardOutput)),
            let status = answer.status
        else {
            throw Self.failure(command, "printed no ExecCredential with a status")
        }
        guard answer.apiVersion == command.apiVersion else {
            throw Self.failure(command, "answered in another version than \(command.apiVersion)")
        }
        return try Self.credential(from: status, of: command)
    }

    private static func credential(
        from status: Answer.Status,
        of command: Command
    ) throws(KubernetesError) -> (Credential, KubernetesTime?) {
        var credential = Credential(token: status.token?.isEmpty == false ? status.token : nil)
        if let certificate = status.clientCertificateData, let key = status.clientKeyData {
            credential.identity = ClientIdentity(certificate: Array(certificate.utf8), key: Array(key.utf8))
        }
        guard credential.token != nil || credential.identity != nil else {
            throw Self.failure(command, "gave neither a token nor a certificate with its key")
        }
        return (credential, status.expirationTimestamp.flatMap(KubernetesTime.init))
    }

    private static func failure(_ command: Command, _ what: String) -> KubernetesError {
        let hint = command.installHint.map { " (\($0))" } ?? ""
        return KubernetesError(
            .configuration,
            "the credential program \(command.command) \(what)\(hint)",
            retry: .after(.seconds(5))
        )
    }
}
