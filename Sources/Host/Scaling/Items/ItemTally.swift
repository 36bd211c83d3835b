/// How the items of the last reading stand.
package struct ItemTally: Sendable, Equatable {
    /// Items that the reading named.
    package var listed = 0
    /// They have an unfinished Job.
    package var inWork = 0
    /// Their Job ended after the reading was asked for: the next reading tells.
    package var settling = 0
    /// They may have a Job.
    package var due = 0
    /// They still wait after their last attempt.
    package var exhausted = 0
    /// Their Job succeeded and they still wait; they may be exhausted as well.
    package var stillWaiting = 0
    /// A Job for another key has their name.
    package var collided = 0
    /// Their key is no text.
    package var unusable = 0
    /// Whether more waits than the reading named.
    package var isCut = false

    package init() {}

    /// Items that the reading named and that will have no Job, whatever ends.
    package var blocked: Int { self.exhausted + self.collided }

    /// For the reason of a decision; empty where there is nothing to say.
    var sentence: String {
        var parts: [String] = []
        if self.inWork > 0 { parts.append("\(self.inWork) in work") }
        if self.settling > 0 { parts.append("\(self.settling) to be read again") }
        if self.exhausted > 0 { parts.append("\(self.exhausted) exhausted") }
        if self.stillWaiting > 0 { parts.append("\(self.stillWaiting) finished but still waiting") }
        if self.collided > 0 { parts.append("\(self.collided) whose Job has another key") }
        if self.unusable > 0 { parts.append("\(self.unusable) with a key that is no text") }
        guard !parts.isEmpty else { return "" }
        return "; of \(self.listed + self.unusable) items named \(parts.joined(separator: ", "))"
    }
}
