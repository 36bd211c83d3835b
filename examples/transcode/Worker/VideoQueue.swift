internal import Glibc
internal import MongoDB

/// A document that this worker has claimed.
struct Video: Sendable {
    let id: BSONValue
    /// For people.
    let name: String
}

/// The videos that wait in a collection.
///
/// All times are the server's (`$$NOW`), so that workers whose clocks differ agree on when a claim has run out.
struct VideoQueue: Sendable {
    let pool: MongoPool
    let database: String
    let collection: String
    let claimSeconds: Double
    /// Unique among workers: the name of the pod, or of the machine, and the process.
    let worker = "\(hostName())/\(getpid())"

    /// Takes the oldest video that waits and that nobody works on; nil when there is none.
    ///
    /// With an `id` only that one.
    func claim(_ id: BSONValue? = nil) async throws -> Video? {
        let isFree: BSONValue = [
            ["claimedUntil": ["$exists": false]],
            ["$expr": ["$lt": ["$claimedUntil", "$$NOW"]]],
        ]
        var filter: BSONDocument = ["type": "mp4", "state": "waiting", "$or": isFree]
        if let id { filter.append("_id", id) }
        let chosen = filter
        let update = BSONDocument.pipeline([
            ["$set": ["claimedBy": .string(self.worker), "claimedUntil": self.claimEnd, "startTimeStamp": "$$NOW"]]
        ])
        let document = try await self.run { collection throws(MongoError) in
            try collection.findAndModify(chosen, sort: ["_id": 1], update: update)
        }
        guard let document, let id = document["_id"] else { return nil }
        return Video(id: id, name: document["url"]?.string ?? id.canonicalJSON)
    }

    /// Holds a claim for longer.
    func renew(_ video: Video) async throws {
        try await self.change(video, by: .pipeline([["$set": ["claimedUntil": self.claimEnd]]]))
    }

    /// Takes a video out of the count.
    func finish(_ video: Video) async throws {
        try await self.change(
            video,
            by: .pipeline([
                ["$set": ["state": "finished", "endTimeStamp": "$$NOW"]],
                ["$unset": ["claimedBy", "claimedUntil"]],
            ])
        )
    }

    /// Gives a video back, for the next worker.
    func release(_ video: Video) async throws {
        try await self.change(video, by: .pipeline([["$unset": ["claimedBy", "claimedUntil", "startTimeStamp"]]]))
    }

    /// Changes a video if it is still ours.
    private func change(_ video: Video, by update: BSONDocument) async throws {
        let filter: BSONDocument = ["_id": video.id, "claimedBy": .string(self.worker)]
        let isOurs = try await self.run { collection throws(MongoError) in
            try collection.updateOne(filter, update: update)
        }
        guard isOurs else { throw LostClaim() }
    }

    private var claimEnd: BSONValue {
        ["$add": ["$$NOW", .int64(Int64(self.claimSeconds * 1000))]]
    }

    private func run<Result: Sendable>(
        _ body: @escaping @Sendable (borrowing MongoCollection) throws(MongoError) -> Result
    ) async throws -> Result {
        try await self.pool.run { client throws(MongoError) in
            try client.withCollection(self.collection, in: self.database, body)
        }
    }
}

/// The claim ran out, and another worker may have the video now.
struct LostClaim: Error, CustomStringConvertible {
    let description = "the claim was lost: it ran out before it could be renewed"
}

/// Writes a line at once; `print` would hold it back when nobody watches.
func say(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

private func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "worker" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
