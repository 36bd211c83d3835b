/// Renders status rows as lines of text that fit a width.
package struct LiveTable: Sendable {
    package let width: Int

    private static let headings = ["WAITING", "RUNNING", "DONE", "FAILED", "CLEANED"]

    package init(width: Int) {
        self.width = max(20, width)
    }

    /// A heading and one line for each row, none of them longer than the width.
    package func lines(_ rows: [StatusRow]) -> [String] {
        let ordered = rows.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
        let names = ordered.map { Self.printable("\($0.namespace)/\($0.name)") }
        let numbers = ordered.map(Self.numbers)
        let nameWidth = min(max(9, names.map(\.count).max() ?? 0), max(9, self.width / 3))
        let widths = Self.headings.indices.map { column in
            max(Self.headings[column].count, numbers.map { $0[column].count }.max() ?? 0)
        }
        var lines = [self.line("SCALEDJOB", Self.headings, "LAST DECISION", nameWidth, widths)]
        for (index, row) in ordered.enumerated() {
            lines.append(self.line(names[index], numbers[index], Self.printable(row.decision), nameWidth, widths))
        }
        return lines
    }

    private static func numbers(_ row: StatusRow) -> [String] {
        [row.waiting.map { "\($0)" } ?? "?"] + [row.running, row.done, row.failed, row.cleaned].map { "\($0)" }
    }

    private func line(_ name: String, _ numbers: [String], _ sentence: String, _ nameWidth: Int, _ widths: [Int])
        -> String
    {
        var line = Self.fitted(name, to: nameWidth)
        line += String(repeating: " ", count: nameWidth - line.count)
        for (number, width) in zip(numbers, widths) {
            line += "  " + String(repeating: " ", count: max(0, width - number.count)) + number
        }
        let rest = self.width - line.count - 2
        if rest >= 8, !sentence.isEmpty { line += "  " + Self.fitted(sentence, to: rest) }
        return Self.fitted(line, to: self.width)
    }

    private static func fitted(_ text: String, to width: Int) -> String {
        text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
    }

    /// Without control characters: a name or an error text must not be able to steer the terminal.
    private static func printable(_ text: String) -> String {
        String(
            text.map {
                $0.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && !(128..<160).contains($0.value) }
                    ? $0 : " "
            }
        )
    }
}
