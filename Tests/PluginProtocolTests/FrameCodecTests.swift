import NIOCore
import NIOTestUtils
import PluginProtocol
import Testing

/// One frame of each kind, with every field set, and some with none.
let sampleFrames: [Frame] = [
    Frame(
        .register(
            Frame.Register(
                name: "mongodb",
                version: "1.0 ☂",
                protocolVersions: [1, 2],
                triggerTypes: [
                    TriggerTypeDeclaration(
                        type: "mongodb",
                        help: "Counts documents.",
                        parameters: [
                            ParameterDeclaration("plain", help: ""),
                            ParameterDeclaration(
                                "mode",
                                .oneOf(["a", "b"]),
                                required: true,
                                secret: true,
                                default: "",
                                from: [.authentication, .environment, .metadata],
                                aliases: ["m"],
                                help: "Which."
                            ),
                            ParameterDeclaration("i", .integer, help: ""), ParameterDeclaration("n", .number, help: ""),
                            ParameterDeclaration("b", .boolean, help: ""),
                            ParameterDeclaration("d", .duration, help: ""),
                            ParameterDeclaration("j", .jsonObject, default: "{}", help: ""),
                        ],
                        capabilities: .init(push: true, items: true, inFlight: true)
                    )
                ]
            )
        )
    ),
    Frame(
        .registered(
            Frame.Registered(
                protocolVersion: 1,
                hostVersion: "0.1",
                openTimeout: .seconds(10),
                measureTimeout: .milliseconds(1500),
                pingInterval: .seconds(5),
                pingTimeout: .seconds(9),
                maximumTriggersPerMeasure: 10_000
            )
        )
    ),
    Frame(.rejected(Frame.Rejected(.unsupported, "no"))),
    Frame(call: 1, .open(Frame.Open(trigger: 7, type: "t", scaledJob: "a/b", parameters: ["x": "", "y": "ü"]))),
    Frame(call: .max, .opened(OpenedTrigger(target: 0.5, activation: -1, counts: .untilClaimed, push: .available))),
    Frame(call: 3, .opened(OpenedTrigger(target: 5, push: .unavailable(reason: "standalone server")))),
    Frame(call: 3, .opened(OpenedTrigger(target: 5, metricName: "mongodb-video's"))),
    Frame(.close(trigger: .max)),
    Frame(call: 4, .measure(Frame.Measure(triggers: [1, 2, .max], timeout: .seconds(10), maximumItems: 3))),
    Frame(
        call: 4,
        .measured(
            [
                TriggerReading(trigger: 1, outcome: .success(Reading(waiting: 0))),
                TriggerReading(
                    trigger: 2,
                    outcome: .success(
                        Reading(
                            waiting: 1e300,
                            inFlight: 0,
                            oldestAge: .milliseconds(1),
                            isActive: false,
                            observedAtMilliseconds: 1_700_000_000_000,
                            items: [.init(key: [0, 1, 255]), .init(key: [9], payload: [1, 2])]
                        )
                    )
                ),
                TriggerReading(
                    trigger: .max,
                    outcome: .failure(PluginFailure(.throttled, "slow", parameter: "p", retryAfter: .seconds(3)))
                ),
            ],
            more: true
        )
    ),
    Frame(.changed(triggers: [3, 1])),
    Frame(call: 5, .ping),
    Frame(call: 5, .pong),
    Frame(.cancel(call: 12)),
    Frame(.drain(reason: "bye")),
    Frame(call: 6, .failure(PluginFailure(.unknownTrigger, ""))),
    Frame(.unknown),
]

func encoded(_ frames: [Frame]) throws -> ByteBuffer {
    var buffer = ByteBuffer()
    let codec = FrameCodec()
    for frame in frames {
        try codec.encode(frame, into: &buffer)
    }
    return buffer
}

@Suite struct FrameCodecTests {
    @Test(arguments: sampleFrames)
    func everyFrameComesBackAsItWas(_ frame: Frame) throws {
        var buffer = try encoded([frame])
        var decoder = FrameDecoder()
        #expect(try decoder.decode(buffer: &buffer) == frame)
        #expect(buffer.readableBytes == 0)
    }

    @Test func framesAreCutAlikeHoweverTheirBytesArrive() throws {
        let pairs = try sampleFrames.map { (try encoded([$0]), [$0]) }
        try ByteToMessageDecoderVerifier.verifyDecoder(inputOutputPairs: pairs) { FrameDecoder() }
    }

    @Test func lengthBeyondTheLimitIsRefusedBeforeTheBytesCome() {
        var buffer = ByteBuffer(integer: UInt32(1 << 31))
        var decoder = FrameDecoder()
        #expect(throws: FrameError.oversized(bytes: 1 << 31, limit: 1 << 20)) { try decoder.decode(buffer: &buffer) }
    }

