extension Frame.Register {
    /// The highest protocol version that both sides know.
    ///
    /// - Throws: The refusal to send, with the first thing that is wrong.
    package func negotiate(
        _ known: [UInt32] = ProtocolLimits.versions
    ) throws(Frame.Rejected) -> UInt32 {
        guard let version = self.protocolVersions.filter(known.contains).max() else {
            let (theirs, ours) = (Self.list(self.protocolVersions), Self.list(known))
            throw Frame.Rejected(
                .unsupported,
                "the plugin speaks protocol version \(theirs), this host \(ours): update the older of the two"
            )
        }
        guard Self.isName(self.name) else {
            throw Frame.Rejected(
                .invalidParameter,
                "the name of a plugin is 1 to \(ProtocolLimits.nameBytes) lower-case letters, digits and hyphens"
            )
        }
        guard 1...ProtocolLimits.triggerTypes ~= self.triggerTypes.count else {
            throw Frame.Rejected(
                .invalidParameter,
                "a plugin offers 1 to \(ProtocolLimits.triggerTypes) trigger types, not \(self.triggerTypes.count)"
            )
        }
        var types: Set<String> = []
        for type in self.triggerTypes {
            guard Self.isName(type.type), types.insert(type.type).inserted else {
                throw Frame.Rejected(
                    .invalidParameter,
                    "a trigger type is 1 to \(ProtocolLimits.nameBytes) lower-case letters, digits and hyphens, and unique"
                )
            }
            try Self.validate(type)
        }
        return version
    }

    private static func validate(_ type: TriggerTypeDeclaration) throws(Frame.Rejected) {
        guard type.parameters.count <= ProtocolLimits.parameters else {
            throw Frame.Rejected(
                .invalidParameter,
                "trigger type \(type.type) has more than \(ProtocolLimits.parameters) parameters"
            )
        }
        var names: Set<String> = []
        for parameter in type.parameters {
            for name in [parameter.name] + parameter.aliases {
                guard Self.isParameterName(name) else {
                    throw Frame.Rejected(
                        .invalidParameter,
                        "trigger type \(type.type) has a parameter without a usable name"
                    )
                }
                guard names.insert(name).inserted else {
                    throw Frame.Rejected(
                        .invalidParameter,
                        "trigger type \(type.type) declares parameter \(name) twice"
                    )
                }
            }
            if case .oneOf(let values) = parameter.kind {
                guard !values.isEmpty, parameter.defaultValue.map(values.contains) ?? true else {
                    throw Frame.Rejected(
                        .invalidParameter,
                        "parameter \(parameter.name) of trigger type \(type.type) allows no value, or not its default"
                    )
                }
            }
        }
    }

    private static func isName(_ name: String) -> Bool {
        1...ProtocolLimits.nameBytes ~= name.utf8.count
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    private static func isParameterName(_ name: String) -> Bool {
        1...ProtocolLimits.parameterNameBytes ~= name.utf8.count
            && name.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 0x7f }
    }

    private static func list(_ versions: [UInt32]) -> String {
        versions.isEmpty ? "none" : versions.prefix(8).map(String.init).joined(separator: ", ")
    }
}
