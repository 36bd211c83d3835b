import NIOConcurrencyHelpers
import PluginKit
import PluginProtocol
import UnixSignals

#if canImport(Glibc)
import Glibc
#endif

/// A plugin for tests, a real process: reads numbers from files, and misbehaves by name.
///
/// `SCRIPTED_NAME` and `SCRIPTED_TYPE` name it (`scripted` unless set); SIGUSR1 makes it report every trigger as changed. A
/// trigger's `behaviour` says what it does when it is read: see ``Behaviour``.
@main
struct ScriptedPlugin: PluginProgram {
    enum Behaviour: String, CaseIterable {
        /// Answers at once.
        case healthy
        /// Never answers, and notices when it is cancelled.
        case hang
        /// Blocks the whole process.
        case block
        /// Ends the process.
        case crash
        /// Fails to open as a wrong parameter does.
        case invalid
        /// Fails with an error of its own, whose text is a secret.
        case leak
        /// Reports a change over and over.
        case flood
    }

    struct Secret: Error, CustomStringConvertible {
        var description: String { "password=hunter2" }
    }

    struct OpenTrigger {
        var file: String?
        var value: Double
        var behaviour: Behaviour
        var changes: ChangeNotifier
    }

    let name: String
    let type: String
    let version = "1.2.3"
    private let open = NIOLockedValueBox<[TriggerHandle: OpenTrigger]>([:])

    var triggerTypes: [TriggerTypeDeclaration] {
        [
            TriggerTypeDeclaration(
                type: self.type,
                help: "Numbers for tests.",
                parameters: [
                    ParameterDeclaration("file", help: "A file that holds the number waiting."),
                    ParameterDeclaration(
                        "value",
                        .number,
                        default: "0",
                        from: [.metadata, .authentication, .environment],
                        help: "The number waiting without a file."
                    ),
                    ParameterDeclaration("target", .number, default: "1", help: "Backlog per Job."),
                    ParameterDeclaration("activation", .number, default: "0", help: "Activation threshold."),
                    ParameterDeclaration(
                        "behaviour",
                        .oneOf(Behaviour.allCases.map(\.rawValue)),
                        default: Behaviour.healthy.rawValue,
                        help: "What the trigger does when it is read."
                    ),
                    ParameterDeclaration(
                        "password",
                        secret: true,
                        from: [.authentication, .environment],
                        help: "Taken and not used."
                    ),
                ],
                capabilities: .init(push: true)
            )
        ]
    }

    init() async throws {
        self.name = Self.variable("SCRIPTED_NAME") ?? "scripted"
        self.type = Self.variable("SCRIPTED_TYPE") ?? "scripted"
        let open = self.open
        let signals = await UnixSignalsSequence(trapping: .sigusr1)
        // Lives as long as the process.
        Task {
            for await _ in signals {
                for trigger in open.withLockedValue({ Array($0.values) }) {
                    trigger.changes()
                }
            }
        }
    }

    func open(_ trigger: TriggerRequest, changes: ChangeNotifier) async throws -> OpenedTrigger {
        let behaviour = trigger.parameters["behaviour"].flatMap(Behaviour.init) ?? .healthy
        switch behaviour {
        case .invalid: throw PluginFailure(.invalidParameter, "behaviour is invalid", parameter: "behaviour")
        case .leak: throw Secret()
        default: break
        }
        let opened = OpenTrigger(
            file: trigger.parameters["file"],
            value: trigger.parameters["value"].flatMap(Double.init) ?? 0,
            behaviour: behaviour,
            changes: changes
        )
        self.open.withLockedValue { $0[trigger.handle] = opened }
        return OpenedTrigger(
            target: trigger.parameters["target"].flatMap(Double.init) ?? 1,
            activation: trigger.parameters["activation"].flatMap(Double.init) ?? 0,
            counts: .untilFinished,
            push: .available
        )
    }

    func measure(_ requests: [MeasureRequest], report: MeasureReport) async {
        var hangs = false
        for request in requests {
            guard let trigger = self.open.withLockedValue({ $0[request.trigger] }) else { continue }
            switch trigger.behaviour {
            case .hang: hangs = true
            case .block:
                while true { pause() }
            case .crash: exit(70)
            case .flood:
                for _ in 0..<1000 { trigger.changes() }
                fallthrough
            case .healthy, .invalid, .leak:
                report(request.trigger, Self.read(trigger))
            }
        }
        if hangs {
            try? await Task.sleep(for: .seconds(3600))
        }
    }

    func close(_ trigger: TriggerHandle) async {
        self.open.withLockedValue { $0[trigger] = nil }
    }

    private static func read(_ trigger: OpenTrigger) -> Result<Reading, PluginFailure> {
        guard let path = trigger.file else { return .success(Reading(waiting: trigger.value)) }
        guard let file = fopen(path, "r") else {
            return .failure(PluginFailure(.notFound, "the file cannot be opened", parameter: "file"))
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes.prefix(count), as: UTF8.self).split(whereSeparator: \.isWhitespace).first
        guard let value = text.flatMap({ Double($0) }) else {
            return .failure(PluginFailure(.invalidParameter, "the file holds no number", parameter: "file"))
        }
        return .success(Reading(waiting: value))
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
