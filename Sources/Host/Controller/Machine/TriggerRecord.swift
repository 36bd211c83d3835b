import Credentials
import PluginHost
import PluginProtocol
import Scaling

/// The controller's side of one trigger.
struct TriggerRecord {
    enum State: Equatable {
        /// Something that it needs is still being read, or its plugin has not registered yet.
        case waiting(String)
        /// Something that it needs is missing or wrong.
        case unresolved([Problem])
        case opening
        case opened(OpenedTrigger)
        case failed(PluginFailure)
    }

    let id: TriggerID
    var state: State = .waiting("not looked at yet")
    /// What was last sent to the plugin; nil when nothing is.
    var specification: TriggerSpecification?
    var revision: UInt64 = 0
    /// The first revision that asked the same question: readings of later ones count, whatever credentials they used.
    private var sameSince: UInt64 = 0
    /// The trigger's metadata when it was last sent.
    private var metadata: [String: String] = [:]
    /// What its parameters are fetched with, of all that the ScaledJob needs.
    var credentials: Set<CredentialRequest> = []
    var standing: TriggerStanding = .unknown("not read yet")
    /// Why the last reading failed; nil after a good one.
    var readingFailure: String?
    /// When the reading that is under way was asked for, or a little earlier; nil while none is.
    var measuringSince: ContinuousClock.Instant?
    /// A change was reported that no reading covers yet.
    var isDirty = false
    /// `s<index>-<name>`; nil before the trigger was first open.
    var metric: String?
    /// How long the last reading took from its request to its arrival.
    var latency: Duration?
    /// How often it could not be read, at most once for each poll.
    var errors = 0

    var opened: OpenedTrigger? {
        guard case .opened(let opened) = self.state else { return nil }
        return opened
    }

    var isKnown: Bool {
        guard case .known = self.standing else { return false }
        return true
    }

    var isMeasuring: Bool { self.measuringSince != nil }

    /// The oldest time of which something is or will be said.
    var readingSince: ContinuousClock.Instant? {
        guard case .known(_, let askedAt) = self.standing else { return self.measuringSince }
        return self.measuringSince.map { Swift.min($0, askedAt) } ?? askedAt
    }

    enum Change: Equatable {
        case none
        /// The same question with other credentials.
        case renewal
        case other(wasSet: Bool)
    }

    /// Takes a new specification under a new revision.
    ///
    /// Only where nothing but credentials changed, what is open goes on answering meanwhile: its readings answer the same
    /// question.
    mutating func change(
        to new: TriggerSpecification,
        from metadata: [String: String],
        _ declaration: TriggerTypeDeclaration?
    ) -> Change {
        guard self.specification != new else { return .none }
        let former = self.specification
        let isRenewal =
            self.opened != nil && self.metadata == metadata
            && former.map { Self.differ(new, $0, inCredentialsOnly: declaration) } ?? false
        self.specification = new
        self.metadata = metadata
        self.revision += 1
        guard !isRenewal else { return .renewal }
        self.sameSince = self.revision
        self.state = .opening
        self.becomeUnknown("being opened")
        return .other(wasSet: former != nil)
    }

    private static func differ(
        _ new: TriggerSpecification,
        _ old: TriggerSpecification,
        inCredentialsOnly declaration: TriggerTypeDeclaration?
    ) -> Bool {
        guard new.type == old.type, let declaration else { return false }
        return Set(new.parameters.keys).union(old.parameters.keys).allSatisfy { name in
            guard new.parameters[name] != old.parameters[name] else { return true }
            let parameter = declaration.parameters.first { $0.name == name }
            return parameter.map { $0.isSecret || $0.sources.contains(.authentication) } ?? false
        }
    }

    /// Whether an event of this revision is about what is wanted now.
    func takes(_ revision: UInt64, earlierToo: Bool) -> Bool {
        revision == self.revision || (earlierToo && revision >= self.sameSince && revision < self.revision)
    }

    init(id: TriggerID) {
        self.id = id
    }

    mutating func becomeUnknown(_ why: String) {
        self.standing = .unknown(why)
        self.measuringSince = nil
    }
}
