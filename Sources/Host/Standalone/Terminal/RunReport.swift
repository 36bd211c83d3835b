internal import FoundationEssentials
package import SystemPackage

/// A file that says what a run has done, one JSON object a line, for scripts.
package final class RunReport: Sendable {
    /// One line.
    package struct Entry: Codable, Sendable, Equatable {
        package enum Event: String, Codable, Sendable {
            /// A Job exists.
            case created
            /// A Job completed.
            case finished
            case failed
            /// A finished Job was deleted.
            case cleaned
            /// The last line.
            case ended
        }

        package var event: Event
        package var namespace: String
        package var name: String
        /// The Job, for events that are about one.
        package var job: String?
        /// Microseconds since 1970.
        package var at: Int64
        /// Jobs left in the cluster, in the last line.
        package var jobsLeft: Int?

        package init(
            _ event: Event,
            namespace: String,
            name: String,
            job: String? = nil,
            at: Int64 = Timestamp.microseconds,
            jobsLeft: Int? = nil
        ) {
            self.event = event
            self.namespace = namespace
            self.name = name
            self.job = job
            self.at = at
            self.jobsLeft = jobsLeft
        }
    }

    private let descriptor: FileDescriptor

    /// Starts a new file.
    package init(file: FilePath) throws {
        self.descriptor = try FileDescriptor.open(
            file,
            .writeOnly,
            options: [.create, .truncate, .append, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead]
        )
    }

    deinit { try? self.descriptor.close() }

    package func write(_ entry: Entry) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try self.descriptor.writeAll(Array(encoder.encode(entry)) + [UInt8(ascii: "\n")])
    }
}
