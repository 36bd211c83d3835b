/// What a reflector tells about one resource type: the whole, then the changes.
package enum Reflection<Object: KubernetesObject>: Sendable {
    /// A complete, consistent list. Whatever is not in it does not exist.
    ///
    /// `startedAt` is when the first page was asked for: a create that was answered before it and is missing from the
    /// list has been deleted since.
    case replaced([Object], startedAt: ContinuousClock.Instant)
    case upserted(Object)
    case deleted(Object)
    /// The list or watch failed; what was told before is now old, and the reflector goes on trying.
    case interrupted(KubernetesError)
}
