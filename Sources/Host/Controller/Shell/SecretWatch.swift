import Kubernetes
import Logging

/// Watches one Secret by its name, so that the host needs no right to any other.
struct SecretWatch: Sendable {
    let api: any KubernetesAPI
    let key: ObjectKey
    let logger: Logger

    func run(_ report: @escaping @Sendable (SecretStore.Entry) async -> Void) async {
        let reflector = Reflector<Secret>(
            api: self.api,
            namespace: self.key.namespace,
            fieldSelector: "metadata.name=\(self.key.name)",
            logger: self.logger
        )
        let name = self.key.name
        await reflector.run { change in
            switch change {
            case .replaced(let secrets, _):
                let secret = secrets.first { $0.metadata.name == name }
                await report(secret.map { .present($0.data) } ?? .missing)
            case .upserted(let secret): await report(.present(secret.data))
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
