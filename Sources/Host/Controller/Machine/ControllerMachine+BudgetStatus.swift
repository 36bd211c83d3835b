import Kubernetes
import Scaling

/// The status of JobBudgets.
extension ControllerMachine {
    /// Writes what is due.
    ///
    /// A status is looked at only every few seconds, whatever happens meanwhile.
    mutating func dispatchBudgetWrites(_ moment: Moment) {
        guard !self.limitObjects.staleStatuses.isEmpty else { return }
        for name in self.limitObjects.staleStatuses {
            guard let due = self.limitObjects.statuses[name]?.nextLook, due <= moment.instant else { continue }
            self.limitObjects.staleStatuses.remove(name)
            guard let budget = self.limitObjects.book.budgets[name] else { continue }
            let wanted = budget.status(self.budgetStanding(name), extra: self.namespacesProblem(budget))
            guard let patch = self.limitObjects.statuses[name]?.look(wanted, at: moment.instant) else { continue }
            self.actions.append(.writeBudgetStatus(name, patch))
        }
    }

    mutating func budgetStatusWritten(
        _ name: String,
        _ outcome: ControllerInput.Outcome<Void>,
        at moment: Moment
    ) {
        self.limitObjects.statuses[name]?.endWrite(outcome.isSuccess)
        guard case .failure(let error) = outcome else { return }
        self.limitObjects.staleStatuses.insert(name)
        let facts = ["jobbudget": name, "error": error.description]
        let message = "the status of a JobBudget could not be written; trying again"
        self.actions.append(.log(LogRecord(level: .debug, message: message, facts: facts)))
    }

    private func budgetStanding(_ name: String) -> BudgetStanding {
        let standing = self.standing(of: .budget(name))
        var result = BudgetStanding()
        result.runningJobs = standing.inUse.jobs
        for resource in standing.limits.resources.keys {
            result.resources[resource] = standing.inUse.resources[resource]
        }
        result.waitingScaledJobs = standing.waitingCount
        for waiting in standing.waiting.prefix(BudgetStatusRecord.mostNames) {
            guard let record = self.records[waiting.uid] else { continue }
            result.waiting.append(
                BudgetStanding.Waiting(
                    scaledJob: record.key.description,
                    jobs: waiting.jobs,
                    reason: waiting.wait.sentence
                )
            )
        }
        return result
    }

    /// Which quota it is that a ScaledJob waits for, and how it stands; nothing for any other limit.
    func quotaNote(_ wait: AdmissionWait?) -> String {
        guard let wait, wait.decisionLimit == .resourceQuota, case .namespace(let namespace) = wait.scope else {
            return ""
        }
        var resource = QuotaRoom.jobObjects
        if case .resource(let name) = wait.dimension { resource = name }
        return self.limitObjects.accounts[namespace]?.room.words(for: resource).map { " (\($0))" } ?? ""
    }

    /// What keeps a selector from being understood.
    private func namespacesProblem(_ budget: BudgetBook.Budget) -> Problem? {
        guard budget.specification.selector.namespaceLabels != nil,
            let failure = self.limitObjects.book.namespacesFailure
        else { return nil }
        return Problem(
            "spec.selector.namespaceSelector",
            "Namespaces cannot be listed: \(failure); give the host the right to list and watch namespaces, or name them "
                + "in spec.selector.namespaces"
        )
    }
}

extension Result where Success == Void {
    var isSuccess: Bool { if case .success = self { true } else { false } }
}
