import CPluginMessages

/// Turns a C tree into values.
///
/// Names must be text; text for people is repaired. A field that makes its message senseless, such as a target that is not a
/// number, turns only that answer into a failure, so that one bad source does not cost the plugin its connection.
struct FrameReader {
    let arena: MessageArena

    func frame(_ tree: borrowing UnpackedFrame) throws(FrameError) -> Frame {
        let frame = unsafe tree.tree.pointee
        return unsafe Frame(call: frame.call, try self.body(frame))
    }

    private func body(_ frame: Sluice__Plugin__V1__Frame) throws(FrameError) -> Frame.Body {
        switch unsafe frame.body_case {
        case SLUICE__PLUGIN__V1__FRAME__BODY_REGISTER:
            return unsafe .register(try self.register(try self.message(frame.register_)))
        case SLUICE__PLUGIN__V1__FRAME__BODY_REGISTERED:
            return unsafe .registered(self.registered(try self.message(frame.registered)))
        case SLUICE__PLUGIN__V1__FRAME__BODY_REJECTED:
            let rejected = unsafe try self.message(frame.rejected)
            return unsafe .rejected(
                Frame.Rejected(PluginFailure.Code(number: rejected.code.rawValue), self.prose(rejected.reason))
            )
        case SLUICE__PLUGIN__V1__FRAME__BODY_OPEN:
            return unsafe .open(try self.open(try self.message(frame.open)))
        case SLUICE__PLUGIN__V1__FRAME__BODY_OPENED:
            return unsafe self.opened(try self.message(frame.opened))
        case SLUICE__PLUGIN__V1__FRAME__BODY_CLOSE:
            return unsafe .close(trigger: try self.message(frame.close).trigger)
        case SLUICE__PLUGIN__V1__FRAME__BODY_MEASURE:
            let measure = unsafe try self.message(frame.measure)
            return unsafe .measure(
                Frame.Measure(
                    triggers: self.numbers(measure.triggers, measure.n_triggers),
                    timeout: .milliseconds(measure.timeout_ms),
                    maximumItems: Int(measure.maximum_items)
                )
            )
        case SLUICE__PLUGIN__V1__FRAME__BODY_MEASURED:
            return unsafe try self.measured(try self.message(frame.measured))
        case SLUICE__PLUGIN__V1__FRAME__BODY_CHANGED:
            let changed = unsafe try self.message(frame.changed)
            return unsafe .changed(triggers: self.numbers(changed.triggers, changed.n_triggers))
        case SLUICE__PLUGIN__V1__FRAME__BODY_PING:
            return .ping
        case SLUICE__PLUGIN__V1__FRAME__BODY_PONG:
            return .pong
        case SLUICE__PLUGIN__V1__FRAME__BODY_CANCEL:
            return unsafe .cancel(call: try self.message(frame.cancel).call)
        case SLUICE__PLUGIN__V1__FRAME__BODY_DRAIN:
            return unsafe .drain(reason: self.prose(try self.message(frame.drain).reason))
        case SLUICE__PLUGIN__V1__FRAME__BODY_FAILURE:
            return unsafe .failure(self.failure(try self.message(frame.failure)))
        default:
            return .unknown
        }
    }

    private func register(_ register: Sluice__Plugin__V1__Register) throws(FrameError) -> Frame.Register {
        var triggerTypes: [TriggerTypeDeclaration] = []
        for index in unsafe 0..<register.n_trigger_types {
            triggerTypes.append(unsafe try self.triggerType(try self.message(register.trigger_types[index])))
        }
        var versions: [UInt32] = []
        for index in unsafe 0..<register.n_protocol_versions {
            versions.append(unsafe register.protocol_versions[index])
        }
        return unsafe Frame.Register(
            name: try self.name(register.name, "Register.name"),
            version: self.prose(register.version),
            protocolVersions: versions,
            triggerTypes: triggerTypes
        )
    }

