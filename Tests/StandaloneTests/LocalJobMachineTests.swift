import Kubernetes
import Standalone
import Testing

@Suite struct LocalJobMachineTests {
    private typealias ID = LocalJobMachine.ProcessID

    private func machine(_ spec: [String: JSONValue] = [:], pod: [String: JSONValue] = [:]) throws -> LocalJobMachine {
        LocalJobMachine(try LocalJob(shellJob("j", "true", spec: spec, pod: pod)))
    }

    @Test func oneSuccessEndsIt() throws {
        var machine = try self.machine(["ttlSecondsAfterFinished": 5])
        let id = ID(pod: 0, container: 0)
        #expect(machine.created(now: 10) == [.createPod(0), .start(id), .writeStatus])
        #expect(machine.processStarted(id) == [.writePod(0), .writeStatus])
        #expect(machine.ready == 1)
        let ended = machine.processExited(id, .code(0), now: 12)
        #expect(ended == [.writePod(0), .writeStatus, .startTimer(.timeToLive, after: .seconds(5))])
        #expect(machine.outcome == .complete && machine.endTime == 12)
        #expect(machine.timerFired(.timeToLive, now: 17) == [.deleteJob])
        #expect(machine.deleted(now: 17) == [.forget])
        #expect(machine.deleted(now: 17) == [])
    }

    @Test func theDelayDoublesUpToSixMinutes() throws {
        var machine = try self.machine(["backoffLimit": 100])
        _ = machine.created(now: 0)
        var delays: [Duration] = []
        for pod in 0..<9 {
            let id = ID(pod: pod, container: 0)
            _ = machine.processStarted(id)
            for case .startTimer(.backoff, let delay) in machine.processExited(id, .code(1), now: 0) {
                delays.append(delay)
            }
            _ = machine.timerFired(.backoff, now: 0)
        }
        #expect(delays == [10, 20, 40, 80, 160, 320, 360, 360, 360].map { .seconds($0) })
    }

    @Test func aWorkQueueEndsWithItsFirstSuccess() throws {
        var machine = try self.machine(["parallelism": 3])
        _ = machine.created(now: 0)
        #expect(machine.active == 3)
        for pod in 0..<3 { _ = machine.processStarted(ID(pod: pod, container: 0)) }
        _ = machine.processExited(ID(pod: 1, container: 0), .code(0), now: 1)
        #expect(machine.active == 2 && !machine.isFinished)
        _ = machine.processExited(ID(pod: 0, container: 0), .code(0), now: 2)
        _ = machine.processExited(ID(pod: 2, container: 0), .code(0), now: 3)
        #expect(machine.outcome == .complete && machine.succeeded == 3)
    }

    @Test func aProcessThatStartsTooLateIsStopped() throws {
        var machine = try self.machine()
        let id = ID(pod: 0, container: 0)
        _ = machine.created(now: 0)
        _ = machine.deleted(now: 1)
        #expect(machine.processStarted(id).contains(.signal(id, .terminate)))
        #expect(machine.timerFired(.grace(pod: 0), now: 31) == [.signal(id, .kill)])
        #expect(machine.processExited(id, .signal(9), now: 31).contains(.forget))
    }

    @Test func lateInputsChangeNothing() throws {
        var machine = try self.machine()
        let id = ID(pod: 0, container: 0)
        _ = machine.created(now: 0)
        _ = machine.processStarted(id)
        _ = machine.processExited(id, .code(0), now: 1)
        #expect(machine.processExited(id, .code(1), now: 2) == [])
        #expect(machine.processStarted(id) == [])
        #expect(machine.timerFired(.backoff, now: 2) == [])
        #expect(machine.timerFired(.deadline, now: 2) == [])
        #expect(machine.processExited(ID(pod: 7, container: 0), .code(0), now: 2) == [])
        #expect(machine.succeeded == 1 && machine.failed == 0)
    }

