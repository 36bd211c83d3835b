import Controller
import Kubernetes
import PluginHost
import Testing

extension ControllerMachineRandomTests {
    /// Plays edits, pauses, restarts and faults against running Jobs, and checks after every step that none was deleted that
    /// should not be.
    @Suite struct Rollouts {
        @Test(arguments: 0..<60 as Range<UInt64>)
        func onlyOldJobsAreDeletedAndOnlyWhenAskedFor(seed: UInt64) {
            var random = SystemOrSeededGenerator(seed: seed)
            var cluster = ModelCluster(seed: seed)
            let maximum = Int.random(in: 1...6, using: &random)
            var edits = Edits(maximum: maximum)
            // Half of them start in a cluster with Jobs that KEDA made.
            if Bool.random(using: &random) {
                for number in 0..<Int.random(in: 1...maximum, using: &random) {
                    let image = Edits.images.randomElement(using: &random) ?? ""
                    cluster.jobs["transcode-k\(number)"] = .init(generation: 0, image: image)
                }
                cluster.insertDocuments(cluster.jobs.count)
            }
            cluster.start(edits.scaledJob)
            cluster.openTriggers()
            for step in 0..<600 {
                self.step(&cluster, &edits, &random)
                let isRight = cluster.offences == [] && cluster.unfinished <= maximum
                #expect(isRight, "seed \(seed) step \(step): \(cluster.offences), \(cluster.unfinished) of \(maximum)")
                guard isRight else { return }
            }
            // From here on the world behaves, and everything must come to its end.
            cluster.refusesTemplates = nil
            edits.isPaused = false
            edits.generation += 1
            cluster.edit(edits.scaledJob)
            cluster.openTriggers()
            cluster.relist()
            for _ in 0..<400 {
                cluster.settle()
                for (name, job) in cluster.jobs where job.isDeleting { cluster.vanish(name) }
                for (name, job) in cluster.jobs where !job.isFinished { cluster.runJob(name) }
                cluster.settle()
                cluster.advanceToNextWake(atMost: .seconds(20))
                if cluster.jobs.isEmpty, cluster.documents.isEmpty, cluster.calls.isEmpty { break }
            }
            #expect(cluster.offences == [], "seed \(seed)")
            #expect(cluster.mostUnfinished <= maximum, "seed \(seed)")
            #expect(cluster.documents.isEmpty, "seed \(seed): stuck")
            #expect(cluster.jobs.isEmpty, "seed \(seed): not cleaned")
        }

        private struct Edits {
            static let images = ["worker", "worker:2", "worker:3"]

            let maximum: Int
            var image = "worker"
            var strategy = "immediate"
            var propagation = "background"
            var isPaused = false
            var generation: Int64 = 1

            var scaledJob: ScaledJob {
                ModelCluster.scaledJob(
                    maximum: self.maximum,
                    annotations: self.isPaused ? ["autoscaling.keda.sh/paused": "true"] : nil,
                    generation: self.generation,
                    image: self.image,
                    rollout: ["strategy": .string(self.strategy), "propagationPolicy": .string(self.propagation)]
                )
            }

            mutating func change(_ random: inout SystemOrSeededGenerator) {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1: self.image = Self.images.randomElement(using: &random) ?? ""
                case 2: self.strategy = ["immediate", "immediate", "gradual"].randomElement(using: &random) ?? ""
                case 3: self.propagation = ["background", "foreground"].randomElement(using: &random) ?? ""
                default: return self.isPaused.toggle()
                }
                self.generation += 1
            }
        }

        private func step(_ cluster: inout ModelCluster, _ edits: inout Edits, _ random: inout SystemOrSeededGenerator)
        {
            switch Int.random(in: 0..<16, using: &random) {
            case 0: cluster.insertDocuments(Int.random(in: 1...4, using: &random))
            case 1: cluster.take(.plugin(.changed(TriggerID(owner: ModelCluster.uid, index: 0))))
            case 2, 3, 4, 5, 6:
                guard !cluster.calls.isEmpty else { return }
                let fault: ModelCluster.Fault =
                    Int.random(in: 0..<4, using: &random) == 0
                    ? ModelCluster.Fault.allCases.randomElement(using: &random) ?? .none : .none
                cluster.answerCall(at: Int.random(in: 0..<cluster.calls.count, using: &random), fault)
            case 7, 8: cluster.showNext()
            case 9:
                let running = cluster.jobs.filter { !$0.value.isFinished && !$0.value.isDeleting }.keys.sorted()
                if let name = running.randomElement(using: &random) { cluster.runJob(name) }
            case 10:
                guard !cluster.measures.isEmpty else { return }
                cluster.answerMeasure(at: Int.random(in: 0..<cluster.measures.count, using: &random))
            case 11: cluster.advance(.milliseconds(Int.random(in: 1...5_000, using: &random)))
            case 12:
                edits.change(&random)
                cluster.edit(edits.scaledJob)
            case 13: cluster.openTriggers()
            case 14:
                let going = cluster.jobs.filter(\.value.isDeleting).keys.sorted()
                if let name = going.randomElement(using: &random) { cluster.vanish(name) }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    cluster.refusesTemplates = cluster.refusesTemplates == nil ? "refused" : nil
                }
            default:
                switch Int.random(in: 0..<12, using: &random) {
                case 0: cluster.relist()
                case 1: self.restart(&cluster, edits, &random)
                default: break
                }
            }
        }

        /// The host dies with its calls on the way: each happens or doesn't, and nobody hears of it.
        private func restart(_ cluster: inout ModelCluster, _ edits: Edits, _ random: inout SystemOrSeededGenerator) {
            for call in cluster.calls where Bool.random(using: &random) {
                switch call {
                case .createJob(let job, let template): _ = cluster.create(job.key.name, template)
                case .deleteJob(let job, let deletion): _ = cluster.delete(job.key.name, deletion)
                default: break
                }
            }
            cluster.calls = []
            cluster.measures = []
            cluster.specifications = [:]
            cluster.acceptedHashes = []
            cluster.machine = ModelCluster(seed: random.next()).machine
            cluster.start(edits.scaledJob)
            cluster.openTriggers()
        }
    }
}