    private func triggerType(_ type: Sluice__Plugin__V1__TriggerType) throws(FrameError) -> TriggerTypeDeclaration {
        var parameters: [ParameterDeclaration] = []
        for index in unsafe 0..<type.n_parameters {
            parameters.append(unsafe try self.parameter(try self.message(type.parameters[index])))
        }
        var capabilities = TriggerTypeDeclaration.Capabilities()
        if let declared = unsafe type.capabilities?.pointee {
            unsafe capabilities.push = declared.push != 0
            unsafe capabilities.items = declared.items != 0
            unsafe capabilities.inFlight = declared.in_flight != 0
        }
        return unsafe TriggerTypeDeclaration(
            type: try self.name(type.type, "TriggerType.type"),
            help: self.prose(type.help),
            parameters: parameters,
            capabilities: capabilities
        )
    }

    private func parameter(_ parameter: Sluice__Plugin__V1__Parameter) throws(FrameError) -> ParameterDeclaration {
        var sources: [ParameterDeclaration.Source] = []
        for index in unsafe 0..<parameter.n_sources {
            let number = unsafe Int(parameter.sources[index].rawValue)
            // A source of a later version of the protocol is one where this host does not look.
            if ParameterDeclaration.Source.allCases.indices.contains(number) {
                sources.append(ParameterDeclaration.Source.allCases[number])
            }
        }
        var defaultValue: String?
        if unsafe parameter.default_value_case == SLUICE__PLUGIN__V1__PARAMETER__DEFAULT_VALUE_DEFAULT {
            defaultValue = unsafe try self.name(parameter.default_, "Parameter.default")
        }
        return unsafe ParameterDeclaration(
            try self.name(parameter.name, "Parameter.name"),
            try self.kind(parameter),
            required: parameter.required != 0,
            secret: parameter.secret != 0,
            default: defaultValue,
            from: parameter.n_sources == 0 ? [.metadata] : sources,
            aliases: try self.names(parameter.aliases, parameter.n_aliases, "Parameter.aliases"),
            help: self.prose(parameter.help),
            deprecation: self.optional(self.prose(parameter.deprecation))
        )
    }

    private func kind(_ parameter: Sluice__Plugin__V1__Parameter) throws(FrameError) -> ParameterDeclaration.Kind {
        switch unsafe parameter.kind {
        case SLUICE__PLUGIN__V1__PARAMETER_KIND__INTEGER: .integer
        case SLUICE__PLUGIN__V1__PARAMETER_KIND__NUMBER: .number
        case SLUICE__PLUGIN__V1__PARAMETER_KIND__BOOLEAN: .boolean
        case SLUICE__PLUGIN__V1__PARAMETER_KIND__DURATION: .duration
        case SLUICE__PLUGIN__V1__PARAMETER_KIND__ENUM:
            .oneOf(unsafe try self.names(parameter.values, parameter.n_values, "Parameter.values"))
        case SLUICE__PLUGIN__V1__PARAMETER_KIND__JSON_OBJECT: .jsonObject
        // A kind of a later version is text that only the plugin can check.
        default: .string
        }
    }

    private func registered(_ registered: Sluice__Plugin__V1__Registered) -> Frame.Registered {
        unsafe Frame.Registered(
            protocolVersion: registered.protocol_version,
            hostVersion: self.prose(registered.host_version),
            maximumFrameBytes: Int(registered.maximum_frame_bytes),
            openTimeout: .milliseconds(registered.open_timeout_ms),
            measureTimeout: .milliseconds(registered.measure_timeout_ms),
            pingInterval: .milliseconds(registered.ping_interval_ms),
            pingTimeout: .milliseconds(registered.ping_timeout_ms),
            maximumTriggersPerMeasure: Int(registered.maximum_triggers_per_measure)
        )
    }

