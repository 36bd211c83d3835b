import ArgumentParser
import Controller
import Kubernetes
import SystemPackage

/// `sluice decide`: what the controller would do in a situation, and why.
struct DecideCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decide",
        abstract: "Says how many Jobs a ScaledJob would get in a situation, and why not more.",
        discussion: """
            The situation is JSON or YAML: scaledJob is a manifest; triggers lists what each trigger reports, for \
            example {"value": 3, "target": 1} or {"error": "timed out"}; jobs says how many Jobs exist, for example \
            {"running": 2, "pending": 1}. Nothing is contacted and nothing is created.

            The decision is printed as JSON. What is not known is null.
            """
    )

    @Argument(help: ArgumentHelp("A file with the situation, or - for standard input.", valueName: "file"))
    var file: String

    func run() throws {
        switch DecisionTrial.run(try self.read()) {
        case .success(let trial):
            for note in trial.notes { Self.complain(note) }
            let answer = try trial.json.encoded() + Array("\n".utf8)
            try FileDescriptor.standardOutput.writeAll(answer)
        case .failure(let invalid):
            for problem in invalid.problems { Self.complain(problem.description) }
            throw ExitCode(1)
        }
    }

    /// Reads a little more than may be, so that too much is seen as such.
    private func read() throws -> [UInt8] {
        do {
            guard self.file != "-" else { return try Self.read(.standardInput) }
            let descriptor = try FileDescriptor.open(FilePath(self.file), .readOnly, options: .closeOnExec)
            return try descriptor.closeAfter { try Self.read(descriptor) }
        } catch {
            throw Failure("\(self.file) cannot be read: \(error)")
        }
    }

    private static func read(_ descriptor: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= DecisionTrial.largest {
            let count = try part.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        return bytes
    }

    private static func complain(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll("\(text.plainLine)\n".utf8)
    }
}
