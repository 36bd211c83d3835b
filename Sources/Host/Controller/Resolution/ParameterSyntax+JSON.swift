import Kubernetes

extension ParameterSyntax {
    static func objectionToJSONObject(_ text: String) -> String? {
        do {
            guard try JSONValue(parsing: text.utf8).objectValue != nil else {
                return "is JSON, but not an object; write one such as {\"state\":\"waiting\"}"
            }
            return nil
        } catch {
            return "is not JSON; write an object such as {\"state\":\"waiting\"}"
        }
    }
}
