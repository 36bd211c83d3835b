internal import CMongo
internal import NIOConcurrencyHelpers

/// A limited number of connections to one deployment, and the threads that block on them.
///
/// Thread-safe. The connections end when the last reference is gone and the last call has returned.
@safe package final class MongoPool: Sendable {
    /// How a pool is made.
    package struct Configuration: Sendable {
        /// A MongoDB URI, which is a secret; what it says wins over the defaults below.
        package var uri: String
        /// TLS beyond what the URI says.
        package var tls: TLSFiles?
        /// How many calls run at the same time.
        package var parallelCalls = 4
        /// How many connections may be held for long, by a change stream for example.
        package var longHolders = 4
        /// How long a server is looked for.
        package var serverSelectionMilliseconds: Int32 = 3000
        /// How long an answer may take before its connection is given up.
        package var socketTimeoutMilliseconds: Int32 = 15000
        /// Shown in the server's log.
        package var applicationName = "sluice"

        /// Creates a configuration.
        package init(uri: String, tls: TLSFiles? = nil) {
            self.uri = uri
            self.tls = tls
        }
    }

    /// Certificates by their files, as the C library wants them.
    package struct TLSFiles: Sendable {
        /// Certificate and key of the client, in one PEM file.
        package var certificateAndKey: String?
        /// Decrypts the key.
        package var keyPassword: String?
        /// The authorities trusted, in a PEM file; the system's when nil.
        package var authorities: String?

        /// Creates a set of files.
        package init(certificateAndKey: String? = nil, keyPassword: String? = nil, authorities: String? = nil) {
            self.certificateAndKey = certificateAndKey
            self.keyPassword = keyPassword
            self.authorities = authorities
        }
    }

    /// A call that failed for want of a server fails those that had waited behind it as well: they would take as long.
    private struct Outage {
        var ended: ContinuousClock.Instant
        var error: MongoError
    }

    private let configuration: Configuration
    /// Made by the first call, because a `mongodb+srv` name is looked up then; calls wait for it on threads of ours.
    private let made = NIOLockedValueBox<MadePool?>(nil)
    private let threads: WorkerThreads
    private let secrets: [String]
    private let outage = NIOLockedValueBox<Outage?>(nil)

    /// Prepares a pool without blocking: the first call connects.
    package init(_ configuration: Configuration) {
        self.configuration = configuration
        self.secrets = MongoURI.secrets(of: configuration.uri)
        self.threads = WorkerThreads(limit: configuration.parallelCalls, bound: 8192)
    }

    deinit {
        // Destroying waits for the monitors of the C library: not on the thread that happens to let go.
        let made = self.made.withLockedValue { $0 }
        self.threads.stop {
            if let made { unsafe mongoc_client_pool_destroy(made.pointer) }
        }
    }

    /// Runs calls on one of the pool's threads, with a connection of its own.
    ///
    /// - Throws: ``MongoError``; `CancellationError` as soon as the task is cancelled, while the call itself runs into its
    ///   own time limit.
    package func run<Result: Sendable>(
        _ body: @escaping @Sendable (borrowing MongoClient) throws(MongoError) -> Result
    ) async throws -> Result {
        let queuedAt = ContinuousClock.now
        let answer = Answer<Result>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard answer.willResume(continuation) else { return }
                let accepted = self.threads.submit {
                    guard answer.isWanted else { return }
                    answer.resume(with: self.failure(since: queuedAt) ?? self.attempt(body))
                }
                if !accepted {
                    answer.resume(with: .failure(MongoError(.driver, "too many calls wait for this server")))
                }
            }
        } onCancel: {
            answer.resume(with: .failure(CancellationError()))
        }
    }

    /// Runs calls on this thread, which they block, with a connection of its own.
    package func withClient<Result>(
        _ body: (borrowing MongoClient) throws(MongoError) -> Result
    ) throws(MongoError) -> Result {
        do throws(MongoError) {
            let pool = try self.pool()
            guard let client = unsafe MongoClient(pool: pool.pointer) else {
                throw MongoError(.driver, "every connection is in use")
            }
            return try body(client)
        } catch {
            throw error.without(self.secrets)
        }
    }

    private func pool() throws(MongoError) -> MadePool {
        let result: Swift.Result<MadePool, MongoError> = self.made.withLockedValue { made in
            if let made { return .success(made) }
            do throws(MongoError) {
                let pool = unsafe MadePool(pointer: try unsafe Self.makePool(self.configuration))
                made = pool
                return .success(pool)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Starts a thread of its own for a loop that blocks, for example on a change stream.
    ///
    /// - Returns: False when the system gave none; the body is not run then.
    package static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        WorkerThreads.start(body)
    }

    private func attempt<Result>(
        _ body: (borrowing MongoClient) throws(MongoError) -> Result
    ) -> Swift.Result<Result, any Error> {
        do {
            return .success(try self.withClient(body))
        } catch {
            if error.domain == .serverSelection {
                self.outage.withLockedValue { $0 = Outage(ended: .now, error: error) }
            }
            return .failure(error)
        }
    }

    private func failure<Result>(since queuedAt: ContinuousClock.Instant) -> Swift.Result<Result, any Error>? {
        self.outage.withLockedValue { outage in
            guard let outage, outage.ended > queuedAt else { return nil }
            return .failure(outage.error)
        }
    }
}

extension MongoPool {
    /// The C library, started once and silent: what it has to say comes as errors.
    private static let isLibraryStarted: Bool = {
        mongoc_init()
        unsafe mongoc_log_set_handler({ _, _, _, _ in }, nil)
        return true
    }()

    private static func makePool(_ configuration: Configuration) throws(MongoError) -> OpaquePointer {
        _ = Self.isLibraryStarted
        let uri = try unsafe self.parse(configuration.uri)
        defer { unsafe mongoc_uri_destroy(uri) }
        let defaults = [
            (MONGOC_URI_SERVERSELECTIONTIMEOUTMS, configuration.serverSelectionMilliseconds),
            (MONGOC_URI_SOCKETTIMEOUTMS, configuration.socketTimeoutMilliseconds),
            (MONGOC_URI_CONNECTTIMEOUTMS, 5000),
        ]
        for (option, value) in defaults where unsafe !mongoc_uri_has_option(uri, option) {
            unsafe mongoc_uri_set_option_as_int32(uri, option, value)
        }
        if unsafe mongoc_uri_get_appname(uri) == nil {
            unsafe mongoc_uri_set_appname(uri, configuration.applicationName)
        }
        if configuration.tls != nil {
            unsafe mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, true)
        }
        let pool = try MongoError.check { error in unsafe mongoc_client_pool_new_with_error(uri, error) }
        unsafe mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2)
        unsafe mongoc_client_pool_max_size(pool, UInt32(configuration.parallelCalls + configuration.longHolders))
        if let tls = configuration.tls {
            unsafe self.use(tls, pool)
        }
        return unsafe pool
    }

    private static func parse(_ uri: String) throws(MongoError) -> OpaquePointer {
        do {
            return try MongoError.check { error in unsafe mongoc_uri_new_with_error(uri, error) }
        } catch {
            throw MongoError(.syntax, code: error.code, error.message)
        }
    }

    /// The C library copies the texts.
    private static func use(_ tls: TLSFiles, _ pool: OpaquePointer) {
        var options = unsafe mongoc_ssl_opt_get_default().pointee
        unsafe withOptionalCString(tls.certificateAndKey) { file in
            unsafe withOptionalCString(tls.keyPassword) { password in
                unsafe withOptionalCString(tls.authorities) { authorities in
                    unsafe options.pem_file = file
                    unsafe options.pem_pwd = password
                    unsafe options.ca_file = authorities
                    unsafe mongoc_client_pool_set_ssl_opts(pool, &options)
                }
            }
        }
    }

    private static func withOptionalCString(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Void) {
        guard let text else { return body(nil) }
        unsafe text.withCString { unsafe body($0) }
    }
}

/// The C library's pool: thread-safe by its promise, and destroyed after everything else has let go of it.
@safe private struct MadePool: @unchecked Sendable {
    let pointer: OpaquePointer
}