    /// Plays a small world of processes and timers in random order against the machine.
    @Test func randomPlayKeepsThePromises() throws {
        for seed in 1...300 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let completions = Int.random(in: 1...4, using: &random)
            let parallelism = Int.random(in: 1...3, using: &random)
            let limit = Int.random(in: 0...3, using: &random)
            let restart: JSONValue = Bool.random(using: &random) ? "Never" : "OnFailure"
            var machine = try self.machine(
                [
                    "completions": .integer(Int64(completions)), "parallelism": .integer(Int64(parallelism)),
                    "backoffLimit": .integer(Int64(limit)), "activeDeadlineSeconds": 60,
                ],
                pod: [
                    "restartPolicy": restart, "initContainers": [["name": "init", "command": ["a"]]],
                    "containers": [["name": "l", "command": ["a"]], ["name": "r", "command": ["a"]]],
                ]
            )
            var world = World()
            world.take(machine.created(now: 0))
            for step in 1...400 {
                let context = "seed \(seed), step \(step)"
                #expect(machine.active <= parallelism, "\(context)")
                #expect(machine.succeeded <= completions, "\(context)")
                #expect(world.running.count + world.starting.count <= parallelism * 2, "\(context)")
                switch Int.random(in: 0..<10, using: &random) {
                case 0...2:
                    guard let id = world.starting.randomElement(using: &random) else { continue }
                    world.starting.remove(id)
                    if Int.random(in: 0..<8, using: &random) == 0 {
                        world.take(machine.processExited(id, .failedToStart, now: Int64(step)))
                    } else {
                        world.running.insert(id)
                        world.take(machine.processStarted(id))
                    }
                case 3...5:
                    guard let id = world.running.randomElement(using: &random) else { continue }
                    world.running.remove(id)
                    let code: Int32 = Int.random(in: 0..<4, using: &random) == 0 ? 1 : 0
                    world.take(machine.processExited(id, .code(code), now: Int64(step)))
                case 6...8:
                    // The deadline fires last, if ever.
                    let timers = world.timers.filter { $0 != .deadline }
                    guard let timer = timers.randomElement(using: &random) else { continue }
                    world.timers.remove(timer)
                    world.take(machine.timerFired(timer, now: Int64(step)))
                default:
                    guard step > 300, Int.random(in: 0..<50, using: &random) == 0 else { continue }
                    world.take(machine.deleted(now: Int64(step)))
                }
                if machine.isFinished { #expect(world.running.isEmpty && machine.active == 0, "\(context)") }
            }
            // Whatever happened, what is left can be brought to an end.
            world.take(machine.deleted(now: 500))
            var rounds = 0
            while !world.starting.isEmpty || !world.running.isEmpty, rounds < 100 {
                rounds += 1
                if let id = world.starting.popFirst() {
                    world.running.insert(id)
                    world.take(machine.processStarted(id))
                } else if let id = world.running.popFirst() {
                    #expect(world.asked.contains(id), "seed \(seed): \(id) was never asked to end")
                    world.take(machine.processExited(id, .signal(15), now: 500))
                }
            }
            #expect(world.forgets == 1, "seed \(seed)")
        }
    }

    private struct World {
        var starting: Set<ID> = []
        var running: Set<ID> = []
        var asked: Set<ID> = []
        var timers: Set<LocalJobMachine.Timer> = []
        var forgets = 0

        mutating func take(_ actions: [LocalJobMachine.Action]) {
            for action in actions {
                switch action {
                case .start(let id):
                    #expect(self.starting.insert(id).inserted && !self.running.contains(id))
                    self.asked.remove(id)
                case .signal(let id, _): self.asked.insert(id)
                case .startTimer(let timer, _): self.timers.insert(timer)
                case .cancelTimer(let timer): self.timers.remove(timer)
                case .forget: self.forgets += 1
                case .createPod, .writePod, .deletePod, .writeStatus, .deleteJob: break
                }
            }
        }
    }
}
