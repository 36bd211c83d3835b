internal import CMongo

extension BSONDocument {
    /// How a document is written as text.
    package enum JSONFlavour: Sendable {
        /// Every type is spelled out: equal documents give equal text.
        case canonical
        /// Numbers and dates as people write them.
        case relaxed
    }

    /// Reads extended JSON, either flavour.
    ///
    /// - Throws: ``MongoError`` with the C library's words for what is wrong with the text.
    package init(json: String) throws(MongoError) {
        var text = json
        let made = text.withUTF8 { utf8 in
            unsafe Result { () throws(MongoError) in
                try MongoError.check { error in
                    unsafe bson_new_from_json(utf8.baseAddress, utf8.count, error)
                }
            }
        }
        switch unsafe made {
        case .success(let pointer):
            defer { unsafe bson_destroy(pointer) }
            unsafe self.init(copying: pointer)
        case .failure(let error):
            throw MongoError(.syntax, code: error.code, error.message)
        }
    }

    /// The document as extended JSON.
    package func json(_ flavour: JSONFlavour) -> String {
        self.withPointer { pointer in
            let text =
                switch flavour {
                case .canonical: unsafe bson_as_canonical_extended_json(pointer, nil)
                case .relaxed: unsafe bson_as_relaxed_extended_json(pointer, nil)
                }
            guard let text = unsafe text else { return "" }
            defer { unsafe bson_free(text) }
            return unsafe String(cString: text)
        }
    }

    /// Copies what the C library holds.
    init(copying pointer: OpaquePointer) {
        guard let data = unsafe bson_get_data(pointer) else {
            self.init()
            return
        }
        // The first four bytes are the length.
        let length = (0..<4).reduce(0) { unsafe $0 | Int(data[$1]) << (8 * $1) }
        self.init(checkedBytes: unsafe Array(UnsafeBufferPointer(start: data, count: length)))
    }

    /// Lends the document to the C library for the length of a call.
    @safe func withPointer<Result, Failure>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // On the heap and not on the stack, which Swift does not align to 128 bytes.
        let room = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        defer { unsafe room.deallocate() }
        let bytes = self.bytes
        return try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(Failure) -> Result in
            let pointer = OpaquePointer(room)
            unsafe bson_init_static(pointer, bytes.baseAddress, bytes.count)
            return try unsafe body(pointer)
        }
    }

    /// Lends room for a reply, which the C library fills whether or not the call succeeds.
    @safe static func filled<Result, Failure>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> (reply: BSONDocument, result: Result) {
        // `bson_new` would leak: the C library initializes the room anew, as if it were on the stack.
        let room = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        let pointer = OpaquePointer(room)
        unsafe bson_init(pointer)
        defer {
            unsafe bson_destroy(pointer)
            unsafe room.deallocate()
        }
        let result = try unsafe body(pointer)
        return unsafe (BSONDocument(copying: pointer), result)
    }
}

extension BSONValue {
    /// The value alone as canonical extended JSON: equal values give equal text.
    package var canonicalJSON: String {
        let document: BSONDocument = ["v": self]
        let text = document.json(.canonical)
        // `{ "v" : value }`
        guard let colon = text.firstIndex(of: ":"), text.hasSuffix(" }") else { return text }
        return String(text[text.index(after: colon)...].dropFirst().dropLast(2))
    }
}
