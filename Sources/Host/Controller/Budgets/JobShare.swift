import Kubernetes

/// What the annotations of a ScaledJob say about its part of the limits that it shares with others.
package struct JobShare: Sendable, Equatable {
    package static let priorityAnnotation = "sluice.dev/priority"
    package static let weightAnnotation = "sluice.dev/weight"
    package static let batchAnnotation = "sluice.dev/max-jobs-per-batch"

    /// Higher first.
    package var priority = 0
    package var weight: Double = 1
    package var jobsPerBatch: Int?

    package init() {}

    /// Reads the annotations, and says everything that is wrong with them.
    package init(_ annotations: [String: String]?, problems: inout [Problem]) {
        func read<Value>(_ key: String, _ mend: String, _ parse: (String) -> Value?) -> Value? {
            guard let text = annotations?[key] else { return nil }
            if let value = parse(text) { return value }
            problems.append(Problem("metadata.annotations.\(key)", "\"\(text.prefix(100))\" is not \(mend)"))
            return nil
        }
        let largest = Int(Int32.max)
        self.priority =
            read(Self.priorityAnnotation, "a whole number; write one such as \"10\" or \"-5\"") { text in
                Int(text).flatMap { abs($0) <= largest ? $0 : nil }
            } ?? 0
        self.weight =
            read(Self.weightAnnotation, "a number greater than 0; write one such as \"3\" or \"0.5\"") { text in
                guard text.utf8.allSatisfy({ Self.numberBytes.contains($0) }) else { return nil }
                return Double(text).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
            } ?? 1
        self.jobsPerBatch = read(Self.batchAnnotation, "a whole number from 1 on; write one such as \"50\"") { text in
            Int(text).flatMap { (1...largest).contains($0) ? $0 : nil }
        }
    }

    /// Not those of `inf`, `nan` and hexadecimal numbers.
    private static let numberBytes = Set("0123456789.eE+-".utf8)
}
