/// A binary heap: whatever is least comes out first.
///
/// Entries that no longer hold are left in and passed over when they come out, so whoever fills it counts them and fills
/// it anew before they are the greater part.
struct LeastFirst<Element: Comparable & Sendable>: Sendable {
    private var elements: [Element] = []

    init(_ elements: [Element] = []) {
        self.elements = elements
        for index in (0..<(elements.count / 2)).reversed() { self.sink(index) }
    }

    var count: Int { self.elements.count }
    var first: Element? { self.elements.first }

    mutating func insert(_ element: Element) {
        self.elements.append(element)
        var index = self.elements.count - 1
        while index > 0, self.elements[index] < self.elements[(index - 1) / 2] {
            self.elements.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = self.elements.popLast(), !self.elements.isEmpty else { return }
        self.elements[0] = last
        self.sink(0)
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < self.elements.count {
                if self.elements[child] < self.elements[least] { least = child }
            }
            guard least != index else { return }
            self.elements.swapAt(index, least)
            index = least
        }
    }
}
