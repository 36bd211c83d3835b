internal import Logging
internal import NIOCore
internal import PluginProtocol

/// Executes what the ``HubMachine`` decides, on one event loop.
///
/// Sendable because everything in it is touched on its event loop only; ``PluginHub`` brings other threads there.
final class HubLoop: @unchecked Sendable {
    private let eventLoop: any EventLoop
    private let configuration: HubConfiguration
    private let events: PluginEventQueue
    private let logger: Logger
    private let codec = FrameCodec()
    private var machine: HubMachine
    private var channels: [ConnectionID: any Channel] = [:]
    private var lastConnection = 0
    private var timer: Scheduled<Void>?
    private var timerDeadline: ContinuousClock.Instant?
    private var isBusy = false
    private var isStopped = false

    init(configuration: HubConfiguration, events: PluginEventQueue, eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.events = events
        self.eventLoop = eventLoop
        self.logger = logger
        self.machine = HubMachine(configuration: configuration)
    }

    // MARK: From connections

    /// A handler for a new connection; nil when there are too many.
    func makeConnection(identity: String?) -> PluginConnection? {
        guard !self.isStopped, self.channels.count < self.configuration.maximumConnections else { return nil }
        self.lastConnection += 1
        return PluginConnection(
            id: ConnectionID(number: self.lastConnection),
            identity: identity,
            hub: self,
            unsolicitedPerSecond: self.configuration.unsolicitedPerSecond
        )
    }

    func connected(_ id: ConnectionID, _ channel: any Channel, identity: String?) {
        self.channels[id] = channel
        self.update { $0.connected(id, identity: identity, now: .now) }
    }

    func received(_ frame: Frame, from id: ConnectionID, now: ContinuousClock.Instant) {
        self.update { $0.received(frame, from: id, now: now) }
    }

    func ended(_ id: ConnectionID, _ reason: SessionEnd) {
        self.update { $0.end(id, reason, now: .now) }
    }

    // MARK: Acting

    /// Lets the machine change and carries out what it wants.
    func update(_ change: (inout HubMachine) -> Void) {
        change(&self.machine)
        // Writing can end a connection at once, which is one more change; the loop below sees to it.
        guard !self.isBusy else { return }
        self.isBusy = true
        defer { self.isBusy = false }
        var actions = self.machine.takeActions()
        while !actions.isEmpty {
            self.perform(actions)
            actions = self.machine.takeActions()
        }
        self.armTimer()
    }

    /// Ends every connection and accepts no more.
    func stop() {
        self.isStopped = true
        self.update { $0.drain(reason: "the host is shutting down", now: .now) }
        for id in self.channels.keys.sorted() {
            self.ended(id, .drained)
        }
        self.timer?.cancel()
        self.events.finish()
    }

    private func perform(_ actions: [HubMachine.Action]) {
        var events: [PluginEvent] = []
        var touched: [ConnectionID] = []
        for action in actions {
            switch action {
            case .send(let id, let frame):
                guard self.write(frame, to: id) else { continue }
                if touched.last != id {
                    touched.append(id)
                }
            case .close(let id):
                self.close(id)
            case .emit(let event):
                events.append(event)
            case .forget(let trigger):
                self.events.put(events)
                events = []
                self.events.forget(trigger)
            case .note(let note):
                self.log(note)
            }
        }
        for id in touched {
            self.channels[id]?.flush()
            self.checkReader(id)
        }
        if !events.isEmpty {
            self.events.put(events)
        }
    }

    private func write(_ frame: Frame, to id: ConnectionID) -> Bool {
        guard let channel = self.channels[id] else { return false }
        do throws(FrameError) {
            var buffer = channel.allocator.buffer(capacity: 256)
            try self.codec.encode(frame, into: &buffer)
            channel.write(buffer, promise: nil)
            return true
        } catch {
            // Only parameters of an Open can be too large, or contain NUL: that trigger alone fails.
            let failure = PluginFailure(.invalidParameter, "the trigger's parameters cannot be sent: \(error)")
            self.machine.received(Frame(call: frame.call, .failure(failure)), from: id, now: .now)
            return false
        }
    }

    private func close(_ id: ConnectionID) {
        guard let channel = self.channels.removeValue(forKey: id) else { return }
        channel.flush()
        channel.close(promise: nil)
    }

    /// A plugin that leaves its messages unread must not fill the host's memory.
    private func checkReader(_ id: ConnectionID) {
        guard let channel = self.channels[id], !channel.isWritable else { return }
        guard let unread = try? channel.syncOptions?.getOption(.bufferedWritableBytes),
            unread > self.configuration.unreadBytes
        else { return }
        self.machine.end(id, .slowReader, now: .now)
    }

    private func armTimer() {
        guard let deadline = self.machine.nextDeadline, !self.isStopped else { return }
        if let timerDeadline, timerDeadline <= deadline { return }
        self.timer?.cancel()
        self.timerDeadline = deadline
        let delay = ContinuousClock.now.duration(to: deadline)
        self.timer = self.eventLoop.scheduleTask(in: TimeAmount(max(delay, .zero)) + .milliseconds(1)) {
            self.timerDeadline = nil
            self.update { $0.timerFired(now: .now) }
        }
    }

    private func log(_ note: HubMachine.Note) {
        switch note {
        case .registered(let plugin, let version, let types):
            self.logger.info(
                "plugin registered",
                metadata: [
                    "plugin": "\(plugin)", "version": "\(version)", "trigger_types": "\(types.joined(separator: ","))",
                ]
            )
        case .refused(let plugin, let reason):
            self.logger.warning("plugin refused", metadata: ["plugin": "\(plugin)", "reason": "\(reason)"])
        case .draining(let plugin, let reason):
            self.logger.info("plugin is shutting down", metadata: ["plugin": "\(plugin)", "reason": "\(reason)"])
        case .lost(let plugin, let reason):
            let metadata: Logger.Metadata = ["plugin": "\(plugin ?? "unregistered")", "reason": "\(reason)"]
            if reason == .drained || (plugin == nil && reason == .connectionLost) {
                self.logger.debug("plugin connection ended", metadata: metadata)
            } else {
                self.logger.warning("plugin connection ended", metadata: metadata)
            }
        }
    }
}
