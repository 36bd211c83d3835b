import FoundationEssentials
import PluginHost

/// A folder with one folder for each plugin, so that every sidecar can be given only its own socket.
struct PluginSocketFolder {
    let path: String

    func sockets() throws -> [HubConfiguration.Socket] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: self.path)
        } catch {
            throw Failure("--plugin-sockets: the folder \(self.path) cannot be read")
        }
        return names.filter(self.isFolder).sorted().map { name in
            HubConfiguration.Socket(path: "\(self.path)/\(name)/host.sock", plugin: name)
        }
    }

    private func isFolder(_ name: String) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: "\(self.path)/\(name)", isDirectory: &isDirectory) && isDirectory
    }
}
