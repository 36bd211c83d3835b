internal import PluginProtocol

/// The values of a trigger's parameters that are never shown, whatever words its plugin finds.
///
/// Hidden are secret parameters, and those that an authentication may have fed: what comes from a Secret by mistake is secret
/// all the same.
struct HiddenValues {
    /// Shorter values say nothing, and would be found in any text.
    private static let shortest = 4
    private static let mark = Array("***".utf8)

    /// The longest first, so that a part never spoils the whole.
    private let secrets: [[UInt8]]
    private let words: [[UInt8]]

    init(_ specification: TriggerSpecification, _ declaration: TriggerTypeDeclaration?) {
        var secrets: Set<String> = []
        var words: Set<String> = []
        for (name, value) in specification.parameters {
            guard let declaration, let parameter = declaration.parameters.first(where: { $0.name == name }) else {
                secrets.insert(value)
                continue
            }
            if parameter.isSecret {
                secrets.formUnion([value] + Self.passwords(in: value))
            } else if parameter.sources.contains(.authentication), value != parameter.defaultValue {
                words.insert(value)
            }
        }
        self.secrets = Self.ordered(secrets)
        self.words = Self.ordered(words.subtracting(secrets))
    }

    /// The failure without those values.
    func hidden(in failure: PluginFailure) -> PluginFailure {
        var failure = failure
        failure.message = self.hidden(in: failure.message, limit: ProtocolLimits.failureMessageBytes)
        failure.parameter = failure.parameter.map { self.hidden(in: $0) }
        return failure
    }

    /// The name of a metric without secret values; others make up its usual form.
    func hidden(inName name: String) -> String {
        String(decoding: self.secrets.reduce(Array(name.utf8)) { Self.replaced($1, in: $0) }, as: UTF8.self)
    }

    private func hidden(in text: String, limit: Int? = nil) -> String {
        var bytes = Array(text.utf8)
        for secret in self.secrets { bytes = Self.replaced(secret, in: bytes) }
        for word in self.words { bytes = Self.replaced(word, in: bytes, asWord: true) }
        // A message that was cut may end within a secret.
        if let limit, text.utf8.count > limit - 4 {
            for secret in self.secrets + self.words { Self.replaceBeginning(of: secret, atEndOf: &bytes) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The password, as it is written and decoded by nobody, of an address with a user.
    private static func passwords(in address: String) -> [String] {
        guard let start = address.firstRange(of: "://")?.upperBound else { return [] }
        let authority = address[start...].prefix { !"/?#".contains($0) }
        guard let end = authority.lastIndex(of: "@"), let colon = authority[..<end].firstIndex(of: ":") else {
            return []
        }
        return [String(authority[authority.index(after: colon)..<end])]
    }

    private static func ordered(_ values: Set<String>) -> [[UInt8]] {
        values.map { Array($0.utf8) }.filter { $0.count >= Self.shortest }
            .sorted {
                ($1.count, String(decoding: $0, as: UTF8.self)) < ($0.count, String(decoding: $1, as: UTF8.self))
            }
    }

    private static func replaced(_ value: [UInt8], in text: [UInt8], asWord: Bool = false) -> [UInt8] {
        guard text.count >= value.count else { return text }
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            let end = index + value.count
            let isHere =
                end <= text.count && text[index] == value[0] && text[index..<end].elementsEqual(value)
                && (!asWord
                    || (index == 0 || !Self.isOfWord(text[index - 1]))
                        && (end == text.count || !Self.isOfWord(text[end])))
            if isHere {
                result += Self.mark
                index = end
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func replaceBeginning(of value: [UInt8], atEndOf text: inout [UInt8]) {
        for count in stride(from: Swift.min(value.count - 1, text.count), through: Self.shortest, by: -1)
        where text.suffix(count).elementsEqual(value.prefix(count)) {
            text.removeLast(count)
            text += Self.mark
            return
        }
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }
}

extension HubMachine {
    /// What must not be shown of what a plugin says about this trigger.
    func hiddenValues(of trigger: DesiredTrigger) -> HiddenValues {
        HiddenValues(trigger.specification, self.offers[trigger.specification.type]?.declaration)
    }
}
