import ArgumentParser
import Controller
import Kubernetes
import Logging

/// How several hosts, or a host and a KEDA operator, agree on which one acts.
struct LeadershipOptions: ParsableArguments {
    @Flag(help: "Act only while this host holds the Lease; the others wait and take over.")
    var leaderElect = false

    @Option(
        help: ArgumentHelp(
            "The Lease. By default KEDA's, so that only one of the two acts; with --scaledjob-selector one of its own.",
            valueName: "name"
        )
    )
    var leaseName: String?

    @Option(
        help: ArgumentHelp("Where the Lease is: by default POD_NAMESPACE or the kubeconfig's.", valueName: "namespace")
    )
    var leaseNamespace: String?

    @Option(
        help: ArgumentHelp("How long a leader that fell silent is left alone; at least 5.", valueName: "seconds")
    )
    var leaseDuration = 15

    func validate() throws {
        guard (5...3_600).contains(self.leaseDuration) else {
            throw ValidationError("--lease-duration: \(self.leaseDuration) is not between 5 and 3600 seconds")
        }
        guard self.leaseName != "" else {
            throw ValidationError("--lease-name: is empty; leave it out or name a Lease")
        }
    }

    func elector(
        api: any KubernetesAPI,
        shard: Shard,
        namespace: String?,
        fence: WriteFence,
        logger: Logger
    ) -> LeaderElector? {
        guard self.leaderElect else { return nil }
        let environment = ProcessEnvironment.variables
        let place = self.leaseNamespace ?? environment["POD_NAMESPACE"] ?? namespace ?? "default"
        let pod = environment["POD_NAME"] ?? environment["HOSTNAME"] ?? "sluice"
        let mark = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return LeaderElector(
            api: api,
            lease: ObjectKey(namespace: place, name: self.leaseName ?? shard.leaseName),
            settings: LeaderElection.Settings(
                identity: "\(pod)_\(mark)",
                leaseDuration: .seconds(self.leaseDuration),
                shard: shard.description
            ),
            fence: fence,
            logger: logger
        )
    }
}
