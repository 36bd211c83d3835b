import FoundationEssentials
import Glibc
import Testing

@testable import HTTP
@testable import Kubernetes

@Suite struct KubeconfigTests {
    private static func kubeconfig(user: String, cluster: String = "") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: main
        contexts:
          - {name: main, context: {cluster: one, user: me, namespace: work}}
          - {name: nobody, context: {cluster: one, user: missing}}
          - {name: nowhere, context: {cluster: missing, user: me}}
        clusters:
          - name: one
            cluster:
              server: https://example.test:6443
              \(cluster)
        users:
          - name: me
            user:
              \(user)
        """
    }

    private func configuration(
        user: String,
        cluster: String = "",
        context: String? = nil
    ) throws -> ClientConfiguration {
        var kubeconfig = Kubeconfig()
        try kubeconfig.add(Self.kubeconfig(user: user, cluster: cluster), path: "/etc/config")
        return try kubeconfig.configuration(context: context)
    }

    private func message(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch let error as KubernetesError where error.code == .configuration {
            return error.message
        } catch {
            return nil
        }
    }

    @Test func theCurrentContextIsTaken() async throws {
        let configuration = try self.configuration(
            user: "token: secret",
            cluster: "certificate-authority-data: \(Data("pem".utf8).base64EncodedString())"
        )
        #expect(configuration.server == "https://example.test:6443")
        #expect(configuration.namespace == "work")
        #expect(configuration.certificateAuthority == Array("pem".utf8))
        #expect(configuration.verifiesServer)
        let credential = try await configuration.credentials.credential(by: .now + .seconds(30))
        #expect(credential.token == "secret")
        #expect(!"\(credential) \(configuration)".contains("secret"))
    }

    @Test func theClusterMayNameProxyAndServer() throws {
        let configuration = try self.configuration(
            user: "token: t",
            cluster: """
                insecure-skip-tls-verify: true
                      tls-server-name: inner.test
                      proxy-url: http://proxy.test:3128
                """
        )
        #expect(!configuration.verifiesServer)
        #expect(configuration.serverName == "inner.test")
        #expect(configuration.proxy == "http://proxy.test:3128")
    }

    @Test func clientCertificatesComeWithTheirKey() async throws {
        let pem = Data("pem".utf8).base64EncodedString()
        let both = try self.configuration(user: "{client-certificate-data: \(pem), client-key-data: \(pem)}")
        #expect(try await both.credentials.credential(by: .now + .seconds(30)).identity?.key == Array("pem".utf8))
        #expect(
            self.message { _ = try self.configuration(user: "client-certificate-data: \(pem)") }?.contains("client-key")
                == true
        )
    }

    @Test(arguments: [
        ("auth-provider: {name: gcp}", "auth-provider"),
        ("username: u", "username"),
        ("as: somebody", "uses as"),
        ("client-certificate-data: '***'", "base64"),
        ("client-certificate: missing.pem", "/etc/missing.pem"),
        ("tokenFile: missing", "/etc/missing"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1}", "no command"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}", "v1alpha1"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}", "terminal"),
    ])
    func whatCannotBeUsedIsNamed(_ user: String, _ part: String) {
        let message = self.message { _ = try self.configuration(user: user) }
        #expect(message?.contains(part) == true, "\(message ?? "no error")")
    }

    @Test func whatIsMissingIsNamed() {
        for (context, part) in [("nobody", "missing"), ("nowhere", "cluster"), ("other", "other")] {
            let message = self.message { _ = try self.configuration(user: "token: t", context: context) }
            #expect(message?.contains(part) == true, "\(message ?? "no error")")
        }
        #expect(self.message { _ = try ClientConfiguration.kubeconfig("/missing", environment: [:]) } != nil)
        #expect(self.message { _ = try ClientConfiguration.kubeconfig(environment: ["KUBECONFIG": "/a:/b"]) } != nil)
        var kubeconfig = Kubeconfig()
        #expect(self.message { try kubeconfig.add("a: [", path: "x") } == "x is not YAML")
        #expect(self.message { try kubeconfig.add("[]", path: "x") } == "x is no kubeconfig")
        #expect(self.message { _ = try kubeconfig.configuration(context: nil) }?.contains("current-context") == true)
    }

    @Test func theFirstOfSeveralFilesDecides() throws {
        var kubeconfig = Kubeconfig()
        try kubeconfig.add("current-context: b\nusers: [{name: u, user: {token: first}}]", path: "1")
        try kubeconfig.add(
            """
            current-context: a
            users: [{name: u, user: {token: second}}]
            contexts: [{name: b, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: "https://b.test"}}]
            """,
            path: "2"
        )
        #expect(try kubeconfig.configuration(context: nil).server == "https://b.test")
        #expect(kubeconfig.users["u"]?.text("token") == "first")
    }

    @Test func aPodFindsItsServiceAccount() async throws {
        let directory = "/tmp/sluice-account-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, content) in [("token", "t\n"), ("ca.crt", "pem"), ("namespace", "home")] {
            try Data(content.utf8).write(to: URL(filePath: "\(directory)/\(name)"))
        }
        let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
        let configuration = try ClientConfiguration.inCluster(environment: environment, directory: directory)
        #expect(configuration.server == "https://[fd00::1]:443")
        #expect(configuration.namespace == "home")
        #expect(try await configuration.credentials.credential(by: .now + .seconds(30)).token == "t")
        #expect(self.message { _ = try ClientConfiguration.inCluster(environment: [:]) } != nil)
    }

    @Test func addressesAreTakenApart() {
        let address = HTTPEndpoint.Address("https://[::1]:6443/k8s/clusters/c-1/")
        #expect(address?.host == "[::1]")
        #expect(address?.port == 6443)
        #expect(address?.prefix == "/k8s/clusters/c-1")
        #expect(HTTPEndpoint.Address("https://host")?.port == 443)
        for text in [
            "", "host:6443", "ftp://host", "https://", "https://user@host", "https://host:x", "https://host?q",
        ] {
            #expect(HTTPEndpoint.Address(text) == nil, "\(text)")
        }
    }
}
