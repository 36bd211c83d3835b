import Scaling
import Testing

@Suite struct ItemNamesTests {
    private let hash = ItemNames.hash(of: [UInt8](repeating: 0xA7, count: 32))

    @Test func aNameSaysWhichItemAndWhichJobOfIt() throws {
        let names = ItemNames(scaledJob: "transcode", uid: "7c1f")
        let name = names.name(hash: self.hash, number: 2)
        #expect(name.hasPrefix("transcode-"))
        #expect(name.hasSuffix("-\(self.hash)-2"))
        let parsed = try #require(names.parse(name))
        #expect(parsed.hash == self.hash)
        #expect(parsed.number == 2)
        #expect(ItemNames(scaledJob: "transcode", uid: "other").parse(name) == nil)
    }

    @Test(arguments: ["a", String(repeating: "x", count: 63), String(repeating: "x.", count: 100)])
    func everyNameFitsALabel(scaledJob: String) {
        let names = ItemNames(scaledJob: scaledJob, uid: "7c1f")
        let name = names.name(hash: self.hash, number: ItemNames.largestNumber)
        #expect(name.utf8.count <= 63)
        #expect(name.wholeMatch(of: /[a-z0-9]([-a-z0-9.]*[a-z0-9])?/) != nil)
        #expect(names.parse(name)?.number == ItemNames.largestNumber)
    }

    @Test func namesOfItemsAndOrdinaryNamesAreNeverMistaken() {
        var ordinary = JobNames(scaledJob: "transcode", uid: "7c1f")
        let names = ItemNames(scaledJob: "transcode", uid: "7c1f")
        let name = ordinary.next()
        #expect(name == "\(names.name(hash: "", number: 1).dropLast(2))1")
        #expect(names.parse(name) == nil)
        #expect(ordinary.owns(name))
        #expect(!ordinary.owns(names.name(hash: self.hash, number: 1)))
        ordinary.saw(names.name(hash: String(repeating: "9", count: 18), number: 7))
        #expect(ordinary.lastNumber == 1)
    }

    @Test func differentDigestsGiveDifferentHashes() {
        var seen: Set<String> = []
        for byte in 0..<16 {
            for bit in 0..<8 {
                var digest = [UInt8](repeating: 0, count: 32)
                digest[byte] = 1 << UInt8(bit)
                let hash = ItemNames.hash(of: digest)
                #expect(hash.utf8.count == ItemNames.hashLength)
                seen.insert(hash)
            }
        }
        // Of 128 bits about 85 are left: the low ones all count.
        #expect(seen.count >= 85)
    }
}
