import MongoDB

/// The collections of one MongoDB.
struct Documents: Sendable {
    let uri: String
    let port: Int
    private let pool: MongoPool

    init(port: Int) {
        self.port = port
        self.uri = "mongodb://127.0.0.1:\(port)/?directConnection=true"
        self.pool = MongoPool(MongoPool.Configuration(uri: self.uri))
    }

    /// Inserts waiting documents in one command; says when it was sent and when it was answered.
    func insert(
        _ count: Int,
        into collection: String
    ) async throws -> (sentAt: ContinuousClock.Instant, answeredAt: ContinuousClock.Instant) {
        let documents = (0..<count).map { number in
            BSONValue.document(["state": "waiting", "url": .string("https://media.example/\(number).mp4")])
        }
        let command: BSONDocument = ["insert": .string(collection), "documents": .array(documents)]
        return try await self.pool.run { client throws(MongoError) in
            let sentAt = ContinuousClock.now
            try client.command(command, on: "media")
            return (sentAt, .now)
        }
    }

    func removeAll(from collection: String) async throws {
        let all: BSONValue = .document(["q": [:], "limit": 0])
        let command: BSONDocument = ["delete": .string(collection), "deletes": .array([all])]
        try await self.pool.run { client throws(MongoError) in
            _ = try client.command(command, on: "media")
        }
    }
}
