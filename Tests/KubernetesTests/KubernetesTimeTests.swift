import FoundationEssentials
import Testing

@testable import Kubernetes

@Suite struct KubernetesTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2026-01-02T03:04:05Z", 1_767_323_045, 0),
            ("2024-02-29T23:59:59Z", 1_709_251_199, 0),
            ("2026-01-02T03:04:05.000006Z", 1_767_323_045, 6),
            ("2026-01-02T03:04:05.5Z", 1_767_323_045, 500_000),
            ("2026-01-02T03:04:05.123456789Z", 1_767_323_045, 123_456),
            ("2026-01-02T04:04:05+01:00", 1_767_323_045, 0),
            ("2026-01-01T22:34:05-04:30", 1_767_323_045, 0),
            ("1969-12-31T23:59:59Z", -1, 0),
        ] as [(String, Int64, Int32)]
    )
    func textBecomesAMoment(_ text: String, _ seconds: Int64, _ microseconds: Int32) {
        #expect(KubernetesTime(text) == KubernetesTime(secondsSinceEpoch: seconds, microseconds: microseconds))
    }

    @Test(arguments: ["", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "x"])
    func otherTextDoesNot(_ text: String) {
        #expect(KubernetesTime(text) == nil)
    }

    @Test func momentsBecomeTheSameTextAgain() {
        for text in ["2026-01-02T03:04:05Z", "2000-02-29T00:00:00Z", "1969-07-20T20:17:40Z", "2100-03-01T12:00:00Z"] {
            #expect(KubernetesTime(text)?.description == text)
        }
        #expect(KubernetesTime("2026-01-02T03:04:05.000006Z")?.microTime == "2026-01-02T03:04:05.000006Z")
    }

    @Test func daysOfEightCenturiesSurviveTheirText() {
        var previous = Int64.min
        for day in stride(from: Int64(-146_097), through: 146_097, by: 11) {
            let time = KubernetesTime(secondsSinceEpoch: day * 86_400 + 86_399)
            let again = KubernetesTime(time.description)
            #expect(again == time)
            #expect(time.secondsSinceEpoch > previous)
            previous = time.secondsSinceEpoch
        }
    }

    @Test func momentsMoveAndCompare() {
        let moment = KubernetesTime(secondsSinceEpoch: 10, microseconds: 999_999)
        #expect(moment.advanced(by: .microseconds(1)) == KubernetesTime(secondsSinceEpoch: 11))
        #expect(moment.advanced(by: .seconds(-11)) == KubernetesTime(secondsSinceEpoch: -1, microseconds: 999_999))
        #expect(moment.advanced(by: .milliseconds(1500)).since(moment) == .milliseconds(1500))
        #expect(moment < moment.advanced(by: .microseconds(1)))
        #expect(KubernetesTime.now > moment)
    }
}
