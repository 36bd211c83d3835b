import FoundationEssentials
import Kubernetes
import Scaling
import Testing

@testable import Controller

/// What ResourceQuotas leave to this host's Jobs.
@Suite struct QuotaTests {
    private static func quota(
        _ hard: PodResources.Amounts,
        used: PodResources.Amounts,
        wanted: PodResources.Amounts? = nil,
        scopes: Bool = false
    ) -> ResourceQuota {
        ResourceQuota(
            metadata: ObjectMetadata(name: "q", namespace: "media"),
            wanted: wanted ?? hard,
            hard: hard,
            used: used,
            hasScopes: scopes
        )
    }

    private static func limits(_ quota: ResourceQuota, ours: [String: Int128] = [:]) -> AdmissionLimits {
        var room = QuotaRoom()
        room.set("q", to: quota)
        return room.limits(counted: ResourceAmounts(thousandths: ours))
    }

    private struct Row: Sendable {
        let what: String
        let quota: ResourceQuota
        var ours: [String: Int128] = [:]
        let limits: AdmissionLimits
    }

    private static let rows: [Row] = [
        Row(
            what: "all of it where nobody uses any",
            quota: quota(["requests.cpu": "10", "pods": "4"], used: ["requests.cpu": "0", "pods": "0"]),
            limits: AdmissionLimits(resources: ["cpu": 10_000, "pods": 4_000])
        ),
        Row(
            what: "less what others use",
            quota: quota(["requests.cpu": "10"], used: ["requests.cpu": "7"]),
            ours: ["cpu": 4_000],
            limits: AdmissionLimits(resources: ["cpu": 7_000])
        ),
        Row(
            what: "Pods that do not exist yet are nobody's gain",
            quota: quota(["requests.cpu": "10"], used: ["requests.cpu": "1"]),
            ours: ["cpu": 4_000],
            limits: AdmissionLimits(resources: ["cpu": 10_000])
        ),
        Row(
            what: "nothing where others use more than there is",
            quota: quota(["cpu": "10"], used: ["cpu": "12"]),
            limits: AdmissionLimits(resources: ["cpu": 0])
        ),
        Row(
            what: "a quota that was lowered counts at once",
            quota: quota(["cpu": "10"], used: ["cpu": "5"], wanted: ["cpu": "3"]),
            ours: ["cpu": 5_000],
            limits: AdmissionLimits(resources: ["cpu": 3_000])
        ),
        Row(
            what: "a quota that was raised counts when the API server knows",
            quota: quota(["cpu": "10"], used: ["cpu": "5"], wanted: ["cpu": "30"]),
            ours: ["cpu": 5_000],
            limits: AdmissionLimits(resources: ["cpu": 10_000])
        ),
        Row(
            what: "nothing as long as nobody has counted",
            quota: quota([:], used: [:], wanted: ["requests.memory": "1Gi", "count/jobs.batch": "5"]),
            limits: AdmissionLimits(resources: ["memory": 0], jobObjects: 0)
        ),
        Row(
            what: "Job objects, finished ones included",
            quota: quota(["count/jobs.batch": "20"], used: ["count/jobs.batch": "12"]),
            ours: ["count/jobs.batch": 10_000],
            limits: AdmissionLimits(jobObjects: 18)
        ),
        Row(
            what: "both ways of writing a request: the smaller one",
            quota: quota(["cpu": "9", "requests.cpu": "8"], used: ["cpu": "0", "requests.cpu": "0"]),
            limits: AdmissionLimits(resources: ["cpu": 8_000])
        ),
        Row(
            what: "extended resources",
            quota: quota(["requests.nvidia.com/gpu": "8"], used: ["requests.nvidia.com/gpu": "2"]),
            limits: AdmissionLimits(resources: ["nvidia.com/gpu": 6_000])
        ),
        Row(
            what: "what is not of requests is left to the API server",
            quota: quota(
                ["limits.cpu": "1", "requests.storage": "1Gi", "services": "2", "count/pods": "3", "configmaps": "1"],
                used: [:]
            ),
            limits: AdmissionLimits()
        ),
        Row(
            what: "quotas with scopes are left to the API server",
            quota: quota(["cpu": "1"], used: ["cpu": "1"], scopes: true),
            limits: AdmissionLimits()
        ),
    ]

    @Test(arguments: rows.indices)
    func aQuotaLeaves(index: Int) {
        let row = Self.rows[index]
        #expect(Self.limits(row.quota, ours: row.ours) == row.limits, "\(row.what)")
    }

    @Test func ofSeveralQuotasTheSmallestCounts() {
        var room = QuotaRoom()
        room.set("a", to: Self.quota(["cpu": "10", "pods": "5"], used: ["cpu": "0", "pods": "0"]))
        room.set("b", to: Self.quota(["cpu": "4"], used: ["cpu": "1"]))
        #expect(room.limits(counted: ResourceAmounts()).resources == ["cpu": 3_000, "pods": 5_000])
        #expect(room.words(for: "cpu") == "ResourceQuota b: cpu 1 of 4 in use")
        room.set("b", to: nil)
        #expect(room.limits(counted: ResourceAmounts()).resources == ["cpu": 10_000, "pods": 5_000])
    }

