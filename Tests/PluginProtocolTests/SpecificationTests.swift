import Foundation
import PluginProtocol
import Subprocess
import SystemPackage
import Testing

/// The texts that others write plugins from say what the code does.
@Suite struct SpecificationTests {
    private static let root = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent()

    private static func read(_ path: String) throws -> String {
        try String(contentsOfFile: Self.root.appending(path).string, encoding: .utf8)
    }

    @Test func generatedCodeIsWhatTheProtoSays() async throws {
        let folder = FilePath("/tmp/sluice-generated-\(UInt64.random(in: 0 ... .max))")
        let script = """
            set -eu
            trap 'rm -rf "$1"' EXIT
            "$0/proto/generate.sh" "$1"
            diff -r "$1" "$0/Sources/PluginProtocol/CMessages"
            """
        let result = try await Subprocess.run(
            .name("sh"),
            arguments: ["-c", script, Self.root.string, folder.string],
            output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16)
        )
        #expect(result.terminationStatus.isSuccess, "\(result.standardOutput) \(result.standardError)")
    }

    @Test func limitsInTheTextAreThoseOfTheCode() throws {
        let text = try Self.read("docs/protocol.md")
        for phrase in [
            "| length of a frame | \(ProtocolLimits.frameBytes) bytes",
            "| memory for one decoded message | \(ProtocolLimits.messageMemoryBytes) bytes",
            "other text for people | \(ProtocolLimits.failureMessageBytes) bytes",
            "| name of a plugin or trigger type | \(ProtocolLimits.nameBytes) bytes",
            "| name of a parameter | \(ProtocolLimits.parameterNameBytes) printable",
            "| name of a trigger's metric | \(ProtocolLimits.metricNameBytes) bytes",
            "| trigger types of a plugin | \(ProtocolLimits.triggerTypes),",
            "| parameters of a trigger type | \(ProtocolLimits.parameters) |",
            "| key of an item | \(ProtocolLimits.itemKeyBytes) bytes",
            "never more than \(ProtocolLimits.itemsPerReading) |",
            "| payload of an item | \(ProtocolLimits.itemPayloadBytes) bytes",
            "has at most \(ProtocolLimits.socketPathBytes)",
            "`\(ProtocolLimits.socketPathVariable)`; unset, it is `\(ProtocolLimits.defaultSocketPath)`",
            "`\(ProtocolLimits.exitWithParentVariable)`",
            "# The plugin protocol, version \(ProtocolLimits.versions.max() ?? 0)",
        ] {
            #expect(text.contains(phrase), "\(phrase)")
        }
    }

    @Test func messagesInTheTextAreThoseOfTheProto() throws {
        let text = try Self.read("docs/protocol.md")
        let proto = try Self.read("proto/plugin.proto")
        var bodies = 0
        let frame = proto.prefix(upTo: proto.firstRange(of: "message Register")?.lowerBound ?? proto.endIndex)
        for line in frame.split(separator: "\n") {
            guard let match = line.wholeMatch(of: /\s{4}([A-Z][A-Za-z]+) ([a-z_]+) = (\d+);/),
                match.1.lowercased() == match.2
            else { continue }
            bodies += 1
            #expect(text.contains("| \(match.3) | \(match.1) |"), "\(match.1)")
        }
        #expect(bodies == 14)
        for code in PluginFailure.Code.all {
            let name = code.description.reduce("") { $0 + ($1.isUppercase ? "_" : "") + $1.uppercased() }
            #expect(proto.contains("  \(name) = \(code.number);"), "\(name)")
            #expect(text.contains("| \(name) | \(code.number) |"), "\(name)")
        }
    }
}
