import Controller
import Kubernetes
import PluginHost
import Standalone

// What befalls the server, hosts and plugins now and then, besides the faults of single calls.
extension World {
    func letHostsSuffer() {
        self.schedule(after: self.dice.time(0.3, 1.7) * self.weather.pauseOfHosts, "a host suffers") { world in
            guard !world.weather.isOver else { return }
            world.letHostsSuffer()
            let leaders = world.hosts.filter { $0.acting != nil }
            let victims = world.dice.chance(0.7) && !leaders.isEmpty ? leaders : world.hosts
            guard let host = world.dice.pick(victims), host.isUp,
                let fault = world.dice.pick([
                    Fault.hostStopped, .hostCrashed, .hostDrained, .clockJumped, .leaseUnreachable, .hostDrained,
                    .leaseUnreachable,
                ]),
                world.dice.chance(world.weather.chance(of: fault, 1.2))
            else { return }
            world.count(fault)
            world.note(host.name) { "suffers: \(fault.rawValue)" }
            // Trouble comes with work, and seldom alone.
            if host.acting != nil, world.dice.chance(0.6) { world.storm() }
            switch fault {
            case .hostStopped: host.stoppedUntil = world.now + world.dice.time(0.5, 40)
            case .hostCrashed: world.end(host, restartAfter: world.dice.time(0.5, 20))
            case .hostDrained: world.schedule(after: world.dice.time(0, 2.5), on: host, "drain") { $0.drain(host) }
            case .clockJumped: host.clockError += Int64(world.dice.number(-7200...7200))
            default: host.leaseUnreachableUntil = world.now + world.dice.time(5, 30)
            }
        }
    }

    /// Work arrives in numbers, and the server is late with what it is asked to store.
    private func storm() {
        self.weather.stormUntil = self.now + .seconds(12)
        for _ in 0..<3 {
            self.schedule(after: self.dice.time(0, 9), "documents arrive") { world in
                guard let name = world.dice.pick(world.sources.keys.sorted()), !world.weather.isOver,
                    let source = world.sources[name], source.waiting.count < 15
                else { return }
                world.insert(world.dice.number(1...3), into: name)
            }
        }
    }

    func letPluginsSuffer() {
        self.schedule(after: self.dice.time(0.3, 1.7) * self.weather.pauseOfPlugins, "a plugin suffers") { world in
            guard !world.weather.isOver else { return }
            world.letPluginsSuffer()
            let leaders = world.hosts.filter { $0.acting != nil }
            guard let host = world.dice.pick(leaders.isEmpty ? world.hosts : leaders),
                let type = world.dice.pick(Self.types),
                let fault = world.dice.pick([
                    Fault.pluginCrashed, .pluginHung, .pluginFlooded, .pluginExaggerated, .pluginHidWork,
                    .answersReordered,
                ]),
                world.dice.chance(world.weather.chance(of: fault, 1.3))
            else { return }
            world.hurt(type, fault, on: host)
        }
    }

    private func hurt(_ type: String, _ fault: Fault, on host: Host) {
        let pause = self.dice.time(1, 25)
        self.note(host.name) { "plugin \(type) suffers: \(fault.rawValue)" }
        switch fault {
        case .pluginCrashed:
            self.count(fault)
            return self.stopPlugin(type, on: host, for: pause)
        case .pluginHung:
            self.count(fault)
            host.plugins[type]?.hangsUntil = self.now + pause
            return
        case .pluginFlooded:
            self.count(fault)
            return self.flood(type, on: host, 60)
        case .pluginExaggerated: host.plugins[type]?.factor = 3
        case .pluginHidWork: host.plugins[type]?.factor = 0
        default: host.plugins[type]?.reorders = true
        }
        self.schedule(after: pause, "plugin is mended") { _ in
            host.plugins[type]?.factor = 1
            host.plugins[type]?.reorders = false
        }
    }

    private func flood(_ type: String, on host: Host, _ times: Int) {
        let ids = (host.acting?.triggers ?? [:]).filter { $0.value.specification.type == type }.keys.sorted()
        for id in ids { for number in 1...times { self.push(id, on: host, after: .milliseconds(10) * number) } }
    }

    func letTheServerSuffer() {
        self.schedule(after: self.dice.time(0.3, 1.7) * self.weather.pauseOfServer, "the server suffers") { world in
            guard !world.weather.isOver else { return }
            world.letTheServerSuffer()
            guard
                let fault = world.dice.pick([
                    Fault.brokenWatch, .expiredWatch, .etcdLostASecond, .quotaShrank, .admissionRefused,
                ]), world.dice.chance(world.weather.chance(of: fault, 1.3))
            else { return }
            world.letTheServerSuffer(fault)
        }
    }

    private func letTheServerSuffer(_ fault: Fault) {
        switch fault {
        case .brokenWatch:
            self.count(fault)
            self.breakWatches()
        case .etcdLostASecond: self.loseASecond()
        case .quotaShrank:
            self.api.quota = self.dice.number(0...4)
            self.schedule(after: self.dice.time(3, 30), "quota grows") { $0.api.quota = nil }
        case .admissionRefused:
            self.api.refusal = "admission webhook \"policy.example.com\" denied the request"
            self.schedule(after: self.dice.time(2, 20), "admitted again") { $0.api.refusal = nil }
        default: break
        }
    }

    private func breakWatches() {
        for host in self.hosts {
            for reflector in (host.acting?.reflectors ?? [:]).values.sorted(by: { "\($0.kind)" < "\($1.kind)" }) {
                self.schedule(after: self.dice.time(0.001, 0.1), on: host, "connection ends") {
                    $0.endWatch(reflector, on: host, isClean: false)
                }
            }
        }
    }

    /// etcd comes back from a copy that is about a second old, with its API servers: every watch has to list anew.
    private func loseASecond() {
        let former = self.jobs
        guard self.api.loseASecond(at: self.now) else { return }
        self.count(.etcdLostASecond)
        self.noted = self.api.store.revision
        self.seeAgain(former)
        let owners = Set(self.api.list(.scaledJobs).map(\.uid))
        for job in self.jobs.values.sorted(by: { $0.key < $1.key }) {
            guard let owner = job.owner, !owners.contains(owner) else { continue }
            self.collectSoon(.init(owner: owner, key: job.key))
        }
        // Whoever wrote what is lost writes it again.
        for plan in self.plans.values.sorted(by: { $0.key < $1.key }) {
            self.schedule(after: self.dice.time(1, 20), "it is applied again") { world in
                world.plans[plan.key].map { world.apply($0) }
                world.restoreLogin(of: plan)
            }
        }
        self.breakWatches()
    }

    func rememberTheServer() {
        self.api.remember(at: self.now)
        guard !self.weather.isOver else { return }
        self.schedule(after: .milliseconds(700), "etcd is copied") { $0.rememberTheServer() }
    }
}