    private func open(_ open: Sluice__Plugin__V1__Open) throws(FrameError) -> Frame.Open {
        var parameters: [String: String] = [:]
        for index in unsafe 0..<open.n_parameters {
            let parameter = unsafe try self.message(open.parameters[index])
            let name = unsafe try self.name(parameter.name, "ParameterValue.name")
            parameters[name] = unsafe try self.name(parameter.value, "ParameterValue.value")
        }
        return unsafe Frame.Open(
            trigger: open.trigger,
            type: try self.name(open.type, "Open.type"),
            scaledJob: self.prose(open.scaled_job),
            parameters: parameters
        )
    }

    private func opened(_ opened: Sluice__Plugin__V1__Opened) -> Frame.Body {
        let (target, activation) = unsafe (opened.target, opened.activation)
        guard target.isFinite, target > 0 else {
            return .failure(PluginFailure(.protocolError, "the plugin's target is not a number greater than 0"))
        }
        guard activation.isFinite else {
            return .failure(PluginFailure(.protocolError, "the plugin's activation is not a number"))
        }
        let counts: OpenedTrigger.Counts =
            switch unsafe opened.counts {
            case SLUICE__PLUGIN__V1__COUNTS__UNTIL_FINISHED: .untilFinished
            case SLUICE__PLUGIN__V1__COUNTS__UNTIL_CLAIMED: .untilClaimed
            default: .unspecified
            }
        return .opened(
            OpenedTrigger(
                target: target,
                activation: activation,
                counts: counts,
                push: unsafe opened.push != 0
                    ? .available : .unavailable(reason: self.prose(opened.push_unavailable)),
                metricName: unsafe self.optional(self.prose(opened.metric_name))?
                    .prefix(utf8Bytes: ProtocolLimits.metricNameBytes)
            )
        )
    }
}

extension FrameReader {
    private func measured(_ measured: Sluice__Plugin__V1__Measured) throws(FrameError) -> Frame.Body {
        let count = unsafe measured.n_readings
        var readings: [TriggerReading] = []
        readings.reserveCapacity(count)
        for index in 0..<count {
            guard let reading = unsafe measured.readings[index] else { throw .malformed }
            readings.append(
                TriggerReading(trigger: unsafe reading.pointee.trigger, outcome: unsafe self.outcome(reading))
            )
        }
        return .measured(readings, more: unsafe measured.more != 0)
    }

    private func outcome(
        _ reading: UnsafeMutablePointer<Sluice__Plugin__V1__Reading>
    ) -> Result<Reading, PluginFailure> {
        switch unsafe reading.pointee.outcome_case {
        case SLUICE__PLUGIN__V1__READING__OUTCOME_BACKLOG:
            guard let backlog = unsafe reading.pointee.backlog else { break }
            return unsafe self.reading(backlog)
        case SLUICE__PLUGIN__V1__READING__OUTCOME_FAILURE:
            guard let failure = unsafe reading.pointee.failure else { break }
            return unsafe .failure(self.failure(failure.pointee))
        default:
            break
        }
        return .failure(PluginFailure(.protocolError, "the plugin sent a reading without an outcome"))
    }

