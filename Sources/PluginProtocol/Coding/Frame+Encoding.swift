import CPluginMessages

/// Turns values into a C tree that lies in an arena.
struct FrameWriter {
    let arena: MessageArena

    func tree(_ frame: Frame) throws(FrameError) -> UnsafeMutablePointer<Sluice__Plugin__V1__Frame> {
        let tree = unsafe try self.make(sluice__plugin__v1__frame__init)
        unsafe tree.pointee.call = frame.call
        switch frame.body {
        case .register(let register):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_REGISTER
            unsafe tree.pointee.register_ = try self.register(register)
        case .registered(let registered):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_REGISTERED
            unsafe tree.pointee.registered = try self.registered(registered)
        case .rejected(let rejected):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_REJECTED
            let message = unsafe try self.make(sluice__plugin__v1__rejected__init)
            unsafe message.pointee.code = Sluice__Plugin__V1__FailureCode(rejected.code.number)
            unsafe message.pointee.reason = try self.prose(rejected.reason)
            unsafe tree.pointee.rejected = message
        case .open(let open):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_OPEN
            unsafe tree.pointee.open = try self.open(open)
        case .opened(let opened):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_OPENED
            unsafe tree.pointee.opened = try self.opened(opened)
        case .close(let trigger):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_CLOSE
            let message = unsafe try self.make(sluice__plugin__v1__close__init)
            unsafe message.pointee.trigger = trigger
            unsafe tree.pointee.close = message
        case .measure(let measure):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_MEASURE
            let message = unsafe try self.make(sluice__plugin__v1__measure__init)
            unsafe message.pointee.n_triggers = measure.triggers.count
            unsafe message.pointee.triggers = try self.numbers(measure.triggers)
            unsafe message.pointee.timeout_ms = measure.timeout.wireMilliseconds
            unsafe message.pointee.maximum_items = UInt32(clamping: measure.maximumItems)
            unsafe tree.pointee.measure = message
        case .measured(let readings, let more):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_MEASURED
            unsafe tree.pointee.measured = try self.measured(readings, more: more)
        case .changed(let triggers):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_CHANGED
            let message = unsafe try self.make(sluice__plugin__v1__changed__init)
            unsafe message.pointee.n_triggers = triggers.count
            unsafe message.pointee.triggers = try self.numbers(triggers)
            unsafe tree.pointee.changed = message
        case .ping:
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_PING
            unsafe tree.pointee.ping = try self.make(sluice__plugin__v1__ping__init)
        case .pong:
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_PONG
            unsafe tree.pointee.pong = try self.make(sluice__plugin__v1__pong__init)
        case .cancel(let call):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_CANCEL
            let message = unsafe try self.make(sluice__plugin__v1__cancel__init)
            unsafe message.pointee.call = call
            unsafe tree.pointee.cancel = message
        case .drain(let reason):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_DRAIN
            let message = unsafe try self.make(sluice__plugin__v1__drain__init)
            unsafe message.pointee.reason = try self.prose(reason)
            unsafe tree.pointee.drain = message
        case .failure(let failure):
            unsafe tree.pointee.body_case = SLUICE__PLUGIN__V1__FRAME__BODY_FAILURE
            let message = unsafe try self.make(sluice__plugin__v1__failure__init)
            unsafe try self.fill(message, failure)
            unsafe tree.pointee.failure = message
        case .unknown:
            break
        }
        return unsafe tree
    }

    private func register(
        _ register: Frame.Register
    ) throws(FrameError) -> UnsafeMutablePointer<Sluice__Plugin__V1__Register> {
        let message = unsafe try self.make(sluice__plugin__v1__register__init)
        unsafe message.pointee.name = try self.text(register.name, "Register.name")
        unsafe message.pointee.version = try self.prose(register.version)
        unsafe message.pointee.n_protocol_versions = register.protocolVersions.count
        unsafe message.pointee.protocol_versions = try self.numbers(register.protocolVersions)
        let types = unsafe try self.make(register.triggerTypes.count, sluice__plugin__v1__trigger_type__init)
        for (index, type) in register.triggerTypes.enumerated() {
            unsafe try self.fill(types.items + index, type)
        }
        unsafe message.pointee.n_trigger_types = register.triggerTypes.count
        unsafe message.pointee.trigger_types = types.pointers
        return unsafe message
    }

