internal import CMongo

/// The changes of a collection or database, as the server sees them, for one thread.
@safe package struct MongoChangeStream: ~Copyable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe mongoc_change_stream_destroy(self.pointer)
    }

    /// The next event, or nil when there was none within the maximum await time.
    ///
    /// The C library resumes once by itself after an error that allows it.
    package mutating func next() throws(MongoError) -> BSONDocument? {
        var event: OpaquePointer?
        if unsafe mongoc_change_stream_next(self.pointer, &event), let event = unsafe event {
            return unsafe BSONDocument(copying: event)
        }
        try self.check()
        return nil
    }

    /// Where to go on after everything seen so far; opaque.
    package var resumeToken: BSONDocument? {
        guard let token = unsafe mongoc_change_stream_get_resume_token(self.pointer) else { return nil }
        return unsafe BSONDocument(copying: token)
    }

    /// Throws the error that has ended the stream, if one has.
    func check() throws(MongoError) {
        var error = bson_error_t()
        var document: OpaquePointer?
        if unsafe mongoc_change_stream_error_document(self.pointer, &error, &document) {
            throw MongoError(error)
        }
    }
}
