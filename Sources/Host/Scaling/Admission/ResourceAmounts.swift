/// Amounts of resources by name, as a Pod requests them: `cpu`, `memory`, `nvidia.com/gpu`.
///
/// A resource that is not named has the amount 0. Amounts are counted in thousandths of the unit (of a core, a byte, a
/// device), so that sums are exact whatever the order.
package struct ResourceAmounts: Sendable, Hashable {
    private var thousandths: [String: Int128] = [:]

    package init() {}

    /// Amounts in thousandths.
    package init(thousandths: [String: Int128]) {
        self.thousandths = thousandths.filter { $0.value != 0 }
    }

    /// Thousandths of one resource.
    package subscript(name: String) -> Int128 {
        get { self.thousandths[name] ?? 0 }
        set { self.thousandths[name] = newValue == 0 ? nil : newValue }
    }

    /// More than this of one resource is not counted for one Job, so that no sum of Jobs can overflow.
    package static let largest = Int128(1) << 90

    /// The same amounts, none of them negative or above ``largest``.
    package var bounded: ResourceAmounts {
        ResourceAmounts(thousandths: self.thousandths.mapValues { Swift.min(Swift.max(0, $0), Self.largest) })
    }

    package var isEmpty: Bool { self.thousandths.isEmpty }

    /// The names whose amount is not 0, in no order.
    package var names: some Collection<String> { self.thousandths.keys }

    package static func += (left: inout ResourceAmounts, right: ResourceAmounts) {
        for (name, amount) in right.thousandths { left[name] = left[name].adding(amount) }
    }

    package static func -= (left: inout ResourceAmounts, right: ResourceAmounts) {
        for (name, amount) in right.thousandths { left[name] = left[name].adding(0 - amount) }
    }

    package static func * (amounts: ResourceAmounts, times: Int) -> ResourceAmounts {
        ResourceAmounts(
            thousandths: amounts.thousandths.mapValues { amount in
                let (product, overflows) = amount.multipliedReportingOverflow(by: Int128(times))
                return overflows ? Int128.max : product
            }
        )
    }
}

extension Int128 {
    /// The sum, or the nearest value that there is.
    fileprivate func adding(_ other: Int128) -> Int128 {
        let (sum, overflows) = self.addingReportingOverflow(other)
        return overflows ? (other > 0 ? .max : .min) : sum
    }
}
