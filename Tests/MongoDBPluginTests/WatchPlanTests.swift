import MongoDB
import PluginKit
import Testing

@testable import MongoDBPlugin

@Suite struct WatchPlanTests {
    private let first = TriggerHandle(number: 1)
    private let second = TriggerHandle(number: 2)

    private func event(_ collection: String, _ document: BSONDocument) -> BSONDocument {
        ["operationType": "insert", "ns": ["coll": .string(collection)], "fullDocument": .document(document)]
    }

    @Test func eventsConcernOnlyThoseWhoseEqualitiesHold() {
        var plan = WatchPlan()
        plan.add(self.first, collection: "videos", query: ["type": "mp4", "state": "waiting"])
        plan.add(self.second, collection: "videos", query: ["type": "mkv", "state": "waiting"])
        #expect(plan.triggers(concernedBy: self.event("videos", ["type": "mp4", "state": "waiting"])) == [self.first])
        #expect(plan.triggers(concernedBy: self.event("videos", ["type": "mkv", "state": "waiting"])) == [self.second])
        #expect(plan.triggers(concernedBy: self.event("sounds", ["type": "mkv", "state": "waiting"])) == [])
        // An array may contain the value: the count will tell.
        let both = plan.triggers(concernedBy: self.event("videos", ["type": ["mp4", "mkv"], "state": "waiting"]))
        #expect(Set(both ?? []) == [self.first, self.second])
    }

    @Test func numbersOfDifferentWidthAreCompared() {
        var plan = WatchPlan()
        plan.add(self.first, collection: "videos", query: ["size": 3])
        #expect(plan.triggers(concernedBy: self.event("videos", ["size": .int64(3)])) == [self.first])
        #expect(plan.triggers(concernedBy: self.event("videos", ["size": .double(3)])) == [self.first])
        #expect(plan.triggers(concernedBy: self.event("videos", ["size": .int64(4)])) == [])
    }

    @Test func dropEndsTheStreamForEverybody() {
        var plan = WatchPlan()
        plan.add(self.first, collection: "videos", query: ["state": "waiting"])
        #expect(plan.triggers(concernedBy: ["operationType": "drop", "ns": ["coll": "videos"]]) == nil)
    }

    @Test func sameQueryNeedsNoNewStream() {
        var plan = WatchPlan()
        plan.add(self.first, collection: "videos", query: ["state": "waiting"])
        let version = plan.version
        plan.add(self.second, collection: "videos", query: ["state": "waiting"])
        #expect(plan.version == version)
        plan.add(TriggerHandle(number: 3), collection: "videos", query: ["state": "new"])
        #expect(plan.version > version)
        #expect(plan.triggers(since: version) == [TriggerHandle(number: 3)])
    }

    @Test func queryMovesToTheFieldsOfTheEvent() {
        let filter = ChangeFilter([
            "state": "waiting", "a.b": ["$gt": 1], "$or": [["x": 1], ["$and": [["y": 2]]]],
        ])
        #expect(
            filter.onServer == [
                "fullDocument.state": "waiting", "fullDocument.a.b": ["$gt": 1],
                "$or": [["fullDocument.x": 1], ["$and": [["fullDocument.y": 2]]]],
            ]
        )
        #expect(ChangeFilter(["$expr": ["$gt": ["$a", "$b"]]]).onServer == nil)
        #expect(ChangeFilter(["$or": [["$text": ["$search": "x"]]]]).onServer == nil)
    }

    @Test func manyQueriesAreNotTriedByTheServer() {
        var plan = WatchPlan()
        for number in 0..<200 {
            plan.add(TriggerHandle(number: UInt64(number)), collection: "videos", query: ["n": .int64(Int64(number))])
        }
        let match = plan.pipeline(filtersOnServer: true).first?.document?["$match"]?.document
        #expect(match?["$or"]?.array?.last?.document?["$or"] == nil)
        #expect(plan.triggers(concernedBy: self.event("videos", ["n": 7])) == [TriggerHandle(number: 7)])
    }
}
