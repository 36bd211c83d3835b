internal import ArgumentParser
internal import Glibc
internal import MongoDB
internal import UnixSignals

/// Transcodes one waiting video and ends: what a Job of the transcoding example runs.
///
/// With one Job per item that is the video of `SLUICE_ITEM_KEY`, otherwise the oldest.
///
/// The document stays `waiting`, and so stays counted, until it is finished. That is why each document has exactly one Job;
/// the claim only keeps two Jobs from taking the same one.
@main
struct TranscodeWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcode-worker",
        abstract: "Transcodes one waiting video and ends."
    )

    @Option(name: .customLong("connectStr"), help: "The URI of the MongoDB.")
    var connectionString: String

    @Option(name: .customLong("dataBase"), help: "The database.")
    var database: String

    @Option(help: "The collection of the videos.")
    var collection: String

    @Option(help: "How many seconds the simulated transcoding takes.")
    var seconds = 2.0

    @Option(help: "How many seconds to wait for a video that can be claimed.")
    var patience = 5.0

    @Option(help: "How many seconds a claim holds unless it is renewed; renewed after a third of it.")
    var claim = 60.0

    func run() async throws {
        let pool = MongoPool(MongoPool.Configuration(uri: self.connectionString))
        let videos = VideoQueue(
            pool: pool,
            database: self.database,
            collection: self.collection,
            claimSeconds: self.claim
        )
        // Before the claim, so that no signal can come between it and its release.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)

        guard let video = try await self.claimVideo(from: videos) else {
            say("no video can be claimed; nothing to do")
            return
        }
        say("transcoding \(video.name) as \(videos.worker)")
        do {
            try await self.whileClaimed(video, in: videos, until: signals) {
                try await Task.sleep(for: .seconds(self.seconds))
            }
            try await videos.finish(video)
            say("finished \(video.name)")
        } catch {
            try? await videos.release(video)
            say("gave up \(video.name): \(error)")
            throw ExitCode.failure
        }
    }

    private func claimVideo(from videos: VideoQueue) async throws -> Video? {
        let item = try Self.item()
        let end = ContinuousClock.now + .seconds(self.patience)
        while true {
            if let video = try await videos.claim(item) { return video }
            guard ContinuousClock.now < end else { return nil }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    /// The `_id` of the video that this Job is for, where each has its own; nil where any will do.
    private static func item() throws -> BSONValue? {
        guard Self.variable("SLUICE_ITEM_KEY") != nil else { return nil }
        // The key is text, whatever the `_id` is; the payload says it as extended JSON.
        let payload = try BSONDocument(json: Self.variable("SLUICE_ITEM_PAYLOAD") ?? "")
        guard let id = payload["_id"] else { throw ValidationError("SLUICE_ITEM_PAYLOAD has no _id") }
        return id
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }

    /// Runs the work, renewing the claim meanwhile; ends early when the claim is lost or a signal comes.
    private func whileClaimed(
        _ video: Video,
        in videos: VideoQueue,
        until signals: UnixSignalsSequence,
        work: @escaping @Sendable () async throws -> Void
    ) async throws {
        let pause = Duration.seconds(self.claim / 3)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await work() }
            group.addTask {
                while true {
                    try await Task.sleep(for: pause)
                    try await videos.renew(video)
                }
            }
            group.addTask {
                for await signal in signals { throw Interruption(signal: "\(signal)") }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            // The work is the only one that can end without an error.
            try await group.next()
        }
    }
}

/// The kubelet, or a person, wants the worker to end.
private struct Interruption: Error, CustomStringConvertible {
    let signal: String
    var description: String { "asked to end by \(self.signal)" }
}
