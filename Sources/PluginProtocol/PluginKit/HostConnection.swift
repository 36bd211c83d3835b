internal import Logging
internal import NIOCore
internal import PluginProtocol

/// One connection to the host: executes what the session decides, and runs the plugin's calls.
///
/// Sendable because everything in it is touched on its event loop only; other threads come in through ``onLoop(_:)``.
final class HostConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A trigger that the host asked for and has not closed.
    private final class Trigger {
        let handle: TriggerHandle
        /// Calls of the plugin that may still touch it.
        var callsUnderWay = 1
        var isOpen = false
        var isClosed = false

        init(handle: TriggerHandle) {
            self.handle = handle
        }
    }

    private struct Call {
        var task: Task<Void, Never>?
        var answer: MeasureAnswer?
    }

    private let plugin: any Plugin
    private let configuration: PluginConfiguration
    private let handles: HandleCounter
    private let eventLoop: any EventLoop
    private let executor: EventLoopTaskExecutor
    private let logger: Logger
    private let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder())
    private let codec = FrameCodec()
    private var session: PluginSession
    private var channel: (any Channel)?
    private var timer: Scheduled<Void>?
    private var timerDeadline: ContinuousClock.Instant?
    private var triggers: [UInt64: Trigger] = [:]
    private var calls: [UInt64: Call] = [:]
    /// Tasks that were started and have not come back, whether or not their answers are wanted.
    private var tasksUnderWay = 0
    private var needsFlush = false
    private var changes: ChangeReporter?
    private var registeredAt: ContinuousClock.Instant?

    /// How the session ended, and since when it had been registered.
    let ended: EventLoopPromise<(SessionEnd, registeredAt: ContinuousClock.Instant?)>
    /// Every call came back and every trigger was closed.
    let settled: EventLoopPromise<Void>

    init(
        plugin: any Plugin,
        configuration: PluginConfiguration,
        handles: HandleCounter,
        eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.plugin = plugin
        self.configuration = configuration
        self.handles = handles
        self.eventLoop = eventLoop
        self.executor = EventLoopTaskExecutor(eventLoop)
        self.logger = logger
        self.session = PluginSession(
            registrationTimeout: configuration.registrationTimeout,
            maximumCalls: configuration.maximumCalls,
            now: .now
        )
        self.ended = eventLoop.makePromise()
        self.settled = eventLoop.makePromise()
        self.changes = ChangeReporter(eventLoop: eventLoop) { [weak self] triggers in
            self?.perform([.send(Frame(.changed(triggers: triggers)))])
        }
    }

    // MARK: From the channel

    func channelActive(context: ChannelHandlerContext) {
        guard self.session.nextDeadline != nil else {
            // Stopped while the connection was being made.
            return context.close(promise: nil)
        }
        self.channel = context.channel
        let register = Frame.Register(
            name: self.plugin.name,
            version: self.plugin.version,
            triggerTypes: self.plugin.triggerTypes
        )
        self.perform([.send(Frame(.register(register)))])
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try self.processor.process(buffer: Self.unwrapInboundIn(data)) { frame in
                self.perform(self.session.received(frame, now: .now))
            }
        } catch {
            self.perform(self.session.end(.protocolViolation("\(error)")))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.perform(self.session.end(.connectionLost))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.perform(self.session.end(.connectionLost))
    }

    // MARK: From the runner

    /// Finishes what is under way and ends.
    func drain(reason: String) {
        self.onLoop {
            self.perform(
                self.session.drain(reason: reason, deadline: .now + self.configuration.drainTimeout)
            )
        }
    }

    /// Ends at once.
    func abandon() {
        self.onLoop { self.perform(self.session.end(.drained)) }
    }

    /// The channel never came up.
    func failedToConnect() {
        self.onLoop { self.perform(self.session.end(.connectionLost)) }
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if self.eventLoop.inEventLoop {
            body()
        } else {
            self.eventLoop.execute(body)
        }
    }

    // MARK: What the session wants

    private func perform(_ actions: [PluginSession.Action]) {
        for action in actions {
            switch action {
            case .send(let frame): self.write(frame)
            case .registered(let registered):
                self.registeredAt = .now
                self.logger.info(
                    "registered with the host",
                    metadata: [
                        "host_version": "\(registered.hostVersion)",
                        "protocol_version": "\(registered.protocolVersion)",
                    ]
                )
            case .open(let call, let open): self.open(call, open)
            case .close(let trigger): self.close(trigger)
            case .measure(let call, let measure): self.measure(call, measure)
            case .cancel(let call): self.calls.removeValue(forKey: call)?.task?.cancel()
            case .expire(let call): self.expire(call)
            case .end(let reason): self.finish(reason)
            }
        }
        if self.needsFlush {
            self.needsFlush = false
            self.channel?.flush()
        }
        self.armTimer()
    }

    private func write(_ frame: Frame) {
        guard let channel else { return }
        do throws(FrameError) {
            var buffer = channel.allocator.buffer(capacity: 256)
            try self.codec.encode(frame, into: &buffer)
            channel.write(buffer, promise: nil)
            self.needsFlush = true
        } catch {
            // Nothing that a plugin returns can do this but names in its own declaration.
            self.logger.error("a message cannot be sent", metadata: ["error": "\(error)"])
            channel.close(promise: nil)
        }
    }

    private func armTimer() {
        guard let deadline = self.session.nextDeadline else {
            self.timer?.cancel()
            self.timer = nil
            self.timerDeadline = nil
            return
        }
        if let timerDeadline, timerDeadline <= deadline { return }
        self.timer?.cancel()
        self.timerDeadline = deadline
        let delay = ContinuousClock.now.duration(to: deadline)
        self.timer = self.eventLoop.scheduleTask(in: TimeAmount(max(delay, .zero)) + .milliseconds(1)) {
            self.timerDeadline = nil
            self.perform(self.session.timerFired(now: .now))
        }
    }

    private func finish(_ reason: SessionEnd) {
        self.changes?.close()
        // What was written last, such as Drain, still goes out.
        self.channel?.flush()
        self.channel?.close(promise: nil)
        self.channel = nil
        self.ended.succeed((reason, self.registeredAt))
        for number in self.triggers.keys {
            self.close(number)
        }
        self.settleIfPossible()
    }

    private func settleIfPossible() {
        if self.channel == nil, self.tasksUnderWay == 0 {
            self.settled.succeed()
        }
    }

    // MARK: Calls

    /// Runs one call of the plugin; the task is owned by ``calls``, and ``settled`` waits for it.
    private func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        self.tasksUnderWay += 1
        return Task(executorPreference: self.executor) {
            await body()
            self.onLoop {
                self.tasksUnderWay -= 1
                self.settleIfPossible()
            }
        }
    }

    private func open(_ call: UInt64, _ open: Frame.Open) {
        guard open.trigger != 0, self.triggers[open.trigger] == nil else {
            _ = self.session.finish(call: call)
            let failure = PluginFailure(.protocolError, "the host's number of the trigger is 0, or in use")
            return self.perform([.send(Frame(call: call, .failure(failure)))])
        }
        let trigger = Trigger(handle: self.handles.next())
        self.triggers[open.trigger] = trigger
        let request = TriggerRequest(
            handle: trigger.handle,
            type: open.type,
            scaledJob: open.scaledJob,
            parameters: open.parameters
        )
        let notifier = ChangeNotifier { [changes = self.changes] in changes?.changed(open.trigger) }
        let task = self.start { [plugin = self.plugin] in
            let result: Result<OpenedTrigger, PluginFailure>
            do {
                result = .success(try await plugin.open(request, changes: notifier))
            } catch let failure as PluginFailure {
                result = .failure(failure)
            } catch is CancellationError {
                result = .failure(PluginFailure(.timedOut, "opening the trigger took too long"))
            } catch {
                // The text of an error of somebody else's may hold a secret.
                let type = type(of: error)
                result = .failure(PluginFailure(.internal, "the plugin failed with an error of type \(type)"))
            }
            self.onLoop { self.opened(call, number: open.trigger, result) }
        }
        self.calls[call] = Call(task: task)
    }

    private func opened(_ call: UInt64, number: UInt64, _ result: Result<OpenedTrigger, PluginFailure>) {
        self.calls[call] = nil
        let isWanted = self.session.finish(call: call)
        if let trigger = self.triggers[number] ?? nil {
            trigger.callsUnderWay -= 1
            switch result {
            case .success:
                trigger.isOpen = true
                if !isWanted {
                    trigger.isClosed = true
                }
            case .failure:
                self.triggers[number] = nil
                self.changes?.closed(number)
            }
            self.closeIfIdle(number, trigger)
        }
        guard isWanted else { return }
        switch result {
        case .success(let opened):
            self.perform([.send(Frame(call: call, .opened(opened)))])
            self.changes?.opened(number)
        case .failure(let failure):
            self.logger.debug("a trigger could not be opened", metadata: ["code": "\(failure.code)"])
            self.perform([.send(Frame(call: call, .failure(failure)))])
        }
        self.perform(self.session.answered())
    }

    private func close(_ number: UInt64) {
        guard let trigger = self.triggers[number] else { return }
        trigger.isClosed = true
        self.changes?.closed(number)
        self.closeIfIdle(number, trigger)
    }

    /// Tells the plugin that the trigger is closed, once, when none of its calls can touch the trigger any more.
    private func closeIfIdle(_ number: UInt64, _ trigger: Trigger) {
        guard trigger.isClosed, trigger.callsUnderWay == 0 else { return }
        if self.triggers[number] === trigger {
            self.triggers[number] = nil
        }
        guard trigger.isOpen else { return }
        trigger.isOpen = false
        let handle = trigger.handle
        _ = self.start { [plugin = self.plugin] in await plugin.close(handle) }
    }

    private func measure(_ call: UInt64, _ measure: Frame.Measure) {
        var requests: [MeasureRequest] = []
        var numbers: [UInt64] = []
        var touched: [Trigger] = []
        var unknown: [UInt64] = []
        requests.reserveCapacity(measure.triggers.count)
        numbers.reserveCapacity(measure.triggers.count)
        touched.reserveCapacity(measure.triggers.count)
        for number in measure.triggers {
            guard let trigger = self.triggers[number], trigger.isOpen, !trigger.isClosed else {
                unknown.append(number)
                continue
            }
            trigger.callsUnderWay += 1
            touched.append(trigger)
            numbers.append(number)
            requests.append(
                MeasureRequest(
                    trigger: trigger.handle,
                    maximumItems: measure.maximumItems,
                    timeout: measure.timeout
                )
            )
        }
        self.changes?.measured(measure.triggers)
        let answer = MeasureAnswer(requests: requests, triggers: numbers, unknown: unknown) { [eventLoop] in
            eventLoop.execute { self.sendPart(of: call) }
        }
        let (touchedTriggers, touchedNumbers) = (NIOLoopBound(touched, eventLoop: self.eventLoop), numbers)
        let task = self.start { [plugin = self.plugin] in
            if !answer.requests.isEmpty {
                await plugin.measure(answer.requests, report: MeasureReport { answer.take($0, $1) })
            }
            self.onLoop { self.measured(call, answer, touchedNumbers, touchedTriggers.value) }
        }
        self.calls[call] = Call(task: task, answer: answer)
    }

    private func measured(_ call: UInt64, _ answer: MeasureAnswer, _ numbers: [UInt64], _ touched: [Trigger]) {
        for (number, trigger) in zip(numbers, touched) {
            trigger.callsUnderWay -= 1
            if trigger.isClosed {
                self.closeIfIdle(number, trigger)
            }
        }
        self.calls[call] = nil
        guard self.session.finish(call: call) else { return }
        self.sendRest(call, answer, PluginFailure(.internal, "the plugin did not report this trigger"))
        self.perform(self.session.answered())
    }

    private func sendPart(of call: UInt64) {
        guard self.session.isUnderWay(call: call), let answer = self.calls[call]?.answer else { return }
        let waiting = answer.takeWaiting()
        guard !waiting.isEmpty else { return }
        self.perform(waiting.parts().map { .send(Frame(call: call, .measured($0, more: true))) })
    }

    private func sendRest(_ call: UInt64, _ answer: MeasureAnswer, _ failure: PluginFailure) {
        let parts = answer.finish(failure).parts()
        self.perform(
            parts.enumerated().map { index, part in
                .send(Frame(call: call, .measured(part, more: index < parts.count - 1)))
            }
        )
    }

    private func expire(_ call: UInt64) {
        guard let expired = self.calls.removeValue(forKey: call) else { return }
        expired.task?.cancel()
        guard self.session.finish(call: call) else { return }
        let failure = PluginFailure(.timedOut, "the source did not answer in time")
        if let answer = expired.answer {
            self.sendRest(call, answer, failure)
        } else {
            self.perform([.send(Frame(call: call, .failure(failure)))])
        }
        self.perform(self.session.answered())
    }
}
