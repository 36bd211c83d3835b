import ArgumentParser
import Kubernetes

/// What the host may ask of the API server.
struct RequestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Requests a second to the API server, those about the Lease not counted. As many as it bears by default.",
            valueName: "number"
        )
    )
    var kubeApiQps: Double?

    @Option(
        help: ArgumentHelp(
            "Requests at once beyond --kube-api-qps; by default as many as that allows in a second.",
            valueName: "number"
        )
    )
    var kubeApiBurst: Int?

    private static let rates = 0.1...100_000.0
    private static let bursts = 1...100_000

    func validate() throws {
        if let rate = self.kubeApiQps, !Self.rates.contains(rate) {
            throw ValidationError(
                "--kube-api-qps: \(rate) is not between 0.1 and 100000; leave it out for no limit"
            )
        }
        guard let burst = self.kubeApiBurst else { return }
        guard Self.bursts.contains(burst) else {
            throw ValidationError("--kube-api-burst: \(burst) is not between 1 and 100000")
        }
        guard self.kubeApiQps != nil else {
            throw ValidationError("--kube-api-burst: \(burst) has no effect without --kube-api-qps; add it")
        }
    }

    var settings: RequestFlow.Settings {
        RequestFlow.Settings(
            rate: self.kubeApiQps,
            burst: self.kubeApiBurst ?? Int((self.kubeApiQps ?? 1).rounded(.up))
        )
    }
}
