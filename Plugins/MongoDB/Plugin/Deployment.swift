internal import MongoDB
internal import PluginProtocol

/// What is at the other end.
struct Deployment: Sendable {
    /// Whether it has change streams.
    let push: OpenedTrigger.Push

    /// Connects, and has the server plan a query without running it: a query that cannot work is found now.
    static func inspect(
        _ client: borrowing MongoClient,
        _ source: TriggerSettings.Source
    ) throws(MongoError) -> Deployment {
        let push: OpenedTrigger.Push
        do {
            let hello = try client.command(["hello": 1], on: "admin")
            if hello["setName"] != nil || hello["msg"]?.string == "isdbgrid" {
                push = .available
            } else {
                push = .unavailable(reason: "a standalone MongoDB has no change streams; make it a replica set")
            }
        } catch  where error.domain == .server && error.code == 59 {
            push = .unavailable(reason: "MongoDB before 4.4.2 is polled only")
        }
        do {
            let aggregate: BSONDocument = [
                "aggregate": .string(source.collection),
                "pipeline": [["$match": .document(source.query)]],
                "cursor": [:],
            ]
            try client.command(
                ["explain": .document(aggregate), "verbosity": "queryPlanner"],
                on: source.database
            )
        } catch  where error.domain == .server && Self.saysNothingAboutTheQuery(error.code) {
            // A server that has no `explain`, or plans on another one that is away now: counting will tell.
        }
        return Deployment(push: push)
    }

    private static func saysNothingAboutTheQuery(_ code: UInt32) -> Bool {
        ![2, 9, 13, 14, 73, 168, 51091].contains(code)
    }
}