    @Test func scopesAreSeen() throws {
        for (field, value) in [("scopes", ["Terminating"]), ("scopeSelector", ["matchExpressions": []])]
            as [(String, JSONValue)]
        {
            var object: JSONValue = [
                "metadata": ["name": "q", "namespace": "a"],
                "status": ["hard": ["pods": "4"], "used": ["pods": "1"]],
            ]
            var spec: JSONValue = ["hard": ["pods": 4]]
            spec[field] = value
            object["spec"] = spec
            let quota = try JSONDecoder().decode(ResourceQuota.self, from: Data(object.encoded()))
            #expect(quota.hasScopes)
            #expect(quota.wanted == ["pods": "4"])
            #expect(quota.used == ["pods": "1"])
        }
    }

    // MARK: - What is ours

    private static let start = ContinuousClock.now

    private static func job(_ name: String, finished: Bool = false, cpu: String = "1") -> JobSummary {
        JobSummary(
            key: ObjectKey(namespace: "media", name: name),
            owner: "owner",
            observed: JobTracker.Observed(
                name: name,
                uid: "uid-\(name)",
                phase: finished ? .succeeded(at: 1) : .unfinished
            ),
            needs: JobNeeds(pod: PodResources(containers: [PodResources.Container(requests: ["cpu": cpu])]))
        )
    }

    @Test func aJobIsCountedForCertainOnceItWasShownForAWhile() {
        var account = NamespaceAccount()
        account.set(quota: "q", to: Self.quota(["cpu": "10"], used: ["cpu": "6"]))
        account.upsert(Self.job("a"), owner: "owner", at: Self.start)
        #expect(account.limits?.resources == ["cpu": 4_000], "the quota may or may not count it yet")
        #expect(account.nextDue == Self.start + .seconds(1))
        account.mature(at: Self.start + .milliseconds(999))
        #expect(account.limits?.resources == ["cpu": 4_000])
        account.mature(at: Self.start + .seconds(1))
        #expect(account.limits?.resources == ["cpu": 5_000])
        #expect(account.nextDue == nil)
    }

    @Test func aFinishedJobLeavesNoRoomBeforeTheQuotaSaysSo() {
        var account = NamespaceAccount()
        account.set(
            quota: "q",
            to: Self.quota(["cpu": "10", "count/jobs.batch": "5"], used: ["cpu": "10", "count/jobs.batch": "3"])
        )
        for name in ["a", "b"] { account.upsert(Self.job(name, cpu: "2"), owner: "owner", at: Self.start) }
        account.mature(at: Self.start + .seconds(1))
        #expect(account.limits == AdmissionLimits(resources: ["cpu": 4_000], jobObjects: 4))
        account.upsert(Self.job("a", finished: true), owner: "owner", at: Self.start + .seconds(2))
        #expect(account.limits == AdmissionLimits(resources: ["cpu": 2_000], jobObjects: 4), "its object stays")
        account.set(
            quota: "q",
            to: Self.quota(["cpu": "10", "count/jobs.batch": "5"], used: ["cpu": "8", "count/jobs.batch": "3"])
        )
        #expect(account.limits == AdmissionLimits(resources: ["cpu": 4_000], jobObjects: 4))
        account.remove("a")
        #expect(account.limits?.jobObjects == 3)
        account.remove("b")
        account.remove("b")
        #expect(account.counted == ResourceAmounts())
    }

    @Test func aListTakesBackWhatItDoesNotHave() {
        var account = NamespaceAccount()
        for name in ["a", "b", "c"] { account.upsert(Self.job(name), owner: "owner", at: Self.start) }
        account.mature(at: Self.start + .seconds(1))
        account.keep(only: ["b"])
        #expect(
            account.counted == ResourceAmounts(thousandths: ["cpu": 1_000, "pods": 1_000, QuotaRoom.jobObjects: 1_000])
        )
        // The same name again is another Job.
        account.upsert(Self.job("a"), owner: "owner", at: Self.start + .seconds(5))
        account.mature(at: Self.start + .seconds(5))
        #expect(account.counted["cpu"] == 1_000)
    }

    @Test func aLimitRangeChangesWhatJobsCost() {
        var account = NamespaceAccount()
        account.upsert(Self.job("a", cpu: "1"), owner: "owner", at: Self.start)
        account.mature(at: Self.start + .seconds(1))
        let isOther = account.set(limitRange: "r", to: ["memory": "64", "cpu": "9"])
        #expect(isOther)
        let isOtherAgain = account.set(limitRange: "s", to: ["memory": "32"])
        #expect(!isOtherAgain)
        #expect(account.counted["memory"] == 64_000)
        #expect(account.counted["cpu"] == 1_000, "what is stated stays")
        #expect(account.cost(ofJob: "a")?["memory"] == 64_000)
        #expect(account.unfinished.map(\.job) == ["a"])
        account.upsert(Self.job("a", finished: true), owner: "owner", at: Self.start + .seconds(2))
        #expect(account.counted == ResourceAmounts(thousandths: [QuotaRoom.jobObjects: 1_000]))
    }
}
