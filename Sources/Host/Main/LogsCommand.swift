import ArgumentParser
import Kubernetes
import Standalone
import SystemPackage

/// `sluice logs`: the output of Jobs that `sluice run` ran.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Shows the output of a Job that sluice run has run.",
        discussion: "Output is kept in the state folder, also after the Job was cleaned; the oldest goes first."
    )

    @Argument(help: ArgumentHelp("Name of the Job.", valueName: "job"))
    var job: String

    @Option(help: ArgumentHelp("Namespace of the Job.", valueName: "name"))
    var namespace: String = "default"

    @Option(help: ArgumentHelp("The state folder that sluice run was given.", valueName: "folder"))
    var state: String = ".sluice"

    func run() async throws {
        let files = JobOutput(stateDirectory: FilePath(self.state))
            .files(of: ObjectKey(namespace: self.namespace, name: self.job))
        guard !files.isEmpty else {
            throw Failure("no output of Job \(self.namespace)/\(self.job) in \(self.state)")
        }
        for file in files {
            if files.count > 1 { print("==> \(file.lastComponent?.string ?? file.string) <==") }
            let descriptor = try FileDescriptor.open(file, .readOnly)
            defer { try? descriptor.close() }
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                guard count > 0 else { break }
                try FileDescriptor.standardOutput.writeAll(buffer[..<count])
            }
        }
    }
}
