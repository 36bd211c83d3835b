import Testing

/// One row of the compatibility table: a situation, and what existing manifests rely on in it.
///
/// Each table is a type of its own with its rows as data; its test runs once for each row.
protocol ConformanceRow: Sendable, CustomTestStringConvertible {
    /// The row's name, a letter for the table and a number.
    var id: String { get }
    /// Why Sluice deliberately answers otherwise than KEDA; nil where it answers alike.
    var difference: String? { get }
}

extension ConformanceRow {
    var difference: String? { nil }
    var testDescription: String { self.id }
}
