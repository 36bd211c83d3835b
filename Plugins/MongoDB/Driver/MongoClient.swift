internal import CMongo

/// One connection out of a pool, for one thread; it goes back when the value ends.
@safe package struct MongoClient: ~Copyable {
    private let pool: OpaquePointer
    let pointer: OpaquePointer

    init?(pool: OpaquePointer) {
        guard let client = unsafe mongoc_client_pool_try_pop(pool) else { return nil }
        unsafe self.pool = pool
        unsafe self.pointer = client
    }

    deinit {
        unsafe mongoc_client_pool_push(self.pool, self.pointer)
    }

    /// Runs a command on the primary.
    @discardableResult
    package func command(_ command: BSONDocument, on database: String) throws(MongoError) -> BSONDocument {
        let (reply, error) = command.withPointer { command in
            BSONDocument.filled { reply in
                Self.failure { error in
                    unsafe mongoc_client_command_simple(self.pointer, database, command, nil, reply, error)
                }
            }
        }
        if let error { throw error }
        return reply
    }

    /// Lends a collection for the length of a closure.
    package func withCollection<Result>(
        _ name: String,
        in database: String,
        _ body: (borrowing MongoCollection) throws(MongoError) -> Result
    ) throws(MongoError) -> Result {
        guard let collection = unsafe mongoc_client_get_collection(self.pointer, database, name) else {
            throw MongoError(.driver, "\(database).\(name) is no name of a collection")
        }
        return try body(unsafe MongoCollection(collection))
    }

    /// Opens a change stream for the length of a closure; of all collections of the database where none is named.
    package func withChangeStream<Result>(
        of collection: String?,
        in database: String,
        pipeline: [BSONValue],
        options: BSONDocument,
        _ body: (inout MongoChangeStream) throws(MongoError) -> Result
    ) throws(MongoError) -> Result {
        let pipeline: BSONDocument = ["pipeline": .array(pipeline)]
        let made: OpaquePointer? = pipeline.withPointer { pipeline in
            options.withPointer { options in
                guard let collection else {
                    let parent = unsafe mongoc_client_get_database(self.pointer, database)
                    defer { unsafe mongoc_database_destroy(parent) }
                    return unsafe mongoc_database_watch(parent, pipeline, options)
                }
                let parent = unsafe mongoc_client_get_collection(self.pointer, database, collection)
                defer { unsafe mongoc_collection_destroy(parent) }
                return unsafe mongoc_collection_watch(parent, pipeline, options)
            }
        }
        guard let made = unsafe made else { throw MongoError(.driver, "no change stream could be made") }
        var stream = unsafe MongoChangeStream(made)
        try stream.check()
        return try body(&stream)
    }

    /// The error of a call that returns false when it fails; for calls that fill a reply as well.
    @safe static func failure(_ body: (UnsafeMutablePointer<bson_error_t>) -> Bool) -> MongoError? {
        do throws(MongoError) {
            try MongoError.check(body)
            return nil
        } catch {
            return error
        }
    }
}