    @Test func frameBeyondTheLimitIsNotSent() {
        let open = Frame.Open(
            trigger: 1,
            type: "t",
            scaledJob: "a/b",
            parameters: ["x": String(repeating: "x", count: 1 << 20)]
        )
        var buffer = ByteBuffer()
        #expect(throws: FrameError.self) { try FrameCodec().encode(Frame(call: 1, .open(open)), into: &buffer) }
        #expect(buffer.readableBytes == 0)
    }

    @Test func emptySubmessagesStopAtTheMemoryBudget() throws {
        // Measured (field 9) with half a million empty readings: 1 MiB that would become more than 30 MiB.
        let count = (1 << 19) - 8
        var body = ByteBuffer()
        for _ in 0..<count {
            body.writeBytes([0x0a, 0x00])
        }
        var bytes = ByteBuffer(bytes: [0x4a])
        var length = UInt64(body.readableBytes)
        while length >= 0x80 {
            bytes.writeInteger(UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        bytes.writeInteger(UInt8(length))
        bytes.writeBuffer(&body)
        let codec = FrameCodec()
        let hostile = bytes
        #expect(throws: FrameError.memoryExceeded(limit: ProtocolLimits.messageMemoryBytes)) {
            try codec.decode(hostile)
        }
        // The codec works as before.
        var good = try encoded([Frame(call: 1, .ping)])
        good.moveReaderIndex(forwardBy: 4)
        #expect(try codec.decode(good) == Frame(call: 1, .ping))
    }

    @Test(arguments: [[0x61, 0x00, 0x62], [0xff, 0xfe]] as [[UInt8]])
    func namesWithNULOrWithoutUTF8AreRefused(_ name: [UInt8]) {
        // Frame.register (2) { name (1) }.
        let field: [UInt8] = [0x0a, UInt8(name.count)] + name
        let bytes: [UInt8] = [0x12, UInt8(field.count)] + field
        #expect(throws: FrameError.invalidText(field: "Register.name")) {
            try FrameCodec().decode(ByteBuffer(bytes: bytes))
        }
    }

    @Test(arguments: [Double.nan, .infinity, -1])
    func readingThatIsNoNumberFailsItsTriggerOnly(_ waiting: Double) throws {
        var buffer = try encoded([
            Frame(
                call: 1,
                .measured(
                    [
                        TriggerReading(trigger: 1, outcome: .success(Reading(waiting: waiting))),
                        TriggerReading(trigger: 2, outcome: .success(Reading(waiting: 2))),
                    ],
                    more: false
                )
            )
        ])
        var decoder = FrameDecoder()
        guard case .measured(let readings, more: false) = try decoder.decode(buffer: &buffer)?.body else {
            Issue.record("no Measured")
            return
        }
        #expect(throws: PluginFailure.self) { try readings[0].outcome.get() }
        #expect(readings[1] == TriggerReading(trigger: 2, outcome: .success(Reading(waiting: 2))))
    }

    @Test func readingWithoutOutcomeIsAFailure() throws {
        // Frame.measured (9) { readings (1) { trigger (1) = 5 } }.
        let frame = try FrameCodec().decode(ByteBuffer(bytes: [0x4a, 0x04, 0x0a, 0x02, 0x08, 0x05]))
        guard case .measured(let readings, more: false) = frame.body else {
            Issue.record("no Measured")
            return
        }
        #expect(readings.map(\.trigger) == [5])
        #expect(throws: PluginFailure.self) { try readings[0].outcome.get() }
    }

    @Test func targetThatNobodyCanDivideByIsAFailure() throws {
        var buffer = try encoded([Frame(call: 2, .opened(OpenedTrigger(target: 0)))])
        var decoder = FrameDecoder()
        guard case .failure(let failure) = try decoder.decode(buffer: &buffer)?.body else {
            Issue.record("no Failure")
            return
        }
        #expect(failure.code == .protocolError)
    }

    @Test func messagesForPeopleAreCutBetweenCharacters() throws {
        let long = String(repeating: "ä", count: 1000)
        var buffer = try encoded([Frame(.drain(reason: "x" + long))])
        var decoder = FrameDecoder()
        #expect(try decoder.decode(buffer: &buffer)?.body == .drain(reason: "x" + String(long.prefix(511))))
    }

    /// Flips, cuts and splices valid frames; nothing may crash, and the memory stays within its budget.
    @Test(arguments: 0..<8)
    func brokenBytesNeverDoHarm(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        let samples = try sampleFrames.map { Array(try encoded([$0]).readableBytesView.dropFirst(4)) }
        let codec = FrameCodec()
        var decoded = 0
        for _ in 0..<4000 {
            var bytes = samples[Int.random(in: 0..<samples.count, using: &random)]
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: position)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
                default: bytes.insert(contentsOf: samples.randomElement(using: &random) ?? [], at: position)
                }
            }
            if let frame = try? codec.decode(ByteBuffer(bytes: bytes)) {
                decoded += 1
                var buffer = ByteBuffer()
                try? codec.encode(frame, into: &buffer)
            }
        }
        #expect(decoded > 0)
    }
}

/// Random numbers that a seed reproduces.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        self.state = seed &+ 1
    }

    mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return self.state ^ (self.state >> 29)
    }
}
