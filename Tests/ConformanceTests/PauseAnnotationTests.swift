import Controller
import Kubernetes
import Testing

/// Table M: which values of the annotation pause.
@Suite struct PauseAnnotationTests {
    struct Row: ConformanceRow {
        let id: String
        var key = "autoscaling.keda.sh/paused"
        /// Nil where the annotation is absent.
        let values: [String?]
        let isPaused: Bool
    }

    static let rows: [Row] = [
        Row(id: "M1", values: [nil], isPaused: false),
        Row(id: "M3", values: ["false"], isPaused: false),
        Row(id: "M4", values: ["1", "t", "TRUE"], isPaused: true),
        Row(id: "M6", values: ["yes", "on", "", "no", "off", "2", " false", "fALSE"], isPaused: true),
        Row(id: "M7", key: "autoscaling.keda.sh/paused-replicas", values: ["0"], isPaused: false),
    ]

    /// The rule beyond the rows.
    static let others: [Row] = [
        Row(id: "forms of false", values: ["0", "f", "F", "FALSE", "false", "False"], isPaused: false),
        Row(id: "forms of true", values: ["1", "t", "T", "TRUE", "true", "True"], isPaused: true),
        Row(id: "scale-in", key: "autoscaling.keda.sh/paused-scale-in", values: ["true"], isPaused: false),
        Row(id: "scale-out", key: "autoscaling.keda.sh/paused-scale-out", values: ["true"], isPaused: false),
    ]

    @Test(arguments: rows + others)
    func aPausedScaledJobCreatesNotEvenItsBase(row: Row) {
        for value in row.values {
            let annotations = value.map { [row.key: $0] }
            #expect(WellKnown.isPaused(annotations) == row.isPaused, "\(value ?? "absent")")
            var bench = LifeCycleBench()
            bench.run(LifeCycleBench.scaledJob(spec: ["minReplicaCount": 1], annotations: annotations), [])
            #expect(bench.created.isEmpty == row.isPaused, "\(value ?? "absent")")
        }
    }
}
