internal import MongoDB
internal import PluginKit
internal import PluginProtocol

/// What is asked of a server for one or several triggers.
struct Question: Sendable, Hashable {
    let connection: ConnectionSettings
    let source: TriggerSettings.Source
    /// What is asked besides the number; nil for nothing.
    let items: Items?

    struct Items: Sendable, Hashable {
        let query: ItemQuery
        let maximum: Int
    }

    /// Asks; blocks.
    func ask(_ client: borrowing MongoClient, within milliseconds: Int64) throws(MongoError) -> Reading {
        try client.withCollection(self.source.collection, in: self.source.database) { collection throws(MongoError) in
            let waiting = try collection.count(self.source.query, within: milliseconds)
            var reading = Reading(waiting: Double(waiting), observedAtMilliseconds: UnixTime.milliseconds())
            if let items, waiting > 0 {
                let pipeline = items.query.pipeline(self.source.query, count: items.maximum)
                reading.items = try collection.aggregate(pipeline, within: milliseconds).compactMap(items.query.item)
            }
            return reading
        }
    }
}

/// The requests of one measure call, sorted by what has to be asked: equal questions are asked once.
struct QuestionList: Sendable {
    private(set) var triggersByQuestion: [Question: [TriggerHandle]] = [:]

    mutating func add(_ question: Question, for trigger: TriggerHandle) {
        self.triggersByQuestion[question, default: []].append(trigger)
    }
}
