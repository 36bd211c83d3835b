import Controller
import Kubernetes
import PluginHost

/// One host: its process, which ends and begins anew, and its plugins, which are containers beside it.
final class Host {
    let index: Int
    /// Counts its starts; whatever belongs to an earlier life is dropped.
    var life = 0
    var isUp = false
    /// It is stopped (SIGSTOP) until then.
    var stoppedUntil: ContinuousClock.Instant?
    /// How far its wall clock is off.
    var clockError: Int64 = 0
    /// Calls about the Lease get nowhere until then.
    var leaseUnreachableUntil: ContinuousClock.Instant?
    var election: LeaderElection?
    /// Its controller, while it leads.
    var acting: Acting?
    var isDraining = false
    var plugins: [String: PluginProcess] = [:]

    init(index: Int) {
        self.index = index
    }

    var process: Process { Process(host: self.index, life: self.life) }
    var name: String { "host-\(self.index)" }
}

/// What a host has while it leads.
final class Acting {
    var machine: ControllerMachine
    var tickAt: ContinuousClock.Instant?
    /// The deadline that is watched.
    var deadline: ContinuousClock.Instant?
    var reflectors: [SimulatedReflector.Kind: SimulatedReflector] = [:]
    var triggers: [TriggerID: HubTrigger] = [:]
    var calls = CallsUnderWay()
    /// What the machine was shown, by UID.
    var shown: [String: ShownScaledJob] = [:]
    /// For each Job that was asked for, what the maximum was then.
    var allowances: [ObjectKey: Int] = [:]
    /// Names whose creation has been tried.
    var tried: Set<ObjectKey> = []
    /// What the last reading of each trigger said, however long ago: whether something waits.
    var heard: [TriggerID: Bool] = [:]
    /// Whether each ScaledJob was last said to be active.
    var saidActive: [String: Bool] = [:]
    /// ScaledJobs with a creation that failed, for ``Mutation/forgetsHolds``.
    var heldForever: Set<String> = []

    init(_ machine: ControllerMachine) {
        self.machine = machine
    }
}
