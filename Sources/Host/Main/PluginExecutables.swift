import ArgumentParser
import FoundationEssentials
import PluginHost

/// Finds the executables of plugins: `sluice-plugin-<type>` beside this program, in `../libexec/sluice`, or on `PATH`.
struct PluginExecutables {
    let folders: [String]
    /// Plugins are quiet, unless the user says otherwise.
    private let variables: [String: String]

    init(environment: [String: String], executableFolder: String?) {
        self.variables = environment["SLUICE_LOG_LEVEL"] == nil ? ["SLUICE_LOG_LEVEL": "warning"] : [:]
        var folders: [String] = []
        if let executableFolder { folders += [executableFolder, "\(executableFolder)/../libexec/sluice"] }
        folders += (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        self.folders = folders
    }

    func find(type: String) -> PluginSupervisor.Executable? {
        // A type is a name and not a path.
        guard !type.isEmpty, type.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }) else {
            return nil
        }
        let path = self.folders.map { "\($0)/sluice-plugin-\(type)" }.first(where: ProcessEnvironment.isExecutable)
        return path.map {
            PluginSupervisor.Executable(name: "sluice-plugin-\(type)", path: $0, environment: self.variables)
        }
    }

    /// Every plugin in the folders; of two with one name, the first.
    func installed() -> [PluginSupervisor.Executable] {
        let prefix = "sluice-plugin-"
        let types = self.folders.flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
                .filter { $0.hasPrefix(prefix) && !$0.contains(".") }.map { String($0.dropFirst(prefix.count)) }
        }
        return Set(types).sorted().compactMap(self.find)
    }

    /// Refuses what cannot be started, before anything is.
    static func check(_ paths: [String]) throws {
        for path in paths where !ProcessEnvironment.isExecutable(path) {
            throw ValidationError("--plugin: \"\(path)\" is not an executable file")
        }
    }

    /// A plugin named on the command line.
    static func named(_ path: String) -> PluginSupervisor.Executable {
        PluginSupervisor.Executable(name: path.split(separator: "/").last.map(String.init) ?? path, path: path)
    }
}
