import ClusterTestSupport
import Foundation
import Kubernetes
import PluginPeers

extension HostFixture {
    /// A file with these objects, as a person would write it; returns its path.
    func write(_ objects: [JSONValue], to name: String) throws -> String {
        let documents = try objects.map { object in
            var object = object
            var metadata = object["metadata"] ?? .object([:])
            metadata["namespace"] = .string(self.namespace)
            object["metadata"] = metadata
            return String(decoding: try object.encoded(), as: UTF8.self)
        }
        return self.folder.write(documents.joined(separator: "\n---\n"), to: name)
    }

    /// Runs `sluice validate` to its end.
    func validate(_ arguments: [String]) async throws -> (status: Int32?, output: String) {
        let log = "\(self.folder.folder)/validate-\(UUID().uuidString).log"
        let process = try ChildProcess(builtExecutable("sluice"), ["validate"] + arguments, logFile: log)
        try await eventually("the end of sluice validate") { process.hasEnded }
        return (try await process.stop(), process.log)
    }
}
