/// The host's timeouts and limits for one session, most of which it tells the plugin.
package struct SessionConfiguration: Sendable {
    package var hostVersion = "0.0.0"
    /// Within this a new connection must have registered.
    package var registrationTimeout: Duration = .seconds(5)
    /// Within this an Open must be answered.
    package var openTimeout: Duration = .seconds(10)
    /// Within this a Measure must be answered.
    package var measureTimeout: Duration = .seconds(10)
    /// After this much silence there is a Ping.
    package var pingInterval: Duration = .seconds(5)
    /// Within this a Ping must be answered, by anything.
    package var pingTimeout: Duration = .seconds(10)
    package var maximumTriggersPerMeasure = 10_000
    /// The most items asked for per reading, whatever is wanted.
    package var maximumItems = ProtocolLimits.itemsPerReading
    package var breaker = CircuitBreaker()

    package init() {}

    func registered(version: UInt32) -> Frame.Registered {
        Frame.Registered(
            protocolVersion: version,
            hostVersion: self.hostVersion,
            openTimeout: self.openTimeout,
            measureTimeout: self.measureTimeout,
            pingInterval: self.pingInterval,
            pingTimeout: self.pingTimeout,
            maximumTriggersPerMeasure: self.maximumTriggersPerMeasure
        )
    }
}
