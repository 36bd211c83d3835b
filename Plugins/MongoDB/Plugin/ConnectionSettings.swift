internal import MongoDB
internal import PluginProtocol

/// Where a trigger connects to and how; secret as a whole.
///
/// Triggers with equal settings share their connections.
struct ConnectionSettings: Sendable, Hashable, CustomStringConvertible {
    let uri: String
    let tls: TLS?

    /// TLS material in PEM, beyond what the URI says.
    struct TLS: Sendable, Hashable {
        var certificate: String?
        var key: String?
        var keyPassword: String?
        var authorities: String?
    }

    /// Hides the settings: they hold credentials.
    var description: String { "ConnectionSettings" }

    init(_ values: ParameterValues, database: String) throws(PluginFailure) {
        if let uri = values["connectionString"] {
            self.uri = uri
        } else {
            self.uri = try Self.uri(ofParts: values, database: database)
        }
        self.tls = try Self.tls(values)
    }

    private static func uri(ofParts values: ParameterValues, database: String) throws(PluginFailure) -> String {
        let scheme = values["scheme"] ?? "mongodb"
        guard scheme == "mongodb" || scheme == "mongodb+srv" else {
            throw .invalid("scheme", "scheme \"\(scheme)\" must be mongodb or mongodb+srv")
        }
        func part(_ name: String) throws(PluginFailure) -> String {
            guard let value = values[name] else {
                throw .invalid(name, "\(name) is missing; set it, or give a connectionString instead of the parts")
            }
            return value
        }
        let host = try part("host")
        if let odd = host.first(where: { "/@?#% ".contains($0) }) {
            throw .invalid("host", "host \"\(host)\" must not contain \"\(odd)\"; give a name or an address only")
        }
        let port = scheme == "mongodb+srv" ? values["port"] : try part("port")
        if let port, UInt16(port) == nil || port == "0" {
            throw .invalid("port", "port \"\(port)\" must be a number from 1 to 65535")
        }
        return MongoURI.make(
            scheme: scheme,
            username: try part("username"),
            password: try part("password"),
            host: host,
            port: port,
            database: database
        )
    }

    private static func tls(_ values: ParameterValues) throws(PluginFailure) -> TLS? {
        let mode = values["tls"] ?? "disable"
        guard mode == "enable" || mode == "disable" else {
            throw .invalid("tls", "tls \"\(mode)\" must be enable or disable")
        }
        guard mode == "enable" else { return nil }
        let tls = TLS(
            certificate: values["cert"],
            key: values["key"],
            keyPassword: values["keyPassword"],
            authorities: values["ca"]
        )
        if tls.certificate == nil, tls.key == nil, tls.authorities == nil {
            throw .invalid("tls", "tls enable needs ca, or cert and key, or all three; set them or leave tls out")
        }
        if (tls.certificate == nil) != (tls.key == nil) {
            let missing = tls.key == nil ? "key" : "cert"
            throw .invalid(missing, "\(missing) is missing; a client certificate needs both cert and key")
        }
        return tls
    }
}
