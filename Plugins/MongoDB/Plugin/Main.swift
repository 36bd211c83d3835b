internal import Logging

@main
struct Main {
    static func main() async throws {
        _ = MongoDBPlugin(logger: Logger(label: "mongodb"))
    }
}
