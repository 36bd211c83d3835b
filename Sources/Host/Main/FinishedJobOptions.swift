import ArgumentParser
import Controller
import Scaling

/// What holds for the finished Jobs of all ScaledJobs.
struct FinishedJobOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Delete Jobs that finished longer ago than this, such as 24h or 7d, unless their ScaledJob says otherwise.",
            valueName: "age"
        )
    )
    var finishedJobsMaxAge: String?

    @Option(
        help: ArgumentHelp("Keep at most so many finished Jobs of all ScaledJobs together.", valueName: "number")
    )
    var maxFinishedJobs: Int?

    @Option(
        help: ArgumentHelp(
            "Delete at most so many Jobs a second; 0 for no limit. By default one for each that finishes, and 100 a second of those that finished before.",
            valueName: "number"
        )
    )
    var maxDeletionsPerSecond: Double?

    /// At this pace other clients of a small API server don't notice it; docs/performance.md has the figures.
    private static let backlogPerSecond = 100.0

    func validate() throws {
        _ = try self.settings()
    }

    func settings() throws -> CleaningSettings {
        var settings = CleaningSettings()
        if let text = self.finishedJobsMaxAge {
            switch FinishedJobsAge(text, field: "--finished-jobs-max-age") {
            case .unset: break
            case .seconds(let seconds): settings.longest = seconds
            case .invalid(let problem): throw ValidationError(problem.description)
            }
        }
        if let most = self.maxFinishedJobs {
            guard most >= 0 else {
                throw ValidationError("--max-finished-jobs: \(most) is too small; write 0 or more")
            }
            settings.most = most
        }
        settings.pace = .backlog(perSecond: Self.backlogPerSecond)
        if let pace = self.maxDeletionsPerSecond {
            guard pace.isFinite, pace >= 0 else {
                throw ValidationError("--max-deletions-per-second: \(pace) is not a pace; write 0 or a number above")
            }
            settings.pace = pace > 0 ? .atMost(perSecond: pace) : .unlimited
        }
        return settings
    }
}
