import Endpoints
import Testing

@Suite struct BindAddressTests {
    @Test(
        arguments: [
            (":8080", BindAddress(host: "", port: 8080)), ("127.0.0.1:0", BindAddress(host: "127.0.0.1", port: 0)),
            ("[::1]:81", BindAddress(host: "::1", port: 81)), ("localhost:9", BindAddress(host: "localhost", port: 9)),
        ]
    )
    func isReadAsWritten(_ text: String, _ wanted: BindAddress) throws {
        let address = try #require(try BindAddress.parse(text))
        #expect(address == wanted)
        #expect("\(address)" == text)
    }

    @Test(arguments: ["", "0"]) func canBeOff(_ text: String) throws {
        #expect(try BindAddress.parse(text) == nil)
    }

    @Test(arguments: ["8080", "host", ":x", ":65536", ":-1", "::1:80", "host:", "1"])
    func saysWhatIsWrong(_ text: String) {
        let problem = #expect(throws: BindAddressProblem.self) { try BindAddress.parse(text) }
        #expect(problem?.description.contains("\"\(text)\" is not an address; write host:port") == true)
    }
}
