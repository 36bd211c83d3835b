import ClusterTestSupport
import Foundation
import FoundationNetworking
import Kubernetes
import PluginPeers

extension HostFixture {
    /// The port at which a host listens, as its log says.
    func port(of host: ChildProcess, for purpose: String) async throws -> Int {
        var port: Int?
        try await eventually("listening for \(purpose)", otherwise: { host.log.suffix(2_000).description }) {
            for line in host.log.split(separator: "\n") where line.contains(" listening ") {
                let words = line.contains("for=\(purpose)") || line.contains("for=\"\(purpose)\"")
                guard words, let address = line.firstRange(of: "address=127.0.0.1:") else { continue }
                port = Int(line[address.upperBound...].prefix { $0.isNumber })
            }
            return port != nil
        }
        return port ?? 0
    }

    /// What a host answers to a plain request.
    func ask(_ path: String, port: Int) async throws -> (status: Int, text: String) {
        guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else { return (0, "") }
        let (data, response) = try await URLSession.shared.data(from: url)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
    }

    /// Applies an object and returns all that kubectl wrote, warnings as well.
    func apply(_ object: JSONValue) async throws -> (status: Int32?, output: String) {
        let name = UUID().uuidString
        let file = try self.write([object], to: "\(name).json")
        let process = try ChildProcess(
            "/usr/bin/env",
            ["kubectl", "--kubeconfig", self.cluster.kubeconfig, "apply", "-f", file],
            logFile: "\(self.folder.folder)/\(name).log"
        )
        try await eventually("the end of kubectl", within: .seconds(60)) { process.hasEnded }
        return (try await process.stop(), process.log)
    }
}
