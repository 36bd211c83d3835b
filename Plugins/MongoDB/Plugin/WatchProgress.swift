internal import MongoDB

/// How far a watcher has come, across the streams it opens one after another, without I/O.
struct WatchProgress {
    /// Where the next stream goes on; nil: from now, and everybody must look once.
    var token: BSONDocument?
    /// The version of the plan up to which triggers have been woken by a stream that covers them.
    var coveredVersion: UInt64 = 0
    /// Answers without an event that came too soon, in a row.
    var emptyAnswers = 0
    /// Whether the queries are part of the stream.
    private(set) var filtersOnServer = true
    private var isOpen = false
    private var failures: UInt32 = 0
    private var reported: MongoError?

    /// How long the server may keep a call waiting: how soon a new trigger is covered and an old watcher ends.
    private static let maximumAwaitMilliseconds: Int64 = 500

    var options: BSONDocument {
        var options: BSONDocument = [
            "fullDocument": "updateLookup", "maxAwaitTimeMS": .int64(Self.maximumAwaitMilliseconds),
        ]
        if let token = self.token {
            options.append("resumeAfter", .document(token))
        }
        return options
    }

    /// The stream is open; returns whether that ends a reported failure.
    mutating func opened() -> Bool {
        defer { self.reported = nil }
        self.isOpen = true
        self.failures = 0
        return self.reported != nil
    }

    /// The stream broke, or could not be opened; returns how long to wait, in milliseconds.
    mutating func failed(_ error: MongoError) -> UInt32 {
        let wasOpen = self.isOpen
        self.isOpen = false
        self.failures += 1
        if error.domain == .server {
            // A token that the server no longer knows (history lost, unusable token), or a stream it cannot go on with.
            if [136, 222, 260, 280, 286].contains(error.code) { self.token = nil }
            if !wasOpen {
                if self.filtersOnServer, [2, 9, 14, 168].contains(error.code) || error.code >= 15000 {
                    self.filtersOnServer = false
                    return 0
                }
                // Not allowed, or not possible: somebody has to change something.
                if [13, 40573].contains(error.code) { return 30000 }
            }
        }
        // The first retry at once, then with full jitter up to 5 s.
        guard self.failures > 1 else { return 0 }
        return UInt32.random(in: 0...min(5000, 50 << min(self.failures, 7)))
    }

    /// Whether this failure is worth a line: the first one, and one of another kind.
    mutating func isNewsworthy(_ error: MongoError) -> Bool {
        guard self.failures > 1 || error.code == 13, self.reported?.code != error.code else { return false }
        defer { self.reported = error }
        return true
    }
}
