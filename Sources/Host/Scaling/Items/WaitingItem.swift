/// One item of a source that waits for its Job.
package struct WaitingItem: Sendable, Equatable {
    /// Unique and stable within its trigger; text without NUL.
    package let key: String
    /// The hash of the key, as it stands in the names of its Jobs.
    package let hash: String
    /// What the plugin sends along with it.
    package let payload: Payload

    package init(key: String, hash: String, payload: Payload = Payload(text: "")) {
        self.key = key
        self.hash = hash
        self.payload = payload
    }

    /// A payload as an environment variable can hold it.
    package struct Payload: Sendable, Equatable {
        package let text: String
        /// Whether the text stands for bytes that are no text.
        package let isBase64: Bool

        package init(text: String, isBase64: Bool = false) {
            self.text = text
            self.isBase64 = isBase64
        }
    }
}

/// The items that one reading named.
package struct ItemListing: Sendable, Equatable {
    /// In the plugin's order, each key once.
    package let items: [WaitingItem]
    /// When the reading was asked for.
    package let askedAt: ContinuousClock.Instant
    /// The most items that it could have named.
    package let asked: Int
    /// Whether nothing waits besides.
    package let isComplete: Bool
    /// Items that can have no Job, because their key is no text.
    package let unusable: Int

    /// `waiting` is what the reading says to wait in all.
    package init(
        _ items: [WaitingItem],
        askedAt: ContinuousClock.Instant,
        asked: Int,
        waiting: Double,
        unusable: Int = 0
    ) {
        var seen: Set<String> = []
        self.items = items.filter { seen.insert($0.hash).inserted }
        self.askedAt = askedAt
        self.asked = asked
        let named = items.count + unusable
        self.isComplete = named < asked && Double(named) >= waiting
        self.unusable = unusable
    }
}

/// One Job for one item.
package struct ItemOrder: Sendable, Equatable {
    package let name: String
    package let item: WaitingItem
    /// How often the item will have been tried with it.
    package let attempt: Int

    package init(name: String, item: WaitingItem, attempt: Int) {
        self.name = name
        self.item = item
        self.attempt = attempt
    }
}

/// What stands on a Job about its item.
package struct ItemMark: Sendable, Equatable {
    package let key: String
    /// Nil where it cannot be read.
    package let attempt: Int?

    package init(key: String, attempt: Int?) {
        self.key = key
        self.attempt = attempt
    }
}
