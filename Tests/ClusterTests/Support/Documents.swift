import NIOConcurrencyHelpers
import PluginPeers

/// What waits: a number in a file that the scripted plugin reads.
///
/// A document stays counted until its Job has finished it, as in the transcoding case.
final class Documents: Sendable {
    let file: String
    private let folder: TemporarySocket
    private let name: String
    private let number: NIOLockedValueBox<Int>

    init(_ number: Int, named name: String, in folder: TemporarySocket) {
        self.number = NIOLockedValueBox(number)
        self.folder = folder
        self.name = name
        self.file = folder.write("\(number)\n", to: name)
    }

    var waiting: Int { self.number.withLockedValue { $0 } }

    func add(_ count: Int) {
        self.number.withLockedValue { number in
            number += count
            self.folder.write("\(number)\n", to: self.name)
        }
    }

    /// Takes one that a Job has finished; false when there is none, and so the Job was one too many.
    func finishOne() -> Bool {
        self.number.withLockedValue { number in
            guard number > 0 else { return false }
            number -= 1
            self.folder.write("\(number)\n", to: self.name)
            return true
        }
    }

    /// Makes the file unreadable as a number, until the next ``add(_:)``.
    func spoil() { self.folder.write("nonsense\n", to: self.name) }
}
