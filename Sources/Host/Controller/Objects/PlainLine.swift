extension String {
    /// The text on one line of a terminal: what would move the cursor, colour or hide it is written out.
    package var plainLine: String {
        var line = ""
        for scalar in self.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                switch scalar {
                case "\n": line += "\\n"
                case "\r": line += "\\r"
                case "\t": line += "\\t"
                default: line += "\\u{\(String(scalar.value, radix: 16))}"
                }
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
