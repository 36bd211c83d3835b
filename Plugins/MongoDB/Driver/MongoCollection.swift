internal import CMongo

/// A collection, by the connection that lent it, for one thread.
@safe package struct MongoCollection: ~Copyable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe mongoc_collection_destroy(self.pointer)
    }

    /// Counts what matches, by looking, and not from the metadata, which a crash makes wrong.
    ///
    /// The server gives up after the given time.
    package func count(_ filter: BSONDocument, within milliseconds: Int64) throws(MongoError) -> Int64 {
        let options: BSONDocument = ["maxTimeMS": .int64(milliseconds)]
        var error = bson_error_t()
        let count = filter.withPointer { filter in
            options.withPointer { options in
                unsafe mongoc_collection_count_documents(self.pointer, filter, options, nil, nil, &error)
            }
        }
        guard count >= 0 else { throw MongoError(error) }
        return count
    }

    /// What a pipeline gives, all at once: bound it by `$limit`.
    package func aggregate(
        _ pipeline: [BSONValue],
        within milliseconds: Int64
    ) throws(MongoError) -> [BSONDocument] {
        let pipeline: BSONDocument = ["pipeline": .array(pipeline)]
        let options: BSONDocument = ["maxTimeMS": .int64(milliseconds)]
        let made = pipeline.withPointer { pipeline in
            options.withPointer { options in
                unsafe mongoc_collection_aggregate(self.pointer, MONGOC_QUERY_NONE, pipeline, options, nil)
            }
        }
        guard let cursor = unsafe made else { throw MongoError(.driver, "no cursor could be made") }
        defer { unsafe mongoc_cursor_destroy(cursor) }
        var documents: [BSONDocument] = []
        var document: OpaquePointer?
        while unsafe mongoc_cursor_next(cursor, &document), let found = unsafe document {
            documents.append(unsafe BSONDocument(copying: found))
        }
        var error = bson_error_t()
        if unsafe mongoc_cursor_error(cursor, &error) { throw MongoError(error) }
        return documents
    }

    /// Changes one document that matches, atomically.
    ///
    /// - Returns: The document as it is afterwards; nil when none matched.
    package func findAndModify(
        _ filter: BSONDocument,
        sort: BSONDocument = [:],
        update: BSONDocument
    ) throws(MongoError) -> BSONDocument? {
        let options = unsafe mongoc_find_and_modify_opts_new()
        defer { unsafe mongoc_find_and_modify_opts_destroy(options) }
        update.withPointer { _ = unsafe mongoc_find_and_modify_opts_set_update(options, $0) }
        sort.withPointer { _ = unsafe mongoc_find_and_modify_opts_set_sort(options, $0) }
        unsafe mongoc_find_and_modify_opts_set_flags(options, MONGOC_FIND_AND_MODIFY_RETURN_NEW)
        let (reply, error) = filter.withPointer { filter in
            BSONDocument.filled { reply in
                MongoClient.failure { error in
                    unsafe mongoc_collection_find_and_modify_with_opts(self.pointer, filter, options, reply, error)
                }
            }
        }
        if let error { throw error }
        return reply["value"]?.document
    }

    /// Changes one document that matches.
    ///
    /// - Returns: Whether one matched.
    package func updateOne(_ filter: BSONDocument, update: BSONDocument) throws(MongoError) -> Bool {
        let (reply, error) = filter.withPointer { filter in
            update.withPointer { update in
                BSONDocument.filled { reply in
                    MongoClient.failure { error in
                        unsafe mongoc_collection_update_one(self.pointer, filter, update, nil, reply, error)
                    }
                }
            }
        }
        if let error { throw error }
        return (reply["matchedCount"]?.integer ?? 0) > 0
    }

    /// Adds documents.
    package func insert(_ documents: [BSONDocument]) throws(MongoError) {
        for document in documents {
            let error = document.withPointer { document in
                MongoClient.failure { error in
                    unsafe mongoc_collection_insert_one(self.pointer, document, nil, nil, error)
                }
            }
            if let error { throw error }
        }
    }
}
