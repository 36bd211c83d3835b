/// One message and the call that it belongs to: what travels between host and plugin.
package struct Frame: Sendable, Equatable {
    /// Chosen by the sender of a request, repeated in its answer; 0 in messages that are neither.
    package var call: UInt64
    /// The message.
    package var body: Body

    package init(call: UInt64 = 0, _ body: Body) {
        self.call = call
        self.body = body
    }

    /// The messages, in the order of their field numbers.
    package enum Body: Sendable, Equatable {
        case register(Register)
        case registered(Registered)
        case rejected(Rejected)
        case open(Open)
        case opened(OpenedTrigger)
        case close(trigger: UInt64)
        case measure(Measure)
        case measured([TriggerReading], more: Bool)
        case changed(triggers: [UInt64])
        case ping
        case pong
        case cancel(call: UInt64)
        case drain(reason: String)
        case failure(PluginFailure)
        /// A message of a later version of the protocol; to be ignored.
        case unknown
    }
}

/// What one trigger's reading came to.
package struct TriggerReading: Sendable, Equatable {
    /// The host's number of the trigger.
    package var trigger: UInt64
    package var outcome: Result<Reading, PluginFailure>

    package init(trigger: UInt64, outcome: Result<Reading, PluginFailure>) {
        self.trigger = trigger
        self.outcome = outcome
    }
}

extension Frame {
    /// Plugin to host, first message.
    package struct Register: Sendable, Equatable {
        package var name: String
        package var version: String
        package var protocolVersions: [UInt32]
        package var triggerTypes: [TriggerTypeDeclaration]

        package init(
            name: String,
            version: String,
            protocolVersions: [UInt32] = ProtocolLimits.versions,
            triggerTypes: [TriggerTypeDeclaration]
        ) {
            self.name = name
            self.version = version
            self.protocolVersions = protocolVersions
            self.triggerTypes = triggerTypes
        }
    }

    /// Host to plugin: the plugin is accepted, and the host's timeouts and limits.
    package struct Registered: Sendable, Equatable {
        package var protocolVersion: UInt32
        package var hostVersion: String
        package var maximumFrameBytes: Int
        package var openTimeout: Duration
        package var measureTimeout: Duration
        package var pingInterval: Duration
        package var pingTimeout: Duration
        package var maximumTriggersPerMeasure: Int

        package init(
            protocolVersion: UInt32,
            hostVersion: String,
            maximumFrameBytes: Int = ProtocolLimits.frameBytes,
            openTimeout: Duration,
            measureTimeout: Duration,
            pingInterval: Duration,
            pingTimeout: Duration,
            maximumTriggersPerMeasure: Int
        ) {
            self.protocolVersion = protocolVersion
            self.hostVersion = hostVersion
            self.maximumFrameBytes = maximumFrameBytes
            self.openTimeout = openTimeout
            self.measureTimeout = measureTimeout
            self.pingInterval = pingInterval
            self.pingTimeout = pingTimeout
            self.maximumTriggersPerMeasure = maximumTriggersPerMeasure
        }
    }

    /// Host to plugin: the plugin is refused, and why.
    package struct Rejected: Sendable, Equatable, Error {
        package var code: PluginFailure.Code
        package var reason: String

        package init(_ code: PluginFailure.Code, _ reason: String) {
            self.code = code
            self.reason = reason
        }
    }

    /// Host to plugin: start watching one trigger.
    ///
    /// Parameters may be secret, so the description leaves their values out.
    package struct Open: Sendable, Equatable, CustomStringConvertible {
        package var trigger: UInt64
        package var type: String
        package var scaledJob: String
        package var parameters: [String: String]

        package init(trigger: UInt64, type: String, scaledJob: String, parameters: [String: String]) {
            self.trigger = trigger
            self.type = type
            self.scaledJob = scaledJob
            self.parameters = parameters
        }

        package var description: String {
            "Open(trigger: \(self.trigger), type: \(self.type), scaledJob: \(self.scaledJob))"
        }
    }

    /// Host to plugin: read these triggers now.
    package struct Measure: Sendable, Equatable {
        package var triggers: [UInt64]
        package var timeout: Duration
        package var maximumItems: Int

        package init(triggers: [UInt64], timeout: Duration, maximumItems: Int) {
            self.triggers = triggers
            self.timeout = timeout
            self.maximumItems = maximumItems
        }
    }
}
