import Kubernetes
import Testing

/// A batch of documents that a crew of hosts works off while something fails, and what must hold whatever it was.
struct Batch: Sendable {
    static let size = 500
    static let name = "batch"

    let fixture: HostFixture
    let documents: Documents
    let maximum: Int
    private let surplus = Surplus()

    /// With no finished Jobs kept, a creation that comes too late is not hidden by its name being taken.
    init(in fixture: HostFixture, maximum: Int, keepSucceeded: Int = 1000) async throws {
        self.fixture = fixture
        self.maximum = maximum
        self.documents = fixture.documents(Self.size)
        try await fixture.create(
            .scaledJobs,
            Manifests.scaledJob(
                Self.name,
                self.documents,
                maximum: maximum,
                interval: 2,
                keepSucceeded: keepSucceeded
            )
        )
    }

    /// How many Jobs there have been.
    var created: Int { self.fixture.jobs.all(of: Self.name).count }

    func created(_ count: Int, within timeout: Duration = .seconds(30)) async throws {
        try await self.fixture.jobs.created(count, of: Self.name, within: timeout)
    }

    /// Lets the crew work until everything is done, with the fault on the way.
    func run(
        _ crew: HostCrew,
        within timeout: Duration = .seconds(60),
        fault: @escaping @Sendable (_ leader: ChildProcess) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await self.fixture.kubelet.work(
                    on: self.documents,
                    of: Self.name,
                    as: self.fixture.jobs,
                    self.surplus
                )
            }
            group.addTask {
                try await crew.run {
                    try await self.created(Self.size * 3 / 10)
                    try await fault(crew.hosts[0])
                    try await self.created(Self.size, within: timeout)
                    try await eventually("the last document is served", within: timeout) {
                        self.documents.waiting == 0
                    }
                    // Decided anew by whoever leads now, with nothing left to do.
                    try await self.fixture.isAtRest(Self.name)
                }
            }
            try await group.firstToEnd()
        }
    }

    /// Waits until no Job appears any more, what was sent having been done, and says how many there are.
    func settled() async throws -> Int {
        var last = (count: -1, since: ContinuousClock.now)
        try await eventually("creations have ended", within: .seconds(10)) {
            let count = self.created
            if count != last.count { last = (count, .now) }
            return last.since.duration(to: .now) > .milliseconds(700)
        }
        return last.count
    }

    /// What must hold whatever failed.
    func expectAllIsWell(_ play: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
        let jobs = self.fixture.jobs
        #expect(self.created == Self.size, play, sourceLocation: sourceLocation)
        #expect(jobs.most(of: Self.name) <= self.maximum, play, sourceLocation: sourceLocation)
        #expect(self.documents.waiting == 0, play, sourceLocation: sourceLocation)
        #expect(self.surplus.names == [], play, sourceLocation: sourceLocation)
        #expect(jobs.killed == [], play, sourceLocation: sourceLocation)
    }
}
