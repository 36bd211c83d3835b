import Endpoints
import Testing

@Suite struct HealthEndpointsTests {
    private let sick = HealthEndpoints(alive: { ["a", "b"] }, ready: { [] })

    @Test func wellIs200() async {
        #expect(await self.sick.answer(EndpointRequest(method: "GET", path: "/readyz")) == .text("ok"))
    }

    @Test func sickIs503WithEveryFault() async {
        let answer = await self.sick.answer(EndpointRequest(method: "GET", path: "/healthz"))
        #expect(answer == .text("a\nb", status: 503))
    }

    @Test func otherPathsAndMethodsAreRefused() async {
        #expect(await self.sick.answer(EndpointRequest(method: "GET", path: "/")).status == 404)
        #expect(await self.sick.answer(EndpointRequest(method: "POST", path: "/readyz")).status == 405)
    }
}
