/// How many creations of one ScaledJob may be under way at once.
///
/// It grows by one with each success and falls to one with a refusal, so that a template that fails costs one call
/// at a time and not a thousand.
package struct CreationWindow: Sendable, Equatable {
    package let largest: Int
    package private(set) var size: Int
    package private(set) var underWay = 0

    package init(initial: Int, largest: Int) {
        self.largest = largest
        self.size = initial
    }

    /// Starts anew with another template; the calls that are under way still count.
    package mutating func reset(initial: Int) { self.size = initial }

    package var hasRoom: Bool { self.underWay < self.size }

    package mutating func began() { self.underWay += 1 }

    package mutating func succeeded() {
        self.underWay -= 1
        self.size = Swift.min(self.size + 1, self.largest)
    }

    /// The outcome says nothing about the template.
    package mutating func ended() { self.underWay -= 1 }

    package mutating func refused() {
        self.underWay -= 1
        self.size = 1
    }
}
