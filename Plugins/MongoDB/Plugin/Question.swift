internal import MongoDB
internal import PluginKit
internal import PluginProtocol

/// What is asked of a server for one or several triggers.
struct Question: Sendable, Hashable {
    let connection: ConnectionSettings
    let source: TriggerSettings.Source
    let maximumItems: Int

    /// The largest document that travels with its item.
    static let payloadLimit = 4096

    /// Asks; blocks.
    func ask(_ client: borrowing MongoClient, within milliseconds: Int64) throws(MongoError) -> Reading {
        try client.withCollection(self.source.collection, in: self.source.database) { collection throws(MongoError) in
            let waiting = try collection.count(self.source.query, within: milliseconds)
            var reading = Reading(waiting: Double(waiting), observedAtMilliseconds: UnixTime.milliseconds())
            if self.maximumItems > 0, waiting > 0 {
                reading.items = try collection.aggregate(self.itemPipeline, within: milliseconds).compactMap(Self.item)
            }
            return reading
        }
    }

    /// The oldest identifiers first; documents that are too large stay on the server.
    private var itemPipeline: [BSONValue] {
        [
            ["$match": .document(self.source.query)],
            ["$sort": ["_id": 1]],
            ["$limit": .int64(Int64(self.maximumItems))],
            [
                "$project": [
                    "document": [
                        "$cond": [
                            ["$lte": [["$bsonSize": "$$ROOT"], .int64(Int64(Self.payloadLimit))]], "$$ROOT", .null,
                        ]
                    ]
                ]
            ],
        ]
    }

    private static func item(_ document: BSONDocument) -> Reading.Item? {
        guard let identifier = document["_id"] else { return nil }
        let payload = document["document"]?.document.map { Array($0.json(.relaxed).utf8) } ?? []
        return Reading.Item(
            key: Array(identifier.canonicalJSON.utf8),
            payload: payload.count <= Self.payloadLimit ? payload : []
        )
    }
}

/// The requests of one measure call, sorted by what has to be asked: equal questions are asked once.
struct QuestionList: Sendable {
    private(set) var triggersByQuestion: [Question: [TriggerHandle]] = [:]

    mutating func add(_ question: Question, for trigger: TriggerHandle) {
        self.triggersByQuestion[question, default: []].append(trigger)
    }
}
