internal import Glibc
package import SystemPackage

/// Shows the table: redrawn in place on a terminal, as plain lines of what changed anywhere else.
package final class TableScreen {
    private let descriptor: FileDescriptor
    private let isTerminal: Bool
    private var drawnLines = 0
    private var last: [String] = []

    package init(descriptor: FileDescriptor = .standardOutput) {
        self.descriptor = descriptor
        self.isTerminal = isatty(descriptor.rawValue) == 1
    }

    /// Draws the rows; on a terminal over what was drawn before.
    package func show(_ rows: [StatusRow]) {
        let lines = LiveTable(width: self.width).lines(rows)
        guard lines != self.last else { return }
        if self.isTerminal {
            let up = self.drawnLines > 0 ? "\u{1B}[\(self.drawnLines)A\r" : "\u{1B}[?25l"
            self.write(up + lines.map { "\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J")
            self.drawnLines = lines.count
        } else {
            self.write(lines.filter { !self.last.contains($0) }.map { "\($0)\n" }.joined())
        }
        self.last = lines
    }

    /// Says something that stays: above the table on a terminal.
    package func say(_ line: String) {
        let erase = self.isTerminal && self.drawnLines > 0 ? "\u{1B}[\(self.drawnLines)A\r\u{1B}[J" : ""
        let again = self.isTerminal ? self.last.map { "\($0)\u{1B}[K\n" }.joined() : ""
        self.write(erase + line + "\n" + again)
        self.drawnLines = self.isTerminal ? self.last.count : 0
    }

    /// Gives the terminal back as it was; safe to call twice.
    package func close() {
        if self.isTerminal { self.write("\u{1B}[?25h") }
    }

    private var width: Int {
        var size = winsize()
        guard self.isTerminal, ioctl(self.descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return 160
        }
        return Int(size.ws_col)
    }

    private func write(_ text: String) {
        // Nobody to tell when the terminal is gone.
        _ = try? self.descriptor.writeAll(text.utf8)
    }
}