    private func fill(
        _ message: UnsafeMutablePointer<Sluice__Plugin__V1__TriggerType>,
        _ type: TriggerTypeDeclaration
    ) throws(FrameError) {
        unsafe message.pointee.type = try self.text(type.type, "TriggerType.type")
        unsafe message.pointee.help = try self.prose(type.help)
        let parameters = unsafe try self.make(type.parameters.count, sluice__plugin__v1__parameter__init)
        for (index, parameter) in type.parameters.enumerated() {
            unsafe try self.fill(parameters.items + index, parameter)
        }
        unsafe message.pointee.n_parameters = type.parameters.count
        unsafe message.pointee.parameters = parameters.pointers
        let capabilities = unsafe try self.make(sluice__plugin__v1__capabilities__init)
        unsafe capabilities.pointee.push = type.capabilities.push ? 1 : 0
        unsafe capabilities.pointee.items = type.capabilities.items ? 1 : 0
        unsafe capabilities.pointee.in_flight = type.capabilities.inFlight ? 1 : 0
        unsafe message.pointee.capabilities = capabilities
    }

    private func fill(
        _ message: UnsafeMutablePointer<Sluice__Plugin__V1__Parameter>,
        _ parameter: ParameterDeclaration
    ) throws(FrameError) {
        unsafe message.pointee.name = try self.text(parameter.name, "Parameter.name")
        unsafe message.pointee.help = try self.prose(parameter.help)
        unsafe message.pointee.required = parameter.isRequired ? 1 : 0
        unsafe message.pointee.secret = parameter.isSecret ? 1 : 0
        if let defaultValue = parameter.defaultValue {
            unsafe message.pointee.default_value_case = SLUICE__PLUGIN__V1__PARAMETER__DEFAULT_VALUE_DEFAULT
            unsafe message.pointee.default_ = try self.text(defaultValue, "Parameter.default")
        }
        switch parameter.kind {
        case .string: unsafe message.pointee.kind = SLUICE__PLUGIN__V1__PARAMETER_KIND__STRING
        case .integer: unsafe message.pointee.kind = SLUICE__PLUGIN__V1__PARAMETER_KIND__INTEGER
        case .number: unsafe message.pointee.kind = SLUICE__PLUGIN__V1__PARAMETER_KIND__NUMBER
        case .boolean: unsafe message.pointee.kind = SLUICE__PLUGIN__V1__PARAMETER_KIND__BOOLEAN
        case .duration: unsafe message.pointee.kind = SLUICE__PLUGIN__V1__PARAMETER_KIND__DURATION
        case .oneOf(let values):
            unsafe message.pointee.kind = SLUICE__PLUGIN__V1__PARAMETER_KIND__ENUM
            unsafe message.pointee.n_values = values.count
            unsafe message.pointee.values = try self.texts(values, "Parameter.values")
        case .jsonObject: unsafe message.pointee.kind = SLUICE__PLUGIN__V1__PARAMETER_KIND__JSON_OBJECT
        }
        if let deprecation = parameter.deprecation { unsafe message.pointee.deprecation = try self.prose(deprecation) }
        unsafe message.pointee.n_aliases = parameter.aliases.count
        unsafe message.pointee.aliases = try self.texts(parameter.aliases, "Parameter.aliases")
        let sources = unsafe try self.block(of: Sluice__Plugin__V1__ParameterSource.self, parameter.sources.count)
        for (index, source) in parameter.sources.enumerated() {
            let value =
                switch source {
                case .metadata: SLUICE__PLUGIN__V1__PARAMETER_SOURCE__METADATA
                case .authentication: SLUICE__PLUGIN__V1__PARAMETER_SOURCE__AUTHENTICATION
                case .environment: SLUICE__PLUGIN__V1__PARAMETER_SOURCE__ENVIRONMENT
                }
            unsafe (sources + index).initialize(to: value)
        }
        unsafe message.pointee.n_sources = parameter.sources.count
        unsafe message.pointee.sources = sources
    }

    private func registered(
        _ registered: Frame.Registered
    ) throws(FrameError) -> UnsafeMutablePointer<Sluice__Plugin__V1__Registered> {
        let message = unsafe try self.make(sluice__plugin__v1__registered__init)
        unsafe message.pointee.protocol_version = registered.protocolVersion
        unsafe message.pointee.host_version = try self.prose(registered.hostVersion)
        unsafe message.pointee.maximum_frame_bytes = UInt32(clamping: registered.maximumFrameBytes)
        unsafe message.pointee.open_timeout_ms = registered.openTimeout.wireMilliseconds
        unsafe message.pointee.measure_timeout_ms = registered.measureTimeout.wireMilliseconds
        unsafe message.pointee.ping_interval_ms = registered.pingInterval.wireMilliseconds
        unsafe message.pointee.ping_timeout_ms = registered.pingTimeout.wireMilliseconds
        unsafe message.pointee.maximum_triggers_per_measure = UInt32(clamping: registered.maximumTriggersPerMeasure)
        return unsafe message
    }

