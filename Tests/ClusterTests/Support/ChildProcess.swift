import Foundation
import Glibc
import NIOConcurrencyHelpers

/// A program that a test started, so that the test can stop it, kill it or hold it.
///
/// What it writes goes to a file. Whatever still runs when the tests end is killed.
final class ChildProcess: Sendable {
    let identifier: pid_t
    let logFile: String
    private let exitStatus = NIOLockedValueBox<Int32?>(nil)

    /// Starts the program; the log is appended to, so that several lives of a host can share one.
    init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        logFile: String
    ) throws {
        let descriptor = open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        let log = FileHandle(fileDescriptor: descriptor)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        let exitStatus = self.exitStatus
        process.terminationHandler = { ended in
            LivingProcesses.all.remove(ended.processIdentifier)
            exitStatus.withLockedValue { $0 = ended.terminationStatus }
        }
        try process.run()
        try log.close()
        self.identifier = process.processIdentifier
        self.logFile = logFile
        if process.isRunning { LivingProcesses.all.add(process.processIdentifier) }
    }

    /// Runs a tool that must succeed.
    static func run(_ executable: String, _ arguments: [String]) async throws {
        let logFile = "\(NSTemporaryDirectory())sluice-tool-\(UUID().uuidString).log"
        defer { unlink(logFile) }
        let process = try ChildProcess(executable, arguments, logFile: logFile)
        try await eventually("the end of \(executable)", within: .seconds(60)) { process.hasEnded }
        guard process.exitStatus.withLockedValue({ $0 }) == 0 else {
            throw NeverHappened(what: "success of \(executable)", timeout: .zero, state: process.log)
        }
    }

    var hasEnded: Bool { self.exitStatus.withLockedValue { $0 } != nil }

    /// Sends a signal, if it still runs.
    func signal(_ number: Int32) {
        if !self.hasEnded { Glibc.kill(self.identifier, number) }
    }

    /// Ends it as a crash of the machine would: without a word.
    func kill() async throws {
        self.signal(SIGKILL)
        try await eventually("the end of process \(self.identifier)", within: .seconds(10)) { self.hasEnded }
    }

    /// Asks it to end and returns its exit status.
    @discardableResult
    func stop() async throws -> Int32? {
        self.signal(SIGTERM)
        self.signal(SIGCONT)
        try await eventually("the end of process \(self.identifier)", within: .seconds(30)) { self.hasEnded }
        return self.exitStatus.withLockedValue { $0 }
    }

    /// All that it wrote, and whoever shares its log.
    var log: String { (try? String(contentsOfFile: self.logFile, encoding: .utf8)) ?? "" }
}

/// Kills what tests left behind.
private final class LivingProcesses: Sendable {
    static let all = LivingProcesses()
    private let identifiers = NIOLockedValueBox<Set<pid_t>>([])

    private init() {
        atexit { LivingProcesses.all.end() }
    }

    func add(_ identifier: pid_t) { self.identifiers.withLockedValue { _ = $0.insert(identifier) } }
    func remove(_ identifier: pid_t) { self.identifiers.withLockedValue { _ = $0.remove(identifier) } }

    private func end() {
        for identifier in self.identifiers.withLockedValue({ $0 }) { kill(identifier, SIGKILL) }
    }
}
