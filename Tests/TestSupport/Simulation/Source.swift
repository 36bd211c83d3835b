import PluginProtocol

/// A queue outside the cluster, which knows the truth about its documents.
struct Source {
    let name: String
    let type: String
    var password = "first"
    /// Documents that nobody has claimed, oldest first.
    var waiting: [Int] = []
    /// Documents in work, with the UID of the Job.
    var claimed: [Int: String] = [:]
    var inserted = 0
    var finished = 0
    /// It says as well how much is in work.
    let saysInFlight: Bool

    var isEmpty: Bool { self.waiting.isEmpty && self.claimed.isEmpty }

    var reading: Reading {
        guard self.type == "claims" else { return Reading(waiting: Double(self.waiting.count + self.claimed.count)) }
        return Reading(
            waiting: Double(self.waiting.count),
            inFlight: self.saysInFlight ? Double(self.claimed.count) : nil
        )
    }

    var counts: OpenedTrigger.Counts { self.type == "claims" ? .untilClaimed : .untilFinished }

    mutating func insert(_ count: Int) {
        for _ in 0..<count {
            self.inserted += 1
            self.waiting.append(self.inserted)
        }
    }

    mutating func claim(by job: String) -> Int? {
        guard !self.waiting.isEmpty else { return nil }
        let document = self.waiting.removeFirst()
        self.claimed[document] = job
        return document
    }

    mutating func finish(_ document: Int) {
        if self.claimed.removeValue(forKey: document) != nil { self.finished += 1 }
    }

    /// Whoever had it is gone.
    mutating func giveBack(_ document: Int) {
        guard self.claimed.removeValue(forKey: document) != nil else { return }
        self.waiting.insert(document, at: 0)
    }
}
