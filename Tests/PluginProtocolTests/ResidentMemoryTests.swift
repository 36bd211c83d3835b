import Testing

@testable import PluginProtocol

@Suite struct ResidentMemoryTests {
    @Test func codeOfAFileIsARange() {
        let line = "7f6366c00000-7f6367000000 r-xp 000fe000 fe:00 2359 /usr/lib/x y.so\n"
        #expect(ResidentMemory.codeRange(line) == 0x7f63_66c0_0000..<0x7f63_6700_0000)
    }

    @Test(arguments: [
        "7f6366c00000-7f6367000000 rw-p 000fe000 fe:00 2359 /usr/lib/x.so",
        "7f6366c00000-7f6367000000 r--p 000fe000 fe:00 2359 /usr/lib/x.so",
        "7f6366c00000-7f6367000000 rwxp 000fe000 fe:00 2359 /usr/lib/x.so",
        "7f6366c00000-7f6367000000 r-xp 00000000 00:00 0 [vdso]",
        "7f6367000000-7f6366c00000 r-xp 000fe000 fe:00 2359 /usr/lib/x.so",
        "not a line",
        "",
    ])
    func whateverCouldBeLostIsLeftAlone(line: String) {
        #expect(ResidentMemory.codeRange(line) == nil)
    }

    @Test func releasingChangesNothingButWhatIsResident() {
        ResidentMemory.release()
        #expect([3, 1, 2].sorted() == [1, 2, 3])
    }
}
