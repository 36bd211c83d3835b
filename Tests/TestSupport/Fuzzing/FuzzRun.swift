import Kubernetes

/// Throws input at every subject, for a while or a number of times; a seed makes it the same again.
package struct FuzzRun: Sendable {
    /// An input that was not answered as it must be; its own seed alone makes it again.
    package struct Finding: Error, CustomStringConvertible {
        package let description: String
    }

    /// How long one input may take: far more than it needs where nothing grows without bound.
    private static let patience = Duration.seconds(20)

    package let seed: UInt64
    private let before: @Sendable (UInt64) -> Void

    /// Calls `before` with the seed of each input before it is used, so that a crash can be told.
    package init(seed: UInt64, before: @escaping @Sendable (UInt64) -> Void = { _ in }) {
        self.seed = seed
        self.before = before
    }

    /// Runs until the time is over or the count is reached, and returns how many inputs there were.
    package func run(for time: Duration, count: Int = .max) async throws -> Int {
        let end = ContinuousClock.now + time
        var done = 0
        while done < count, ContinuousClock.now < end {
            let seed = self.seed &+ UInt64(done)
            self.before(seed)
            for subject in FuzzSubject.all {
                let start = ContinuousClock.now
                do {
                    try await subject.run(Self.input(seed, for: subject))
                } catch {
                    throw Finding(description: "\(subject.name), seed \(seed): \(error)")
                }
                let time = ContinuousClock.now - start
                guard time < Self.patience else {
                    throw Finding(description: "\(subject.name), seed \(seed): took \(time)")
                }
            }
            done += 1
        }
        return done
    }

    /// The input of a seed.
    package static func input(_ seed: UInt64, for subject: FuzzSubject) -> [UInt8] {
        var generator = FuzzGenerator(seed: seed)
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: return (0..<generator.size(upTo: 4_000)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        case 1: return generator.bomb()
        default: break
        }
        var document = generator.mutate(generator.pick(FuzzSeeds.all), donors: FuzzSeeds.all)
        document = subject.wraps(document)
        if generator.chance(in: 4) { document = generator.mutate(document, donors: FuzzSeeds.all) }
        var bytes: [UInt8]
        if Bool.random(using: &generator), let json = try? document.encoded() {
            bytes = json
        } else {
            var text = generator.yaml(document)
            while generator.chance(in: 3) { text += "\n---\n" + generator.yaml(generator.pick(FuzzSeeds.all)) }
            bytes = Array(text.utf8)
        }
        return generator.chance(in: 3) ? generator.garble(bytes) : bytes
    }
}
