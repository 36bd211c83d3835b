/// What a Job carries to tell which template it was made of.
///
/// It lives on the Job itself, so that a host that starts anew, or one that takes over, compares with the same.
package struct TemplateMark: Sendable, Equatable {
    /// The hash of the template; nil on a Job that another host made.
    package var hash: String?
    /// The generation of the ScaledJob that made it.
    package var generation: Int64?

    package init(hash: String? = nil, generation: Int64? = nil) {
        self.hash = hash
        self.generation = generation
    }
}
