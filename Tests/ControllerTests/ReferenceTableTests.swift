import Testing

@testable import Controller

@Suite struct ReferenceTableTests {
    @Test func whatNobodyRefersToAnyMoreHasEnded() {
        var table = ReferenceTable<String>()
        table.set("a", to: ["x", "y"])
        table.set("b", to: ["x"])
        #expect(table.users(of: "x") == ["a", "b"])
        #expect(table.takeChanges() == (begun: ["x", "y"], ended: []))
        table.set("a", to: [])
        #expect(table.takeChanges() == (begun: [], ended: ["y"]))
        table.set("b", to: ["z"])
        #expect(table.takeChanges() == (begun: ["z"], ended: ["x"]))
        #expect(table.users(of: "x").isEmpty)
        #expect(Array(table.targets) == ["z"])
    }

    @Test func whatComesAndGoesBetweenTwoLooksDidNotChange() {
        var table = ReferenceTable<String>()
        table.set("a", to: ["x"])
        table.set("a", to: [])
        #expect(table.takeChanges() == (begun: [], ended: []))
        table.set("a", to: ["x"])
        _ = table.takeChanges()
        table.set("a", to: [])
        table.set("b", to: ["x"])
        #expect(table.takeChanges() == (begun: [], ended: []))
    }
}