    private func reading(
        _ backlog: UnsafeMutablePointer<Sluice__Plugin__V1__Backlog>
    ) -> Result<Reading, PluginFailure> {
        let waiting = unsafe backlog.pointee.waiting
        guard waiting.isFinite, waiting >= 0 else {
            return .failure(PluginFailure(.protocolError, "the plugin's waiting is not a number of at least 0"))
        }
        var reading = Reading(waiting: waiting, observedAtMilliseconds: unsafe backlog.pointee.observed_at_ms)
        if unsafe backlog.pointee.in_flight_value_case == SLUICE__PLUGIN__V1__BACKLOG__IN_FLIGHT_VALUE_IN_FLIGHT {
            let inFlight = unsafe backlog.pointee.in_flight
            guard inFlight.isFinite, inFlight >= 0 else {
                return .failure(PluginFailure(.protocolError, "the plugin's in_flight is not a number of at least 0"))
            }
            reading.inFlight = inFlight
        }
        if unsafe backlog.pointee.oldest_age_value_case == SLUICE__PLUGIN__V1__BACKLOG__OLDEST_AGE_VALUE_OLDEST_AGE_MS {
            reading.oldestAge = .milliseconds(unsafe min(backlog.pointee.oldest_age_ms, 1 << 42))
        }
        if unsafe backlog.pointee.active_value_case == SLUICE__PLUGIN__V1__BACKLOG__ACTIVE_VALUE_ACTIVE {
            reading.isActive = unsafe backlog.pointee.active != 0
        }
        let count = unsafe backlog.pointee.n_items
        if count > 0 {
            reading.items.reserveCapacity(count)
            for index in 0..<count {
                guard let item = unsafe backlog.pointee.items[index]?.pointee else { continue }
                let (key, payload) = unsafe (item.key, item.payload)
                guard unsafe 1...ProtocolLimits.itemKeyBytes ~= key.len,
                    unsafe payload.len <= ProtocolLimits.itemPayloadBytes
                else {
                    return .failure(PluginFailure(.protocolError, "the plugin sent an item of a size not allowed"))
                }
                reading.items.append(Reading.Item(key: unsafe self.bytes(key), payload: unsafe self.bytes(payload)))
            }
        }
        return .success(reading)
    }

    private func failure(_ failure: Sluice__Plugin__V1__Failure) -> PluginFailure {
        let parameter = unsafe self.prose(failure.parameter)
        return unsafe PluginFailure(
            PluginFailure.Code(number: failure.code.rawValue),
            self.prose(failure.message),
            parameter: parameter.isEmpty ? nil : parameter,
            retryAfter: failure.retry_after_ms == 0 ? nil : .milliseconds(failure.retry_after_ms)
        )
    }

    // MARK: Fields

    private func message<Message>(_ pointer: UnsafeMutablePointer<Message>?) throws(FrameError) -> Message {
        guard let pointer = unsafe pointer else { throw .malformed }
        return unsafe pointer.pointee
    }

    /// Text that must be exactly what the sender wrote.
    private func name(_ text: UnsafeMutablePointer<CChar>?, _ field: String) throws(FrameError) -> String {
        guard let text = unsafe text else { return "" }
        guard let string = unsafe String(validatingCString: text) else { throw .invalidText(field: field) }
        if let size = unsafe self.arena.size(of: text), size != string.utf8.count + 1 {
            throw .invalidText(field: field)
        }
        return string
    }

    private func names(
        _ texts: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        _ count: Int,
        _ field: String
    ) throws(FrameError) -> [String] {
        guard let texts = unsafe texts else { return [] }
        var names: [String] = []
        for index in 0..<count {
            names.append(unsafe try self.name(texts[index], field))
        }
        return names
    }

    /// Text for people: repaired, ends at a NUL, cut at the limit of a failure's message.
    private func prose(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text = unsafe text else { return "" }
        return unsafe String(cString: text).prefix(utf8Bytes: ProtocolLimits.failureMessageBytes)
    }

    private func optional(_ text: String) -> String? { text.isEmpty ? nil : text }

    private func numbers(_ numbers: UnsafeMutablePointer<UInt64>?, _ count: Int) -> [UInt64] {
        unsafe Array(UnsafeBufferPointer(start: numbers, count: numbers == nil ? 0 : count))
    }

    private func bytes(_ bytes: ProtobufCBinaryData) -> [UInt8] {
        unsafe Array(UnsafeBufferPointer(start: bytes.data, count: bytes.data == nil ? 0 : bytes.len))
    }
}

extension String {
    /// The longest start of the text that takes at most this many bytes and ends between characters.
    package func prefix(utf8Bytes limit: Int) -> String {
        guard self.utf8.count > limit else { return self }
        let bytes = Array(self.utf8.prefix(limit + 1))
        var count = limit
        while count > 0, bytes[count] & 0b1100_0000 == 0b1000_0000 {
            count -= 1
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
