import ArgumentParser
import Logging
import Observability

/// How much the command says, and in which form.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Least severe level to log: trace, debug, info, notice, warning, error or critical.",
            valueName: "level"
        )
    )
    var logLevel: LogLevel = .info

    @Option(help: ArgumentHelp("Log lines for people (text) or for programs (json).", valueName: "format"))
    var logFormat: LogFormat = .text

    /// Sets up logging for the process and returns the host's logger.
    func bootstrap(level: Logger.Level? = nil) -> Logger {
        let level = level ?? self.logLevel.level
        let format = self.logFormat.format
        LoggingSystem.bootstrap { StructuredLogHandler(label: $0, level: level, format: format) }
        return Logger(label: "sluice")
    }
}

/// A level as people write it.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    var level: Logger.Level { Logger.Level(rawValue: self.rawValue) ?? .info }
}

/// A format as people write it.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json

    var format: StructuredLogHandler.Format { self == .text ? .text : .json }
}
