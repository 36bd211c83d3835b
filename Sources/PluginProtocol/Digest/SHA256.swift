/// SHA-256 as FIPS 180-4 defines it: for names that follow from a text and must not collide.
///
/// Of our own because what is hashed is short and rare, and a library of ciphers would be the largest part of a plugin.
package enum SHA256 {
    /// The 32 bytes of the digest.
    package static func digest(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var message = Array(bytes)
        let length = UInt64(message.count) * 8
        message.append(0x80)
        message.append(contentsOf: repeatElement(0, count: (120 - message.count % 64) % 64))
        for shift in stride(from: 56, through: 0, by: -8) { message.append(UInt8(truncatingIfNeeded: length >> shift)) }

        var state = Self.initial
        var schedule = [UInt32](repeating: 0, count: 64)
        for block in stride(from: 0, to: message.count, by: 64) {
            for index in 0..<16 {
                schedule[index] = message[(block + index * 4)..<(block + index * 4 + 4)].reduce(0) {
                    $0 << 8 | UInt32($1)
                }
            }
            for index in 16..<64 {
                let (second, fifteenth) = (schedule[index - 2], schedule[index - 15])
                let low = Self.rotated(fifteenth, 7) ^ Self.rotated(fifteenth, 18) ^ fifteenth >> 3
                let high = Self.rotated(second, 17) ^ Self.rotated(second, 19) ^ second >> 10
                schedule[index] = schedule[index - 16] &+ low &+ schedule[index - 7] &+ high
            }
            Self.compress(&state, schedule)
        }
        return state.flatMap { word in
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
        }
    }

    private static func compress(_ state: inout [UInt32], _ schedule: [UInt32]) {
        var words = state
        for index in 0..<64 {
            let (first, fifth) = (words[0], words[4])
            let high = Self.rotated(fifth, 6) ^ Self.rotated(fifth, 11) ^ Self.rotated(fifth, 25)
            let choice = fifth & words[5] ^ ~fifth & words[6]
            let one = words[7] &+ high &+ choice &+ Self.constants[index] &+ schedule[index]
            let low = Self.rotated(first, 2) ^ Self.rotated(first, 13) ^ Self.rotated(first, 22)
            let majority = first & words[1] ^ first & words[2] ^ words[1] & words[2]
            words = [one &+ low &+ majority, first, words[1], words[2], words[3] &+ one, fifth, words[5], words[6]]
        }
        for index in state.indices { state[index] &+= words[index] }
    }

    private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

    private static let initial: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
