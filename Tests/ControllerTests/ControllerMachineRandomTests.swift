import Controller
import Kubernetes
import PluginHost
import Testing

/// Plays the machine in a cluster where everything that can go wrong does, and checks the invariants after every step.
@Suite struct ControllerMachineRandomTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func noJobTooManyNoneMissingNoneTwice(seed: UInt64) {
        var random = SystemOrSeededGenerator(seed: seed)
        var cluster = ModelCluster(seed: seed)
        let maximum = Int.random(in: 1...6, using: &random)
        let trigger: JSONValue = [
            "type": "counter", "metadata": ["queue": "a"], "authenticationRef": ["name": "login"],
        ]
        cluster.start(ModelCluster.scaledJob(maximum: maximum, triggers: [trigger]))
        let spec: JSONValue = ["secretTargetRef": [["parameter": "password", "name": "login", "key": "p"]]]
        let metadata = ObjectMetadata(name: "login", namespace: ModelCluster.key.namespace)
        cluster.take(.authentications(.upserted(TriggerAuthentication(metadata: metadata, spec: spec)), scope: nil))
        self.rotate(&cluster, to: "first")
        cluster.openTriggers()
        for step in 0..<600 {
            self.step(&cluster, &random)
            #expect(cluster.unfinished <= maximum, "seed \(seed) step \(step)")
            if cluster.unfinished > maximum { return }
        }
        // From here on the world behaves, and everything must come to its end.
        self.rotate(&cluster, to: "last")
        cluster.openTriggers()
        cluster.relist()
        cluster.workOff(rounds: 400)
        #expect(cluster.mostUnfinished <= maximum, "seed \(seed)")
        #expect(cluster.documents.isEmpty, "seed \(seed): stuck")
        #expect(cluster.jobs.isEmpty, "seed \(seed): not cleaned")
        #expect(cluster.surplusJobs == 0, "seed \(seed): a Job without work")
    }

    /// Changes the password, or takes the Secret away.
    private func rotate(_ cluster: inout ModelCluster, to password: String?) {
        let secret = ObjectKey(namespace: ModelCluster.key.namespace, name: "login")
        cluster.take(.secret(secret, password.map { .present(["p": Array($0.utf8)]) } ?? .missing))
    }

    private func step(_ cluster: inout ModelCluster, _ random: inout SystemOrSeededGenerator) {
        switch Int.random(in: 0..<14, using: &random) {
        case 0: cluster.insertDocuments(Int.random(in: 1...4, using: &random))
        case 1: cluster.push()
        case 2, 3, 4:
            guard !cluster.calls.isEmpty else { return }
            let fault: ModelCluster.Fault =
                Int.random(in: 0..<4, using: &random) == 0
                ? ModelCluster.Fault.allCases.randomElement(using: &random) ?? .none : .none
            cluster.answerCall(at: Int.random(in: 0..<cluster.calls.count, using: &random), fault)
        case 5, 6: cluster.showNext()
        case 7:
            guard let name = cluster.jobs.filter({ !$0.value.isFinished }).keys.sorted().randomElement(using: &random)
            else { return }
            cluster.runJob(name)
        case 8:
            guard !cluster.measures.isEmpty else { return }
            let index = Int.random(in: 0..<cluster.measures.count, using: &random)
            cluster.countForMeasure(at: index)
        case 9:
            guard !cluster.measures.isEmpty else { return }
            let index = Int.random(in: 0..<cluster.measures.count, using: &random)
            cluster.answerMeasure(at: index, fail: Int.random(in: 0..<5, using: &random) == 0)
        case 11: self.rotate(&cluster, to: ["a", "b", "c", nil].randomElement(using: &random) ?? nil)
        case 12: cluster.openTriggers()
        case 10: cluster.advance(.milliseconds(Int.random(in: 1...5_000, using: &random)))
        default:
            if Int.random(in: 0..<10, using: &random) == 0 { cluster.relist() }
        }
    }
}
