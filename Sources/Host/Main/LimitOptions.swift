import ArgumentParser
import Controller
import Scaling

/// The limits of everything that one host controls.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The most unfinished Jobs of all ScaledJobs together.", valueName: "number"))
    var maxRunningJobs: Int?

    @Option(
        help: ArgumentHelp("The most Jobs that one ScaledJob creates from one poll to the next.", valueName: "number")
    )
    var maxJobsPerBatch: Int?

    @Option(help: ArgumentHelp("The most Jobs that begin in a second, over all ScaledJobs.", valueName: "number"))
    var maxJobsPerSecond: Double?

    @Option(
        help: ArgumentHelp(
            "The most that unfinished Jobs request together: cpu=64,memory=256Gi,nvidia.com/gpu=8.",
            valueName: "name=amount,…"
        )
    )
    var maxResources: ResourceLimits?

    func validate() throws {
        if let number = self.maxRunningJobs, number < 0 {
            throw ValidationError("--max-running-jobs: \(number) is too small; write 0 or more")
        }
        if let number = self.maxJobsPerBatch, number < 1 {
            throw ValidationError("--max-jobs-per-batch: \(number) is too small; write 1 or more")
        }
        if let number = self.maxJobsPerSecond, !(number > 0 && number.isFinite) {
            throw ValidationError("--max-jobs-per-second: \(number) is not a number greater than 0")
        }
    }

    var limits: AdmissionLimits {
        AdmissionLimits(
            runningJobs: self.maxRunningJobs,
            jobsPerBatch: self.maxJobsPerBatch,
            jobsPerSecond: self.maxJobsPerSecond,
            resources: self.maxResources?.amounts ?? [:]
        )
    }
}

/// Amounts of resources on a command line.
struct ResourceLimits: ExpressibleByArgument {
    let amounts: [String: Int128]

    init?(argument: String) {
        guard let amounts = ResourceLimitsText.amounts(argument) else { return nil }
        self.amounts = amounts
    }
}
