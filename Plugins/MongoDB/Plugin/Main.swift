internal import Logging
internal import MongoDB
internal import PluginKit

/// `sluice-plugin-mongodb`: where the host is comes from the environment.
@main
struct Main {
    static func main() async {
        MemoryArenas.share()
        await PluginRunner.main { MongoDBPlugin(logger: Logger(label: "mongodb")) }
    }
}