    private func open(_ open: Frame.Open) throws(FrameError) -> UnsafeMutablePointer<Sluice__Plugin__V1__Open> {
        let message = unsafe try self.make(sluice__plugin__v1__open__init)
        unsafe message.pointee.trigger = open.trigger
        unsafe message.pointee.type = try self.text(open.type, "Open.type")
        unsafe message.pointee.scaled_job = try self.prose(open.scaledJob)
        let parameters = unsafe try self.make(open.parameters.count, sluice__plugin__v1__parameter_value__init)
        for (index, parameter) in open.parameters.sorted(by: { $0.key < $1.key }).enumerated() {
            unsafe parameters.items[index].name = try self.text(parameter.key, "ParameterValue.name")
            // The name of the parameter would help, but a wrong manifest may have a secret in it.
            unsafe parameters.items[index].value = try self.text(parameter.value, "ParameterValue.value")
        }
        unsafe message.pointee.n_parameters = open.parameters.count
        unsafe message.pointee.parameters = parameters.pointers
        return unsafe message
    }

    private func opened(
        _ opened: OpenedTrigger
    ) throws(FrameError) -> UnsafeMutablePointer<Sluice__Plugin__V1__Opened> {
        let message = unsafe try self.make(sluice__plugin__v1__opened__init)
        unsafe message.pointee.target = opened.target
        unsafe message.pointee.activation = opened.activation
        switch opened.counts {
        case .unspecified: unsafe message.pointee.counts = SLUICE__PLUGIN__V1__COUNTS__UNSPECIFIED
        case .untilFinished: unsafe message.pointee.counts = SLUICE__PLUGIN__V1__COUNTS__UNTIL_FINISHED
        case .untilClaimed: unsafe message.pointee.counts = SLUICE__PLUGIN__V1__COUNTS__UNTIL_CLAIMED
        }
        switch opened.push {
        case .available: unsafe message.pointee.push = 1
        case .unavailable(let reason): unsafe message.pointee.push_unavailable = try self.prose(reason)
        }
        if let name = opened.metricName { unsafe message.pointee.metric_name = try self.prose(name) }
        return unsafe message
    }
}

extension FrameWriter {
    private func measured(
        _ readings: [TriggerReading],
        more: Bool
    ) throws(FrameError) -> UnsafeMutablePointer<Sluice__Plugin__V1__Measured> {
        let message = unsafe try self.make(sluice__plugin__v1__measured__init)
        let count = readings.count
        let messages = unsafe try self.make(count, sluice__plugin__v1__reading__init)
        let backlogs = unsafe try self.block(of: Sluice__Plugin__V1__Backlog.self, count)
        for index in 0..<count {
            unsafe messages.items[index].trigger = readings[index].trigger
            switch readings[index].outcome {
            case .success(let reading):
                unsafe sluice__plugin__v1__backlog__init(backlogs + index)
                unsafe try self.fill(backlogs + index, reading)
                unsafe messages.items[index].outcome_case = SLUICE__PLUGIN__V1__READING__OUTCOME_BACKLOG
                unsafe messages.items[index].backlog = backlogs + index
            case .failure(let failure):
                let made = unsafe try self.make(sluice__plugin__v1__failure__init)
                unsafe try self.fill(made, failure)
                unsafe messages.items[index].outcome_case = SLUICE__PLUGIN__V1__READING__OUTCOME_FAILURE
                unsafe messages.items[index].failure = made
            }
        }
        unsafe message.pointee.n_readings = count
        unsafe message.pointee.readings = messages.pointers
        unsafe message.pointee.more = more ? 1 : 0
        return unsafe message
    }

    private func fill(
        _ message: UnsafeMutablePointer<Sluice__Plugin__V1__Backlog>,
        _ reading: Reading
    ) throws(FrameError) {
        unsafe message.pointee.waiting = reading.waiting
        unsafe message.pointee.observed_at_ms = reading.observedAtMilliseconds
        if let inFlight = reading.inFlight {
            unsafe message.pointee.in_flight_value_case = SLUICE__PLUGIN__V1__BACKLOG__IN_FLIGHT_VALUE_IN_FLIGHT
            unsafe message.pointee.in_flight = inFlight
        }
        if let oldestAge = reading.oldestAge {
            unsafe message.pointee.oldest_age_value_case =
                SLUICE__PLUGIN__V1__BACKLOG__OLDEST_AGE_VALUE_OLDEST_AGE_MS
            unsafe message.pointee.oldest_age_ms = UInt64(clamping: oldestAge.wholeMilliseconds)
        }
        if let isActive = reading.isActive {
            unsafe message.pointee.active_value_case = SLUICE__PLUGIN__V1__BACKLOG__ACTIVE_VALUE_ACTIVE
            unsafe message.pointee.active = isActive ? 1 : 0
        }
        guard !reading.items.isEmpty else { return }
        let items = unsafe try self.make(reading.items.count, sluice__plugin__v1__item__init)
        for (index, item) in reading.items.enumerated() {
            unsafe items.items[index].key = try self.bytes(item.key)
            unsafe items.items[index].payload = try self.bytes(item.payload)
        }
        unsafe message.pointee.n_items = reading.items.count
        unsafe message.pointee.items = items.pointers
    }

