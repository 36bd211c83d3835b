/// One ScaledJob as the table of the standalone mode shows it.
package struct StatusRow: Sendable, Equatable {
    package var namespace: String
    package var name: String
    /// Nil when it is not known, which is not the same as zero.
    package var waiting: Int64?
    package var running: Int
    package var done: Int
    package var failed: Int
    package var cleaned: Int
    /// The last decision in one sentence.
    package var decision: String

    package init(
        namespace: String,
        name: String,
        waiting: Int64? = nil,
        running: Int = 0,
        done: Int = 0,
        failed: Int = 0,
        cleaned: Int = 0,
        decision: String = ""
    ) {
        self.namespace = namespace
        self.name = name
        self.waiting = waiting
        self.running = running
        self.done = done
        self.failed = failed
        self.cleaned = cleaned
        self.decision = decision
    }
}
