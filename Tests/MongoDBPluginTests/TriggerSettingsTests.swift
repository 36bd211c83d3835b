import MongoDB
import PluginProtocol
import Testing

@testable import MongoDBPlugin

@Suite struct TriggerSettingsTests {
    private static let valid = [
        "connectionString": "mongodb://localhost", "dbName": "media", "collection": "videos",
        "query": #"{"state":"waiting"}"#, "queryValue": "1",
    ]
    private static let parts = [
        "host": "db.example", "port": "27017", "username": "anna", "password": "p@ss:w/rd", "dbName": "media",
        "collection": "videos", "query": #"{"state":"waiting"}"#, "queryValue": "1",
    ]

    /// A change that makes valid parameters invalid, and what the failure must say.
    struct Mistake: Sendable, CustomTestStringConvertible {
        var from = TriggerSettingsTests.valid
        let changes: [String: String?]
        let parameter: String
        let says: String
        var testDescription: String { "\(self.changes)" }
    }

    static let mistakes = [
        Mistake(changes: ["dbName": nil], parameter: "dbName", says: "missing"),
        Mistake(changes: ["dbName": "a b"], parameter: "dbName", says: "must not contain \" \""),
        Mistake(changes: ["collection": nil], parameter: "collection", says: "missing"),
        Mistake(changes: ["collection": "$cmd"], parameter: "collection", says: "no name"),
        Mistake(changes: ["query": nil], parameter: "query", says: "missing"),
        Mistake(changes: ["query": "{}"], parameter: "query", says: "every document"),
        Mistake(changes: ["query": " { } "], parameter: "query", says: "every document"),
        Mistake(changes: ["query": #"["a"]"#], parameter: "query", says: "braces"),
        Mistake(changes: ["query": #"{"a":}"#], parameter: "query", says: "extended JSON"),
        Mistake(changes: ["query": #"{"a":{"$oid":"xyz"}}"#], parameter: "query", says: "extended JSON"),
        Mistake(changes: ["queryValue": nil], parameter: "queryValue", says: "missing"),
        Mistake(changes: ["queryValue": "many"], parameter: "queryValue", says: "\"many\""),
        Mistake(changes: ["queryValue": "0"], parameter: "queryValue", says: "greater than 0"),
        Mistake(changes: ["queryValue": "nan"], parameter: "queryValue", says: "number"),
        Mistake(changes: ["activationQueryValue": "x"], parameter: "activationQueryValue", says: "\"x\""),
        Mistake(from: parts, changes: ["host": nil], parameter: "host", says: "connectionString"),
        Mistake(from: parts, changes: ["host": "a/b"], parameter: "host", says: "\"/\""),
        Mistake(from: parts, changes: ["port": nil], parameter: "port", says: "connectionString"),
        Mistake(from: parts, changes: ["port": "99999"], parameter: "port", says: "\"99999\""),
        Mistake(from: parts, changes: ["username": nil], parameter: "username", says: "connectionString"),
        Mistake(from: parts, changes: ["password": nil], parameter: "password", says: "connectionString"),
        Mistake(from: parts, changes: ["scheme": "http"], parameter: "scheme", says: "\"http\""),
        Mistake(changes: ["tls": "maybe"], parameter: "tls", says: "enable or disable"),
        Mistake(changes: ["tls": "enable"], parameter: "tls", says: "needs ca"),
        Mistake(changes: ["tls": "enable", "cert": "C"], parameter: "key", says: "both"),
        Mistake(changes: ["tls": "enable", "key": "K"], parameter: "cert", says: "both"),
    ]

    @Test(arguments: mistakes)
    func mistakesAreNamed(mistake: Mistake) throws {
        var parameters = mistake.from
        for (name, value) in mistake.changes { parameters[name] = value }
        let failure = #expect(throws: PluginFailure.self) { try TriggerSettings(parameters: parameters) }
        #expect(failure?.code == .invalidParameter)
        #expect(failure?.parameter == mistake.parameter)
        #expect(failure?.message.contains(mistake.says) == true, "\(failure?.message ?? "")")
    }

    @Test func partsBecomeAnEscapedURI() throws {
        let settings = try TriggerSettings(parameters: Self.parts)
        #expect(settings.connection.uri == "mongodb://anna:p%40ss%3Aw%2Frd@db.example:27017/media")
        #expect(settings.activation == 0)
    }

    @Test func srvNeedsNoPort() throws {
        let parameters = Self.parts.merging(["scheme": "mongodb+srv", "port": ""]) { $1 }
        let settings = try TriggerSettings(parameters: parameters)
        #expect(settings.connection.uri == "mongodb+srv://anna:p%40ss%3Aw%2Frd@db.example/media")
    }

    @Test func connectionStringWinsOverParts() throws {
        let parameters = Self.parts.merging(["connectionString": "mongodb://other"]) { $1 }
        #expect(try TriggerSettings(parameters: parameters).connection.uri == "mongodb://other")
    }

    @Test func descriptionHidesCredentials() throws {
        let connection = try TriggerSettings(parameters: Self.parts).connection
        #expect("\(connection)" == "ConnectionSettings")
    }

    @Test func declarationHasTheKeysOfExistingManifestsInTheirSourceOrder() {
        let parameters = TriggerTypeDeclaration.mongodb.parameters
        let sources = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.sources) })
        let anywhere: [ParameterDeclaration.Source] = [.authentication, .metadata, .environment]
        #expect(sources["connectionString"] == anywhere)
        #expect(sources["password"] == anywhere)
        for name in ["scheme", "host", "port", "username", "dbName"] {
            #expect(sources[name] == [.authentication, .metadata])
        }
        for name in ["collection", "query", "queryValue", "activationQueryValue"] {
            #expect(sources[name] == [.metadata])
        }
        for name in ["tls", "cert", "key", "keyPassword", "ca"] {
            #expect(sources[name] == [.authentication])
        }
        #expect(parameters.filter(\.isRequired).map(\.name) == ["dbName", "collection", "query", "queryValue"])
        let secrets = parameters.filter(\.isSecret).map(\.name)
        #expect(secrets == ["connectionString", "password", "cert", "key", "keyPassword"])
    }
}
