import Scaling

/// Everything that the controller knows about the items of one ScaledJob.
struct ItemRecord: Sendable {
    var book: ItemBook
    /// What was asked for, by the Job's name, until the API server has shown it.
    var orders: [String: ItemOrder] = [:]
    var tally = ItemTally()
    /// How many items the reading under way may name.
    var asked: Int
    /// Items, by hash, that people have been told of since they are as they are.
    var told: Set<String> = []
    /// Finished Jobs that tell how often an item was tried; nil when that has to be looked at anew.
    var kept: Set<String>?
    /// Those of them that the clean-up came across, and left.
    var passedOver: Set<String> = []

    init(book: ItemBook) {
        self.book = book
        self.asked = book.asks
    }
}