    private func fill(
        _ message: UnsafeMutablePointer<Sluice__Plugin__V1__Failure>,
        _ failure: PluginFailure
    ) throws(FrameError) {
        unsafe message.pointee.code = Sluice__Plugin__V1__FailureCode(failure.code.number)
        unsafe message.pointee.message = try self.prose(failure.message)
        unsafe message.pointee.parameter = try self.prose(failure.parameter ?? "")
        unsafe message.pointee.retry_after_ms = failure.retryAfter?.wireMilliseconds ?? 0
    }

    // MARK: Memory

    private func block<Element>(of type: Element.Type, _ count: Int) throws(FrameError) -> UnsafeMutablePointer<Element>
    {
        guard let block = unsafe self.arena.allocate(MemoryLayout<Element>.stride * count) else {
            throw .memoryExceeded(limit: ProtocolLimits.messageMemoryBytes)
        }
        return unsafe block.assumingMemoryBound(to: Element.self)
    }

    private func make<Message>(
        _ initialize: (UnsafeMutablePointer<Message>?) -> Void
    ) throws(FrameError) -> UnsafeMutablePointer<Message> {
        let message = unsafe try self.block(of: Message.self, 1)
        unsafe initialize(message)
        return unsafe message
    }

    @unsafe
    private struct Messages<Message> {
        let items: UnsafeMutablePointer<Message>
        let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>
    }

    private func make<Message>(
        _ count: Int,
        _ initialize: (UnsafeMutablePointer<Message>?) -> Void
    ) throws(FrameError) -> Messages<Message> {
        let items = unsafe try self.block(of: Message.self, count)
        let pointers = unsafe try self.block(of: UnsafeMutablePointer<Message>?.self, count)
        for index in 0..<count {
            unsafe initialize(items + index)
            unsafe (pointers + index).initialize(to: items + index)
        }
        return unsafe Messages(items: items, pointers: pointers)
    }

    private func text(_ text: String, _ field: String) throws(FrameError) -> UnsafeMutablePointer<CChar> {
        let count = text.utf8.count
        let block = unsafe try self.block(of: UInt8.self, count + 1)
        var offset = 0
        for byte in text.utf8 {
            if byte == 0 { throw .invalidText(field: field) }
            unsafe (block + offset).initialize(to: byte)
            offset += 1
        }
        unsafe (block + offset).initialize(to: 0)
        return unsafe UnsafeMutableRawPointer(block).assumingMemoryBound(to: CChar.self)
    }

    private func texts(
        _ texts: [String],
        _ field: String
    ) throws(FrameError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        let block = unsafe try self.block(of: UnsafeMutablePointer<CChar>?.self, texts.count)
        for (index, text) in texts.enumerated() {
            unsafe (block + index).initialize(to: try self.text(text, field))
        }
        return unsafe block
    }

    /// Text for people: cut at the limit, and at a NUL.
    private func prose(_ text: String) throws(FrameError) -> UnsafeMutablePointer<CChar> {
        let cut = text.prefix { $0 != "\0" }
        return unsafe try self.text(String(cut).prefix(utf8Bytes: ProtocolLimits.failureMessageBytes), "text")
    }

    private func numbers<Number: FixedWidthInteger>(
        _ numbers: [Number]
    ) throws(FrameError) -> UnsafeMutablePointer<Number> {
        let block = unsafe try self.block(of: Number.self, numbers.count)
        for index in numbers.indices {
            unsafe (block + index).initialize(to: numbers[index])
        }
        return unsafe block
    }

    private func bytes(_ bytes: [UInt8]) throws(FrameError) -> ProtobufCBinaryData {
        unsafe ProtobufCBinaryData(len: bytes.count, data: try self.numbers(bytes))
    }
}

extension Duration {
    /// Milliseconds, rounded down; far too many read as the most.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000).partialValue
    }

    /// Milliseconds as the protocol has them; a positive duration is never 0, which would mean something else.
    package var wireMilliseconds: UInt32 {
        self > .zero ? max(1, UInt32(clamping: self.wholeMilliseconds)) : 0
    }
}
