/// Everything that goes wrong, or that people do while it does.
package enum Fault: String, CaseIterable, Sendable {
    // The API server.
    case staleWatch, brokenWatch, expiredWatch, failedList
    case conflict, throttled, serverError, serverErrorAfterWrite, slowAnswer, unreachable
    case timeoutThatHappened, timeoutThatDidNot, lateWrite
    case etcdLostASecond, quotaShrank, admissionRefused
    // Hosts.
    case leaseLost, leaseUnreachable, clockJumped, hostStopped, hostCrashed, hostDrained
    // Plugins.
    case pluginCrashed, pluginHung, pluginFlooded, pluginExaggerated, pluginHidWork, answersReordered
    // People.
    case secretRotated, authenticationDeleted, manifestEdited, manifestBroken, paused, recreated, jobDeleted
    case jobSuspended, foreignJob
    // Workers.
    case workerFailed
}
