import ClusterTestSupport
import Foundation
import PluginPeers

extension HostFixture {
    /// Starts plain HTTP on loopback in front of the API server.
    func startProxy() throws -> ChildProcess {
        try self.start(
            path: "/usr/bin/env",
            ["kubectl", "--kubeconfig", self.cluster.kubeconfig, "proxy", "--port=0"],
            log: "proxy.log"
        )
    }

    /// The port that it chose.
    func proxyPort(of proxy: ChildProcess) async throws -> Int {
        var port: Int?
        try await eventually("the proxy listens", otherwise: { proxy.log }) {
            port = proxy.log.firstRange(of: "127.0.0.1:").flatMap { range in
                Int(proxy.log[range.upperBound...].prefix { $0.isNumber })
            }
            return port != nil
        }
        return port ?? 0
    }
}
