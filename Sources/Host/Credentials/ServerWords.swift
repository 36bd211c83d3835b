/// Words of a server, made fit to be shown.
enum ServerWords {
    /// Without the secrets that were sent, and without what looks like one.
    static func shown(_ text: String, hiding secrets: [String]) -> String {
        var text = text
        for secret in secrets where secret.utf8.count > 3 { text = text.replacing(secret, with: "…") }
        let words = text.split(whereSeparator: \.isWhitespace).map { word in
            Self.looksSecret(word) ? "…" : String(word)
        }
        let shown = words.joined(separator: " ").unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }
        return String(String(String.UnicodeScalarView(shown)).prefix(300))
    }

    private static func looksSecret(_ word: Substring) -> Bool {
        ["hvs.", "hvb.", "s.", "eyJ"].contains { prefix in
            guard let start = word.ranges(of: prefix).first?.lowerBound else { return false }
            return word[start...].count > 20
        }
    }
}
