import PluginProtocol

/// What a trigger's metric is called in the status and in metrics: `s<index>-<name>`.
package enum MetricName {
    /// The name as everybody may show it: KEDA's characters become hyphens, and so does what no name should have.
    ///
    /// - Returns: Nil for an empty name.
    package static func normalized(_ name: String) -> String? {
        let scalars = name.unicodeScalars.lazy.map { scalar -> Unicode.Scalar in
            switch scalar {
            case "/", ".", ":", "%", "(", ")": "-"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: "-"
            default: scalar
            }
        }
        var normalized = ""
        normalized.unicodeScalars.append(contentsOf: scalars)
        return normalized.isEmpty ? nil : normalized.prefix(utf8Bytes: ProtocolLimits.metricNameBytes)
    }

    /// The name by which the ScaledJob's status and its metrics know the metric of one trigger.
    package static func indexed(_ index: Int, _ name: String) -> String { "s\(index)-\(name)" }
}
