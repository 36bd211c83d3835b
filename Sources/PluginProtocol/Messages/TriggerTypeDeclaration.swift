/// A trigger type as its plugin declares it: what a manifest may say, and what the plugin can do.
public struct TriggerTypeDeclaration: Sendable, Equatable {
    /// The `type` of a trigger in a manifest, for example `mongodb`.
    public var type: String
    /// One sentence for people.
    public var help: String
    /// What may be set, in the order in which people should read it.
    public var parameters: [ParameterDeclaration]
    /// What the plugin can do beyond counting.
    public var capabilities: Capabilities

    /// Creates a declaration.
    public init(
        type: String,
        help: String,
        parameters: [ParameterDeclaration],
        capabilities: Capabilities = Capabilities()
    ) {
        self.type = type
        self.help = help
        self.parameters = parameters
        self.capabilities = capabilities
    }

    /// What a plugin can do beyond counting.
    public struct Capabilities: Sendable, Equatable {
        /// The plugin may report changes by itself.
        public var push: Bool
        /// Readings can carry items.
        public var items: Bool
        /// Readings carry a number in flight.
        public var inFlight: Bool

        /// Creates a set of capabilities; by default there are none.
        public init(push: Bool = false, items: Bool = false, inFlight: Bool = false) {
            self.push = push
            self.items = items
            self.inFlight = inFlight
        }
    }
}

/// One key of `triggers[].metadata` or of an authentication.
public struct ParameterDeclaration: Sendable, Equatable {
    /// What a value must look like.
    public enum Kind: Sendable, Equatable {
        /// Any text.
        case string
        /// A whole number in JSON's syntax.
        case integer
        /// A number in JSON's syntax.
        case number
        /// `1 t T TRUE true True 0 f F FALSE false False`.
        case boolean
        /// `90s`, `5m`, or a whole number of milliseconds.
        case duration
        /// One of the given values, exactly.
        case oneOf([String])
        /// A JSON object.
        case jsonObject
    }

    /// Where the host looks for a value.
    public enum Source: Sendable, Equatable, CaseIterable {
        /// `metadata["<name>"]`.
        case metadata
        /// The resolved TriggerAuthentication.
        case authentication
        /// `metadata["<name>FromEnv"]` names an environment variable of the Job's container.
        case environment
    }

    /// The key.
    public var name: String
    /// Other names of the same parameter, tried after `name`.
    public var aliases: [String]
    /// What a value must look like.
    public var kind: Kind
    /// Whether the trigger cannot do without.
    public var isRequired: Bool
    /// Whether the value must never be shown.
    public var isSecret: Bool
    /// The value when none is given.
    public var defaultValue: String?
    /// Where the host looks, in this order.
    public var sources: [Source]
    /// One sentence for people.
    public var help: String
    /// Why it should no longer be used, and what to use instead; nil where it may be used.
    public var deprecation: String?

    /// Creates a declaration.
    public init(
        _ name: String,
        _ kind: Kind = .string,
        required: Bool = false,
        secret: Bool = false,
        default defaultValue: String? = nil,
        from sources: [Source] = [.metadata],
        aliases: [String] = [],
        help: String,
        deprecation: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.isRequired = required
        self.isSecret = secret
        self.defaultValue = defaultValue
        self.sources = sources
        self.aliases = aliases
        self.help = help
        self.deprecation = deprecation
    }
}
