import PluginHost
import Testing

@Suite struct TriggerSpecificationTests {
    @Test func noPrintedFormShowsAParametersValue() {
        let specification = TriggerSpecification(
            type: "counter",
            scaledJob: "media/transcode",
            parameters: ["password": "hunter2"]
        )
        var dumped = ""
        dump(specification, to: &dumped)
        for text in ["\(specification)", String(reflecting: specification), dumped, "\([specification])"] {
            #expect(!text.contains("hunter2") && text.contains("password"))
        }
    }
}
