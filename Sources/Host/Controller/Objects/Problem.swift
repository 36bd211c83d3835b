/// Something in a manifest, or in what it refers to, that keeps a trigger or a Job from working.
package struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The path of the field, for example `spec.triggers[0].metadata.query`.
    package let field: String
    /// What is wrong with the value that was found, and how to mend it; never a secret.
    package let message: String

    package init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    package var description: String { "\(self.field): \(self.message)" }
}
