import Controller
import Kubernetes
import Standalone

/// Shows what the controller knows, a few times a second.
struct StatusScreen: Sendable {
    let controller: Controller

    func run() async {
        let screen = TableScreen()
        while !Task.isCancelled {
            screen.show(await self.rows())
            try? await Task.sleep(for: .milliseconds(200))
        }
        screen.show(await self.rows())
        screen.close()
    }

    private func rows() async -> [StatusRow] {
        await self.controller.snapshots().map { snapshot in
            StatusRow(
                namespace: snapshot.key.namespace,
                name: snapshot.key.name,
                waiting: snapshot.waiting.map(Int64.init),
                running: snapshot.unfinished,
                done: snapshot.succeeded,
                failed: snapshot.failed,
                cleaned: snapshot.cleaned,
                decision: snapshot.explanation
            )
        }
    }
}
