import Controller
package import Kubernetes

/// The API server's question whether an object may be stored.
package struct AdmissionRequest: Sendable, Equatable {
    /// Why bytes are no question that can be answered.
    package struct Unreadable: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The most values in a body; each costs far more memory and time than its bytes.
    private static let maximumValues = 250_000
    package static let versions = ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"]

    package var apiVersion: String
    package var uid: String
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    package var operation: String
    package var subresource: String
    /// The kind that the object is of, as the API server says.
    package var kind: String
    package var namespace: String
    package var object: JSONValue?
    package var oldObject: JSONValue?

    /// Reads an `AdmissionReview`; any bytes may come.
    package init(parsing bytes: [UInt8]) throws(Unreadable) {
        guard Self.countsFewValues(bytes) else {
            throw Unreadable(description: "the body has more than \(Self.maximumValues) values")
        }
        let review: JSONValue
        do {
            review = try JSONValue(parsing: bytes)
        } catch {
            throw Unreadable(description: "the body is not JSON")
        }
        guard review["kind"] == "AdmissionReview", let apiVersion = review["apiVersion"]?.stringValue,
            Self.versions.contains(apiVersion)
        else {
            let wanted = Self.versions.joined(separator: " or ")
            throw Unreadable(description: "the body is not an AdmissionReview of \(wanted)")
        }
        guard let request = review["request"], let uid = request["uid"]?.stringValue,
            let operation = request["operation"]?.stringValue
        else { throw Unreadable(description: "the AdmissionReview has no request with uid and operation") }
        self.apiVersion = apiVersion
        self.uid = uid
        self.operation = operation
        self.subresource = request["subResource"]?.stringValue ?? ""
        self.kind = request[path: "kind", "kind"]?.stringValue ?? ""
        self.namespace = request["namespace"]?.stringValue ?? ""
        self.object = Self.present(request["object"])
        self.oldObject = Self.present(request["oldObject"])
    }

    /// Whether the answer is yes whatever the object says.
    ///
    /// Checked is what a person writes, when it is written. An update that leaves the `spec` as it is (a finalizer that goes, a
    /// label) must pass even where rules became stricter after the object was stored.
    package var needsNoCheck: Bool {
        guard ["CREATE", "UPDATE"].contains(self.operation), self.subresource.isEmpty else { return true }
        guard let object, let oldObject else { return false }
        let isSame = object["spec"] == oldObject["spec"] && Self.annotations(object) == Self.annotations(oldObject)
        return isSame || Self.present(object[path: "metadata", "deletionTimestamp"]) != nil
    }

    /// The annotations that are checked.
    private static func annotations(_ object: JSONValue) -> [JSONValue?] {
        let annotations = object[path: "metadata", "annotations"]
        let checked = [
            JobShare.priorityAnnotation, JobShare.weightAnnotation, JobShare.batchAnnotation, ItemPolicy.annotation,
            ItemPolicy.attemptsAnnotation, WellKnown.finishedJobsAgeAnnotation,
        ]
        return checked.map { annotations?[$0] }
    }

    /// Whether the signs that come before a value are few enough; those in texts don't count.
    private static func countsFewValues(_ bytes: [UInt8]) -> Bool {
        var count = 0
        var isText = false
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                isEscaped = false
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isText.toggle()
            case UInt8(ascii: "\\"): isEscaped = isText
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "{"): count += isText ? 0 : 1
            default: continue
            }
        }
        return count <= self.maximumValues
    }

    private static func present(_ value: JSONValue?) -> JSONValue? {
        value == .null ? nil : value
    }
}
