package import Credentials
package import Kubernetes
package import PluginHost

/// When something happened: on the monotonic clock, and for people.
package struct Moment: Sendable, Equatable {
    package let instant: ContinuousClock.Instant
    /// Seconds of Unix time.
    package let unixSeconds: Int64

    package init(instant: ContinuousClock.Instant, unixSeconds: Int64) {
        self.instant = instant
        self.unixSeconds = unixSeconds
    }
}

/// Everything that can happen to the controller.
package enum ControllerInput: Sendable {
    /// `scope` is the namespace that the reflector watches, or nil for all.
    case scaledJobs(Reflection<ScaledJob>, scope: String?)
    case jobs(JobsChange, scope: String?)
    /// Only after ``ControllerAction/watchPods(scope:)``.
    case pods(Reflection<Pod>, scope: String?)
    case authentications(Reflection<TriggerAuthentication>, scope: String?)
    case clusterAuthentications(Reflection<ClusterTriggerAuthentication>)
    case budgets(Reflection<JobBudget>)
    case quotas(Reflection<ResourceQuota>, scope: String?)
    case limitRanges(Reflection<LimitRange>, scope: String?)
    /// Only after ``ControllerAction/watchNamespaces``.
    case namespaces(Reflection<Namespace>)
    case secret(ObjectKey, SecretStore.Entry)
    case configMap(ObjectKey, ReferencedData.Entry)
    case credential(CredentialRequest, Result<FetchedCredential, CredentialFailure>)
    case plugin(PluginEvent)
    case jobCreated(JobReference, Outcome<Void>)
    case jobLookedUp(JobReference, Outcome<JobSummary?>)
    case jobDeleted(JobReference, Outcome<Void>)
    case templateTried(owner: String, revision: UInt64, Outcome<Void>)
    /// `hash` is that of the template that the Job was compared with.
    case templateCompared(JobReference, uid: String, hash: String, Outcome<TemplateComparison.Verdict>)
    case finalizerRemoved(FinalizerReference, Outcome<Void>)
    case statusWritten(owner: String, Outcome<Void>)
    case authenticationStatusWritten(AuthenticationID, scaledJobs: String?, Outcome<Void>)
    case budgetStatusWritten(String, Outcome<Void>)
    /// The time that ``ControllerMachine/nextWake`` named has come.
    case tick

    /// How a call to the API server ended.
    package typealias Outcome<Value> = Result<Value, KubernetesError>
}

/// One Job of one ScaledJob.
package struct JobReference: Sendable, Hashable {
    /// The UID of the ScaledJob.
    package let owner: String
    package let key: ObjectKey

    package init(owner: String, key: ObjectKey) {
        self.owner = owner
        self.key = key
    }
}

/// One revision of an object that is being deleted and that only KEDA's finalizer holds, or that one among others.
package struct FinalizerReference: Sendable, Hashable {
    package let resource: APIResource
    package let key: ObjectKey
    package let uid: String
    package let resourceVersion: String
    /// The finalizers of others, which stay.
    package let others: [String]
}

/// A change of the Jobs in one scope.
package enum JobsChange: Sendable {
    case replaced([JobSummary], startedAt: ContinuousClock.Instant)
    case upserted(JobSummary)
    case deleted(JobSummary)
    case interrupted(KubernetesError)
}

/// Something that the controller wants done.
///
/// Every action is answered by one input, where it says so.
package enum ControllerAction: Sendable, Equatable {
    case setTrigger(TriggerID, revision: UInt64, TriggerSpecification)
    case removeTrigger(TriggerID)
    case measure([TriggerID])
    /// The same for triggers that are to name at most so many items each.
    case measureItems([TriggerID: Int])
    /// The Secrets to watch from now on besides the others, and those to watch no more.
    case watchSecrets(begin: Set<ObjectKey>, end: Set<ObjectKey>)
    /// Watch the Pods of Jobs in this scope from now on, until the end; asked for once.
    case watchPods(scope: String?)
    /// Watch the Namespaces from now on, until the end; asked for once.
    case watchNamespaces
    /// The ConfigMaps to watch from now on besides the others, and those to watch no more.
    case watchConfigMaps(begin: Set<ObjectKey>, end: Set<ObjectKey>)
    /// Answered by `credential`.
    case fetchCredential(CredentialRequest)
    /// Answered by `jobCreated`.
    case createJob(JobReference, JobTemplate)
    /// A dry run of the creation; answered by `templateTried`.
    case tryTemplate(owner: String, revision: UInt64, ObjectKey, JobTemplate)
    /// Answered by `jobLookedUp`.
    case lookUpJob(JobReference)
    /// Answered by `jobDeleted`.
    case deleteJob(JobReference, JobDeletion)
    /// Looks at a Job that doesn't say which template it was made of; answered by `templateCompared`.
    case compareTemplate(JobReference, uid: String, trial: ObjectKey, JobTemplate, TemplateComparison)
    /// Answered by `finalizerRemoved`.
    case removeFinalizer(FinalizerReference)
    /// Answered by `statusWritten`.
    case writeStatus(owner: String, ObjectKey, JSONValue)
    /// The comma-separated names in `status.scaledjobs`, nil for none; answered by `authenticationStatusWritten`.
    case writeAuthenticationStatus(AuthenticationID, scaledJobs: String?)
    /// The status of the JobBudget of this name; answered by `budgetStatusWritten`.
    case writeBudgetStatus(String, JSONValue)
    case recordEvent(EventRecord)
    case log(LogRecord)
}

/// A line for the host's log.
package struct LogRecord: Sendable, Equatable {
    package enum Level: Sendable { case debug, info, warning }

    package let level: Level
    package let message: String
    package let facts: [String: String]
}
