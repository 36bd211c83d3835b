import Kubernetes

/// Watches of the objects that set limits.
extension Controller {
    /// Follows a kind that the cluster may not have, and that the host may not be allowed to see.
    ///
    /// That is the machine's to weigh and to tell; only other interruptions are news here.
    nonisolated func reflectLimits<Object: KubernetesObject>(
        _ type: Object.Type,
        _ scope: String?,
        _ group: inout DiscardingTaskGroup,
        _ input: @escaping @Sendable (Reflection<Object>) -> ControllerInput
    ) {
        let reflector = self.reflector(of: type, scope)
        group.addTask {
            await reflector.run { change in
                let change = await self.judged(change)
                await self.takeLimits(change, of: Object.resource.plural, input(change))
            }
        }
    }

    /// Runs until the controller is stopped: Namespaces are watched from the first time that a budget selects by labels.
    func watchNamespaces() async {
        let reflector = self.reflector(of: Namespace.self, nil)
        await reflector.run { change in
            self.takeLimits(change, of: Namespace.resource.plural, .namespaces(change))
        }
    }

    private func takeLimits<Object>(_ change: Reflection<Object>, of resource: String, _ input: ControllerInput) {
        var isExpected = false
        if case .interrupted(let error) = change {
            isExpected = [.forbidden, .unauthorized, .notFound].contains(error.code)
        }
        if !isExpected { self.note(change, of: resource) }
        self.take(input)
    }

    /// Who may see nothing of a group is refused whether it is there or not: discovery tells the one from the other.
    private nonisolated func judged<Object>(_ change: Reflection<Object>) async -> Reflection<Object> {
        guard Object.resource == .jobBudgets, case .interrupted(let error) = change, error.code == .forbidden else {
            return change
        }
        let resource = Object.resource
        // The group's own page, which lists its kinds.
        let page = APIResource(
            group: resource.group,
            version: resource.version,
            plural: "",
            kind: "APIResourceList",
            isNamespaced: false
        )
        do throws(KubernetesError) {
            let list = try await self.discover(page)
            let kinds = list["resources"]?.arrayValue ?? []
            if kinds.contains(where: { $0["name"]?.stringValue == resource.plural }) { return change }
            return .interrupted(KubernetesError(.notFound, "there is no \(resource.plural)", status: 404))
        } catch {
            return error.code == .notFound ? .interrupted(error) : change
        }
    }
}
