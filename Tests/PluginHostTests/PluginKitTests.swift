import NIOConcurrencyHelpers
import PluginHost
import PluginKit
import PluginPeers
import PluginProtocol
import Testing

/// A plugin of this process that does what a test wants and remembers what it was asked.
private final class RecordingPlugin: Plugin {
    typealias MeasureBody = @Sendable ([MeasureRequest], MeasureReport) async -> Void

    let name = "recording"
    let version = "1"
    let triggerTypes = [
        TriggerTypeDeclaration(type: "recording", help: "", parameters: [], capabilities: .init(push: true))
    ]
    let opened = NIOLockedValueBox<[TriggerHandle]>([])
    let closed = NIOLockedValueBox<[TriggerHandle]>([])
    let notifiers = NIOLockedValueBox<[ChangeNotifier]>([])
    private let body: MeasureBody

    init(
        _ body: @escaping MeasureBody = { requests, report in
            for request in requests { report(request.trigger, .success(Reading(waiting: 1))) }
        }
    ) {
        self.body = body
    }

    func open(_ trigger: TriggerRequest, changes: ChangeNotifier) async throws -> OpenedTrigger {
        self.opened.withLockedValue { $0.append(trigger.handle) }
        self.notifiers.withLockedValue { $0.append(changes) }
        // A change before the host knows that the trigger is open is not lost.
        changes()
        return OpenedTrigger(target: 1, push: .available)
    }

    func measure(_ requests: [MeasureRequest], report: MeasureReport) async {
        await self.body(requests, report)
    }

    func close(_ trigger: TriggerHandle) async {
        self.closed.withLockedValue { $0.append(trigger) }
    }
}

@Suite struct PluginKitTests {
    @Test func everyTriggerThatWasOpenedIsClosedOnce() async throws {
        let plugin = RecordingPlugin()
        try await HubFixture.with { hub in
            try await hub.with(plugin) {
                let (kept, removed) = (hub.trigger("kept"), hub.trigger("removed"))
                #expect(await hub.open(kept, "recording"))
                #expect(await hub.open(removed, "recording"))
                #expect(await hub.measure(removed)?.waiting(of: removed) == 1)
                hub.hub.remove(removed)
                #expect(await hub.measure(kept)?.waiting(of: kept) == 1)
            }
        }
        let (opened, closed) = (plugin.opened.withLockedValue(\.self), plugin.closed.withLockedValue(\.self))
        #expect(opened.count == 2)
        #expect(Set(opened) == Set(closed))
        #expect(closed.count == 2)
        #expect(closed.first == opened.last)
    }

    @Test func readingsArriveAsTheyBecomeKnown() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let plugin = RecordingPlugin { requests, report in
            guard let first = requests.first, let last = requests.last else { return }
            report(first.trigger, .success(Reading(waiting: 1)))
            var gate = gate.makeAsyncIterator()
            await gate.next()
            report(last.trigger, .success(Reading(waiting: 2)))
            report(last.trigger, .success(Reading(waiting: 3)))
        }
        try await HubFixture.with { hub in
            try await hub.with(plugin) {
                let (quick, slow) = (hub.trigger("quick"), hub.trigger("slow"))
                #expect(await hub.open(quick, "recording"))
                #expect(await hub.open(slow, "recording"))
                hub.hub.measure([quick, slow])
                #expect(await hub.events.first { $0.waiting(of: quick) == 1 } != nil)
                open.yield()
                #expect(await hub.events.first { $0.waiting(of: slow) != nil }?.waiting(of: slow) == 2)
            }
        }
    }

    @Test func whatIsNotReportedIsUnknown() async throws {
        let plugin = RecordingPlugin { _, _ in }
        try await HubFixture.with { hub in
            try await hub.with(plugin) {
                let id = hub.trigger("a")
                #expect(await hub.open(id, "recording"))
                #expect(await hub.measure(id)?.unknown(of: id)?.contains("did not report") == true)
            }
        }
    }

    @Test func slowReadingIsAnsweredAsTimedOutByThePluginItself() async throws {
        let plugin = RecordingPlugin { _, _ in try? await Task.sleep(for: .seconds(3600)) }
        try await HubFixture.with({ $0.session.measureTimeout = .seconds(3) }) { hub in
            try await hub.with(plugin) {
                let id = hub.trigger("a")
                #expect(await hub.open(id, "recording"))
                #expect(await hub.measure(id)?.unknown(of: id)?.contains("the source did not answer in time") == true)
            }
        }
    }

    @Test func changesBeforeTheHostLooksAreOne() async throws {
        let plugin = RecordingPlugin()
        try await HubFixture.with { hub in
            try await hub.with(plugin) {
                let id = hub.trigger("a")
                let isChange: @Sendable (PluginEvent) -> Bool = { if case .changed(id) = $0 { true } else { false } }
                #expect(await hub.open(id, "recording"))
                #expect(await hub.events.first(where: isChange) != nil)
                #expect(await hub.measure(id)?.waiting(of: id) == 1)
                let mark = hub.events.mark
                for _ in 0..<1000 {
                    plugin.notifiers.withLockedValue(\.self).forEach { $0() }
                }
                #expect(await hub.events.first(after: mark, where: isChange) != nil)
                #expect(await hub.measure(id)?.waiting(of: id) == 1)
                #expect(hub.events.history.dropFirst(mark).count(where: isChange) == 1)
            }
        }
    }

    @Test func tenThousandTriggersAreReadInChunks() async throws {
        let plugin = RecordingPlugin()
        try await HubFixture.with({ $0.session.maximumTriggersPerMeasure = 3000 }) { hub in
            try await hub.with(plugin) {
                let ids = (0..<10_000).map { hub.trigger("\($0)") }
                for id in ids {
                    hub.hub.set(id, revision: 1, to: hub.specification("recording"))
                }
                let unopened = NIOLockedValueBox(Set(ids))
                let allOpened = await hub.events.first(within: .seconds(60)) { event in
                    guard case .opened(let id, revision: _, _) = event else { return false }
                    return unopened.withLockedValue { $0.remove(id) != nil && $0.isEmpty }
                }
                #expect(allOpened != nil)
                hub.hub.measure(ids)
                let unread = NIOLockedValueBox(Set(ids))
                let allRead = await hub.events.first(within: .seconds(60)) { event in
                    guard case .reading(let id, revision: _, _, askedAt: _) = event else { return false }
                    return unread.withLockedValue { $0.remove(id) != nil && $0.isEmpty }
                }
                #expect(allRead != nil)
            }
        }
    }

    @Test func itemsOfManyReadingsAreSpreadOverFrames() async throws {
        let plugin = RecordingPlugin { requests, report in
            for request in requests {
                let items = (0..<request.maximumItems).map {
                    Reading.Item(key: Array("\($0)".utf8), payload: [UInt8](repeating: 7, count: 4096))
                }
                report(request.trigger, .success(Reading(waiting: 9, items: items)))
            }
        }
        try await HubFixture.with { hub in
            try await hub.with(plugin) {
                let ids = (0..<10).map { hub.trigger("\($0)") }
                for id in ids {
                    #expect(await hub.open(id, "recording"))
                }
                hub.hub.measure(Dictionary(uniqueKeysWithValues: ids.map { ($0, 100) }))
                for id in ids {
                    let event = await hub.events.first { $0.waiting(of: id) == 9 }
                    guard case .reading(_, revision: _, let reading, askedAt: _) = event else {
                        Issue.record("no reading")
                        return
                    }
                    #expect(reading.items.count == 100)
                }
            }
        }
    }
}
