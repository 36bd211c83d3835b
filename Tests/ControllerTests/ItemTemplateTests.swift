import Controller
import Kubernetes
import PluginProtocol
import Scaling
import Testing

/// What a Job says about its item, and what its containers are told.
@Suite struct ItemTemplateTests {
    private static let podSpec: JSONValue = [
        "containers": [
            [
                "name": "main", "image": "worker",
                "env": [["name": "SLUICE_ITEM_KEY", "value": "mine"], ["name": "A"]],
            ],
            ["name": "side", "image": "side"],
        ],
        "initContainers": [["name": "first", "image": "first"]],
    ]

    private func template(carriesItems: Bool = true) throws -> JobTemplate {
        let scaledJob = ScaledJob(
            metadata: ObjectMetadata(
                name: "transcode",
                namespace: "media",
                uid: "7c1f",
                annotations: ["note": "sluice-item-key-goes-here"]
            ),
            spec: nil
        )
        return try JobTemplate(
            for: scaledJob,
            jobTargetRef: ["template": ["spec": Self.podSpec]],
            version: "1",
            carriesItems: carriesItems
        )
    }

    private func job(_ item: Reading.Item) throws -> JSONValue {
        let listing = ItemListing(Reading(waiting: 1, items: [item]), asked: 9, askedAt: .now)
        let order = ItemOrder(name: "n-1", item: try #require(listing.items.first), attempt: 2)
        return try JSONValue(parsing: try self.template().carrying(order).body(name: order.name))
    }

    private func variables(_ job: JSONValue, _ field: String, _ index: Int) -> [String: String] {
        let container = job[path: "spec", "template", "spec"]?[field]?.arrayValue?[index]
        let pairs = (container?["env"]?.arrayValue ?? []).map {
            ($0["name"]?.stringValue ?? "", $0["value"]?.stringValue ?? "")
        }
        return Dictionary(pairs) { first, _ in "\(first) twice" }
    }

    @Test func everyContainerLearnsTheItem() throws {
        let job = try self.job(Reading.Item(key: Array("a/b".utf8), payload: Array(#"{"url":"x"}"#.utf8)))
        let expected = [
            "SLUICE_ITEM_KEY": "a/b", "SLUICE_ITEM_PAYLOAD": #"{"url":"x"}"#, "SLUICE_ITEM_PAYLOAD_ENCODING": "text",
        ]
        #expect(self.variables(job, "containers", 0) == expected.merging(["A": ""]) { $1 })
        #expect(self.variables(job, "containers", 1) == expected)
        #expect(self.variables(job, "initContainers", 0) == expected)
        #expect(job[path: "metadata", "name"] == "n-1")
        #expect(job[path: "metadata", "annotations"]?["sluice.dev/item-key"] == "a/b")
        #expect(job[path: "metadata", "annotations"]?["sluice.dev/item-attempt"] == "2")
    }

    @Test(arguments: ["$(HOME) $$ $", "\"}]\\", "line\nbreak\u{1}", "ü 🎬", "sluice-item-payload-goes-here"])
    func whateverIsInAKeyArrivesAsItIs(text: String) throws {
        let job = try self.job(Reading.Item(key: Array(text.utf8), payload: Array(text.utf8)))
        let variables = self.variables(job, "containers", 0)
        // As the kubelet, and the host that runs local processes, would expand it.
        #expect(variables["SLUICE_ITEM_KEY"] == text.replacing("$", with: "$$"))
        #expect(variables["SLUICE_ITEM_PAYLOAD"] == text.replacing("$", with: "$$"))
        #expect(job[path: "metadata", "annotations"]?["sluice.dev/item-key"] == .string(text))
    }

    @Test(arguments: [[0xFF, 0x00], [0x61, 0x00, 0x62], [0xC3]] as [[UInt8]])
    func aPayloadThatIsNoTextIsBase64(payload: [UInt8]) throws {
        let job = try self.job(Reading.Item(key: Array("k".utf8), payload: payload))
        let variables = self.variables(job, "containers", 0)
        #expect(variables["SLUICE_ITEM_PAYLOAD_ENCODING"] == "base64")
        let texts: [[UInt8]: String] = [[0xFF, 0]: "/wA=", [0x61, 0, 0x62]: "YQBi", [0xC3]: "ww=="]
        #expect(variables["SLUICE_ITEM_PAYLOAD"] == texts[payload])
    }

    @Test func aKeyThatIsNoTextIsNoItem() {
        let items = [[0xFF], [0x61, 0], [0x62]].map { Reading.Item(key: $0) }
        let listing = ItemListing(Reading(waiting: 3, items: items), asked: 9, askedAt: .now)
        #expect(listing.items.map(\.key) == ["b"])
        #expect(listing.unusable == 2)
        #expect(listing.isComplete)
    }

    @Test func theHashIsThatOfTheManifestAlone() throws {
        let (with, without) = (try self.template(), try self.template(carriesItems: false))
        #expect(with.hash == without.hash)
        #expect(with.carriesItems && !without.carriesItems)
        let trial = try JSONValue(parsing: with.body(name: "trial"))
        #expect(self.variables(trial, "containers", 1)["SLUICE_ITEM_KEY"] == "trial")
        let ordinary = try JSONValue(parsing: without.body(name: "n"))
        #expect(self.variables(ordinary, "containers", 0) == ["SLUICE_ITEM_KEY": "mine", "A": ""])
        #expect(ordinary[path: "metadata", "annotations"]?["sluice.dev/item-key"] == nil)
    }
}
