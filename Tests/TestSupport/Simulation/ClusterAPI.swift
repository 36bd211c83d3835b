import Kubernetes
import Pace
import Standalone

/// The API server and its etcd, by the rules of the in-process cluster.
struct ClusterAPI {
    private(set) var store: ObjectStore
    /// Grows when etcd goes back: no watch of before may go on.
    private(set) var epoch = 0
    /// The most Jobs that a namespace may hold.
    var quota: Int?
    /// What a webhook says to every new Job.
    var refusal: String?
    private var older: [(at: ContinuousClock.Instant, store: ObjectStore)] = []

    static let resources: [APIResource] = [
        .jobs, .pods, .secrets, .leases, .scaledJobs, .triggerAuthentications, .clusterTriggerAuthentications,
    ]

    typealias Answer = Result<JSONValue, KubernetesError>

    init(seed: UInt64) {
        self.store = ObjectStore(resources: Self.resources, randomness: SplitMix64(seed: seed ^ 0x5151))
    }

    // MARK: - Requests

    mutating func create(
        _ resource: APIResource,
        _ object: JSONValue,
        in namespace: String?,
        isTrial: Bool = false,
        now: String
    ) -> Answer {
        if resource == .jobs {
            if let refusal { return .failure(KubernetesError(.forbidden, refusal, status: 403)) }
            if let quota, !isTrial {
                let jobs = self.store.list(WatchScope(resource: .jobs, namespace: namespace)).count
                guard jobs < quota else {
                    let message =
                        "exceeded quota: jobs, requested: count/jobs.batch=1, used: \(jobs), limited: \(quota)"
                    return .failure(KubernetesError(.forbidden, message, status: 403))
                }
            }
        }
        guard !isTrial else {
            var trial = self.store
            return Self.create(resource, object, namespace, now, &trial)
        }
        return Self.create(resource, object, namespace, now, &self.store)
    }

    private static func create(
        _ resource: APIResource,
        _ object: JSONValue,
        _ namespace: String?,
        _ now: String,
        _ store: inout ObjectStore
    ) -> Answer {
        do throws(KubernetesError) {
            return .success(try store.create(object, as: resource, namespace: namespace, now: now))
        } catch {
            return .failure(error)
        }
    }

    func get(_ resource: APIResource, _ key: ObjectKey) -> Answer {
        do throws(KubernetesError) {
            return .success(try self.store.get(resource, key))
        } catch {
            return .failure(error)
        }
    }

    mutating func patch(_ resource: APIResource, _ key: ObjectKey, _ patch: JSONValue, status: Bool = false) -> Answer {
        do throws(KubernetesError) {
            let subresource = status ? "status" : nil
            return .success(try self.store.mergePatch(resource, key, with: patch, subresource: subresource))
        } catch {
            return .failure(error)
        }
    }

    mutating func replace(_ resource: APIResource, _ key: ObjectKey, with object: JSONValue) -> Answer {
        do throws(KubernetesError) {
            return .success(try self.store.replace(resource, key, with: object, subresource: nil))
        } catch {
            return .failure(error)
        }
    }

    mutating func delete(
        _ resource: APIResource,
        _ key: ObjectKey,
        uid: String? = nil,
        isForeground: Bool = false,
        now: String
    ) -> Answer {
        var options = ObjectStore.DeleteOptions()
        options.uid = uid
        options.propagation = isForeground ? .foreground : .background
        options.isImmediate = true
        do throws(KubernetesError) {
            return .success(try self.store.delete(resource, key, options: options, now: now) ?? [:])
        } catch {
            return .failure(error)
        }
    }

    func list(_ resource: APIResource) -> [JSONValue] { self.store.list(WatchScope(resource: resource)) }

    /// What a cache that lags would say.
    func staleList(_ resource: APIResource) -> [JSONValue] {
        (self.older.first?.store ?? self.store).list(WatchScope(resource: resource))
    }

    // MARK: - Losing a second

    private static func holders(_ store: ObjectStore) -> [JSONValue?] {
        store.list(WatchScope(resource: .leases)).map { $0[path: "spec", "holderIdentity"] }
    }

    mutating func remember(at now: ContinuousClock.Instant) {
        self.older.append((now, self.store))
        if self.older.count > 8 { self.older.removeFirst() }
    }

    /// Goes back by about a second; false where that would undo a change of leader.
    ///
    /// No election by what etcd holds survives that: two hosts may act until the later one looks at the Lease again.
    mutating func loseASecond(at now: ContinuousClock.Instant) -> Bool {
        guard let before = self.older.last(where: { now - $0.at >= .seconds(1) })?.store,
            !before.list(WatchScope(resource: .leases)).isEmpty,
            Self.holders(before) == Self.holders(self.store)
        else { return false }
        self.store = before
        self.epoch += 1
        self.older = []
        return true
    }
}
