import Standalone
import Testing

@Suite struct ManifestCheckingTests {
    private static let scaledJob = "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {name: a}\nspec: {}\n"

    private func warnings(_ text: String) -> [String] {
        Manifest.check(Array(text.utf8), file: "f").warnings.map(\.description)
    }

    @Test func listsOfAnyKindAreUnpacked() {
        let typed = "apiVersion: keda.sh/v1alpha1\nkind: ScaledJobList\nitems: [{metadata: {name: a}, spec: {}}]\n"
        #expect(self.check(typed).names == ["default/a"])
        let item = "{apiVersion: keda.sh/v1alpha1, kind: ScaledJob, metadata: {name: a}, spec: {}}"
        let inner = "{apiVersion: v1, kind: List, items: [\(item)]}"
        #expect(self.check("apiVersion: v1\nkind: List\nitems: [\(inner)]\n").names == ["default/a"])
    }

    @Test func kindsOfKEDAThatAreNotLookedAtAreTold() {
        func object(_ kind: String) -> String { "apiVersion: keda.sh/v1alpha1\nkind: \(kind)\nmetadata: {name: a}\n" }
        let place = "f, document 1, line 1"
        #expect(
            self.warnings(object("scaledjob")) == ["\(place): scaledjob is not known and passed over; write ScaledJob"]
        )
        #expect(self.warnings(object("ScaledJobb")).first?.contains("ScaledJobb is not known and passed over") == true)
        #expect(self.warnings(object("ScaledObject")).first?.contains("keep KEDA for this one") == true)
        #expect(self.warnings("apiVersion: v1\nkind: Service\nmetadata: {name: x}\n").isEmpty)
    }

    @Test func aBudgetIsOneOfOurs() {
        let text = "apiVersion: sluice.dev/v1alpha1\nkind: JobBudget\nmetadata: {name: a}\nspec: {maxRunningJobs: 5}\n"
        #expect(self.check(text).names == ["a"])
        #expect(
            self.check(text.replacing("v1alpha1", with: "v1")).problems.first?.contains("sluice.dev/v1alpha1") == true
        )
        let place = "f, document 1, line 1"
        #expect(
            self.warnings(text.replacing("JobBudget", with: "Jobbudget"))
                == ["\(place): Jobbudget is not known and passed over; write JobBudget"]
        )
        #expect(
            self.warnings(text.replacing("JobBudget", with: "Budget"))
                == [
                    "\(place): Budget is not known and passed over; there are ScaledJob, TriggerAuthentication, "
                        + "ClusterTriggerAuthentication, JobBudget"
                ]
        )
    }

    private func check(_ text: String) -> (names: [String], problems: [String]) {
        let found = Manifest.check(Array(text.utf8), file: "f")
        return (found.manifests.map { "\($0.key)" }, found.problems.map(\.description))
    }

    @Test func oneWrongObjectHidesNoOther() {
        let found = self.check("kind: ScaledJob\n---\n\(Self.scaledJob)---\njust text\n")
        #expect(found.names == ["default/a"])
        #expect(
            found.problems == [
                "f, document 1, line 1: apiVersion and kind are required",
                "f, document 3, line 8: not an object but a bare value",
            ]
        )
    }

    @Test func otherKindsArePassedOver() {
        let found = self.check("apiVersion: v1\nkind: Service\nmetadata: {name: x}\n---\n\(Self.scaledJob)")
        #expect(found.names == ["default/a"] && found.problems.isEmpty)
    }

    @Test(arguments: ["", "\n\n", "# nothing\n", "---\n---\n", "~"]) func nothingIsNoProblem(text: String) {
        #expect(self.check(text).problems.isEmpty)
    }

    @Test(arguments: [
        ("a: 1\na: 2\n", "the key a is there twice"), ("a:\n\t- 1\n", "cannot start any token"), ("a: [1\n", "line"),
    ])
    func textThatIsNotYAMLIsOneProblem(text: String, part: String) {
        let found = self.check(text)
        #expect(found.problems.count == 1 && found.problems[0].contains(part), "\(found.problems)")
    }

    @Test func bytesThatAreNoTextAreOneProblem() {
        #expect(Manifest.check([0xff, 0xfe, 0x00], file: "f").problems.map(\.description) == ["f: not UTF-8"])
        let large = [UInt8](repeating: UInt8(ascii: "a"), count: Manifest.maximumSize + 1)
        #expect(Manifest.check(large, file: "f").problems.map(\.description) == ["f: larger than 4 MiB"])
    }

    @Test func metadataOfAnyShapeIsAccepted() {
        let found = self.check(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\n"
                + "metadata: {name: a, uid: 5, generation: [], ownerReferences: x, labels: 5, annotations: {a: b}, namespace: 7}\n"
        )
        #expect(found.names == ["default/a"] && found.problems.isEmpty, "\(found)")
    }
}
