/// A binary heap: the least element first.
struct AdmissionHeap<Element: Comparable & Sendable>: Sendable {
    private(set) var elements: [Element] = []

    var first: Element? { self.elements.first }

    mutating func insert(_ element: Element) {
        self.elements.append(element)
        var index = self.elements.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard self.elements[index] < self.elements[parent] else { return }
            self.elements.swapAt(index, parent)
            index = parent
        }
    }

    mutating func removeFirst() {
        guard let last = self.elements.popLast(), !self.elements.isEmpty else { return }
        self.elements[0] = last
        self.sink()
    }

    mutating func replaceFirst(with element: Element) {
        guard !self.elements.isEmpty else { return }
        self.elements[0] = element
        self.sink()
    }

    /// Drops what does not hold any more, once that is the greater part.
    mutating func tidy(live: Int, _ holds: (Element) -> Bool) {
        guard self.elements.count > 2 * live + 64 else { return }
        let kept = self.elements.filter(holds)
        self.elements = []
        for element in kept { self.insert(element) }
    }

    private mutating func sink() {
        var index = 0
        while true {
            let left = 2 * index + 1
            guard left < self.elements.count else { return }
            let right = left + 1
            let least = right < self.elements.count && self.elements[right] < self.elements[left] ? right : left
            guard self.elements[least] < self.elements[index] else { return }
            self.elements.swapAt(index, least)
            index = least
        }
    }
}
