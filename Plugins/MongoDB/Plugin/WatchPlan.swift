internal import MongoDB
internal import PluginKit

/// What one change stream looks for, and whom an event concerns, without I/O.
struct WatchPlan: Sendable {
    /// Grows with every change: a stream of an older version must be opened anew.
    private(set) var version: UInt64 = 0
    private var subscriptions: [TriggerHandle: Subscription] = [:]

    private struct Subscription: Sendable {
        let collection: String
        let filter: ChangeFilter
        let since: UInt64
    }

    /// More different queries than this on one collection are too much for the server to try on each change.
    private static let filtersPerCollection = 100
    /// More fields than this are not compared here.
    private static let comparedFields = 16

    /// Whether nobody wants to know anything.
    var isEmpty: Bool { self.subscriptions.isEmpty }

    /// Everybody.
    var triggers: [TriggerHandle] { Array(self.subscriptions.keys) }

    mutating func add(_ trigger: TriggerHandle, collection: String, query: BSONDocument) {
        let filter = ChangeFilter(query)
        // A stream that looks for the very same changes does for this trigger as well, as soon as it is open.
        let twin = self.subscriptions.values.first { $0.collection == collection && $0.filter == filter }
        if twin == nil { self.version += 1 }
        self.subscriptions[trigger] = Subscription(
            collection: collection,
            filter: filter,
            since: twin?.since ?? self.version
        )
    }

    /// Leaves the stream as it is: events for nobody are rare, and a new stream costs more.
    mutating func remove(_ trigger: TriggerHandle) {
        self.subscriptions[trigger] = nil
    }

    /// Those whose changes only streams of later versions than this show.
    func triggers(since version: UInt64) -> [TriggerHandle] {
        self.subscriptions.filter { $0.value.since > version }.map(\.key)
    }

    /// The only collection watched; nil when there are several, and the whole database is watched.
    var onlyCollection: String? {
        let collections = Set(self.subscriptions.values.map(\.collection))
        return collections.count == 1 ? collections.first : nil
    }

    /// The stages that a change stream gets; without the queries after the server has refused one in a change stream.
    func pipeline(filtersOnServer: Bool) -> [BSONValue] {
        var branches: [BSONValue] = [
            ["operationType": ["$in": ["drop", "rename", "dropDatabase", "invalidate"]]]
        ]
        let byCollection = Dictionary(grouping: self.subscriptions.values, by: \.collection)
        for (collection, subscriptions) in byCollection.sorted(by: { $0.key < $1.key }) {
            var branch: BSONDocument = [
                "operationType": ["$in": ["insert", "update", "replace"]],
                "ns.coll": .string(collection),
            ]
            let filters = Set(subscriptions.map(\.filter.onServer))
            let known = filters.compactMap(\.self)
            if filtersOnServer, known.count == filters.count, known.count <= Self.filtersPerCollection {
                branch.append("$or", .array(known.map(BSONValue.document)))
            }
            branches.append(.document(branch))
        }
        var projection: BSONDocument = ["operationType": 1, "ns": 1]
        let fields = self.comparedFields
        for field in fields {
            projection.append("fullDocument.\(field)", 1)
        }
        return [["$match": ["$or": .array(branches)]], ["$project": .document(projection)]]
    }

    /// Whom an event concerns; nil when the stream itself ends with it, and everybody shall look.
    func triggers(concernedBy event: BSONDocument) -> [TriggerHandle]? {
        switch event["operationType"]?.string {
        case "insert", "update", "replace": break
        default: return nil
        }
        let collection = event["ns"]?.document?["coll"]?.string
        let document = self.comparedFields.isEmpty ? nil : event["fullDocument"]?.document
        return self.subscriptions.filter { subscription in
            subscription.value.collection == collection && subscription.value.filter.mayMatch(document)
        }.map(\.key)
    }

    /// The fields that events carry so that they can be compared here; none when they would be too many.
    private var comparedFields: [String] {
        let fields = Set(self.subscriptions.values.flatMap(\.filter.equalities.keys))
        return fields.count <= Self.comparedFields ? fields.sorted() : []
    }
}
