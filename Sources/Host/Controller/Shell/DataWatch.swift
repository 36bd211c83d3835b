import Kubernetes
import Logging

/// An object whose data parameters come from.
protocol DataObject: KubernetesObject {
    var content: [String: [UInt8]] { get }
}

extension Secret: DataObject {
    var content: [String: [UInt8]] { self.data }
}

extension ConfigMap: DataObject {
    var content: [String: [UInt8]] { self.data.mapValues { Array($0.utf8) } }
}

/// Watches one Secret or ConfigMap by its name, so that the host needs no right to any other.
struct DataWatch<Object: DataObject>: Sendable {
    let api: any KubernetesAPI
    let key: ObjectKey
    let logger: Logger

    func run(_ report: @escaping @Sendable (ReferencedData.Entry) async -> Void) async {
        let reflector = Reflector<Object>(
            api: self.api,
            namespace: self.key.namespace,
            fieldSelector: "metadata.name=\(self.key.name)",
            logger: self.logger
        )
        let name = self.key.name
        await reflector.run { change in
            switch change {
            case .replaced(let objects, _):
                let object = objects.first { $0.metadata.name == name }
                await report(object.map { .present($0.content) } ?? .missing)
            case .upserted(let object): await report(.present(object.content))
            case .deleted: await report(.missing)
            case .interrupted(let error):
                // Other faults pass by themselves, and what was read before still holds.
                if error.code == .forbidden || error.code == .unauthorized {
                    await report(.unreadable(error.message))
                }
            }
        }
    }
}

/// The watches under way, one for each object.
struct DataWatches {
    private var tasks: [ObjectKey: Task<Void, Never>] = [:]

    /// Starts the watches of these objects, unless they run.
    ///
    /// Tasks of their own, because they come and go: owned by this table, cancelled when nothing refers to the object any
    /// more, and at the end.
    mutating func begin(_ keys: Set<ObjectKey>, _ start: (ObjectKey) -> Task<Void, Never>) {
        for key in keys where self.tasks[key] == nil { self.tasks[key] = start(key) }
    }

    mutating func end(_ keys: Set<ObjectKey>) {
        for key in keys { self.tasks.removeValue(forKey: key)?.cancel() }
    }

    func cancelAll() {
        for task in self.tasks.values { task.cancel() }
    }
}
