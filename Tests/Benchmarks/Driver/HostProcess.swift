import Foundation

/// `sluice host` with the MongoDB plugin as its child, as processes whose resources can be read.
final class HostProcess: @unchecked Sendable {
    // Unchecked: set once, and the process is only waited for at the end.
    private let process = Process()
    let host: ProcessReading
    let plugin: ProcessReading

    init(programs: String, kubeconfig: String, log: String, more: [String] = []) throws {
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        guard let output = FileHandle(forWritingAtPath: log) else { throw BenchFailure("cannot write \(log)") }
        let socket = "\(log).sock"
        self.process.executableURL = URL(fileURLWithPath: "\(programs)/sluice")
        self.process.arguments =
            [
                "host", "--kubeconfig", kubeconfig, "--socket", socket, "--plugin", "\(programs)/sluice-plugin-mongodb",
                // As by default, but on ports that are free.
                "--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0",
            ] + more
        self.process.standardOutput = output
        self.process.standardError = output
        try self.process.run()
        let host = ProcessReading(pid: self.process.processIdentifier)
        self.host = host
        let deadline = ContinuousClock.now + .seconds(10)
        while host.children.isEmpty {
            guard ContinuousClock.now < deadline, self.process.isRunning else {
                self.process.terminate()
                throw BenchFailure("the plugin was not started; see \(log)")
            }
            usleep(1_000)
        }
        self.plugin = ProcessReading(pid: host.children[0])
    }

    deinit { self.stop() }

    func stop() {
        guard self.process.isRunning else { return }
        self.process.interrupt()
        self.process.waitUntilExit()
    }

    /// Both processes in KiB: resident, and with shared pages divided among those who share them.
    var memory: (resident: (host: Int, plugin: Int), proportional: (host: Int, plugin: Int)) {
        ((self.host.resident, self.plugin.resident), (self.host.proportional, self.plugin.proportional))
    }

    /// Waits until the start is over and forgotten, then reads the memory once a second and returns the largest reading.
    func settledMemory() async throws -> (resident: Int, proportional: Int) {
        try await Task.sleep(for: .seconds(45))
        var largest = (resident: 0, proportional: 0)
        for _ in 0..<25 {
            let memory = self.memory
            largest.resident = max(largest.resident, memory.resident.host + memory.resident.plugin)
            largest.proportional = max(largest.proportional, memory.proportional.host + memory.proportional.plugin)
            try await Task.sleep(for: .seconds(1))
        }
        return largest
    }

    /// Seconds of processor time of both.
    var processorTime: Double { self.host.processorTime + self.plugin.processorTime }
}

/// What `/proc` says about a process.
struct ProcessReading: Sendable {
    let pid: Int32

    var resident: Int { self.kibibytes("status", "VmRSS:") }
    var proportional: Int { self.kibibytes("smaps_rollup", "Pss:") }

    var processorTime: Double {
        let fields = self.text("stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    var children: [Int32] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(self.pid)/task")) ?? []
        return tasks.flatMap { self.text("task/\($0)/children").split(separator: " ").compactMap { Int32($0) } }
    }

    /// Open TCP connections to a port of this machine.
    func connections(to port: Int) -> Int {
        let folder = "/proc/\(self.pid)/fd"
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let sockets = Set(
            descriptors.compactMap { descriptor -> Substring? in
                var buffer = [CChar](repeating: 0, count: 64)
                guard readlink("\(folder)/\(descriptor)", &buffer, 63) > 0 else { return nil }
                let target = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                guard target.hasPrefix("socket:[") else { return nil }
                return target.dropFirst("socket:[".count).dropLast()
            }
        )
        let remote = ":" + String(format: "%04X", port)
        return self.text("net/tcp").split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            return fields.count > 9 && fields[2].hasSuffix(remote) && fields[3] == "01" && sockets.contains(fields[9])
        }
    }

    private func kibibytes(_ file: String, _ key: String) -> Int {
        let line = self.text(file).split(separator: "\n").first { $0.hasPrefix(key) }
        return line?.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }

    /// Reads to the end: files of `/proc` give less than they were asked for long before.
    private func text(_ file: String) -> String {
        let descriptor = open("/proc/\(self.pid)/\(file)", O_RDONLY)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
