internal import CCurl

/// One libcurl easy handle, prepared for one endpoint and used for one request after another.
///
/// Touched on the engine's thread only.
@safe final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    /// Handles of streams and of calls differ in the size of their buffers, which can't be changed once in use.
    let isStream: Bool
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var route: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var client: ClientIdentity?
    private var isSigning = false
    /// The first option that libcurl refused, and why.
    private var refusal: String?

    /// Sets all that is the same for every request.
    ///
    /// Nil when libcurl is out of memory or refuses the endpoint.
    init?(_ endpoint: HTTPEndpoint, address: HTTPEndpoint.Address, isStream: Bool) {
        guard let raw = unsafe curl_easy_init() else { return nil }
        unsafe self.raw = raw
        self.isStream = isStream
        unsafe self.errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe self.errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard self.setUp(endpoint, address) else { return nil }
    }

    deinit {
        unsafe curl_easy_cleanup(self.raw)
        unsafe curl_slist_free_all(self.headers)
        unsafe curl_slist_free_all(self.route)
        unsafe self.errorText.deallocate()
    }

    private func setUp(_ endpoint: HTTPEndpoint, _ address: HTTPEndpoint.Address) -> Bool {
        var isSet = self.set(CURLOPT_PROTOCOLS_STR, endpoint.allowsPlainHTTP ? "http,https" : "https")
        // Without this libcurl uses signals for timeouts; with it SIGPIPE is ours to block (see CurlLoop).
        isSet = self.set(CURLOPT_NOSIGNAL, 1) && isSet
        isSet = self.set(CURLOPT_FOLLOWLOCATION, 0) && isSet
        // Each transfer has a connection of its own while it lasts. Where several share one by HTTP/2, libcurl may forget
        // that one of them has something to read, and it stands still.
        isSet = self.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)) && isSet
        isSet = self.set(CURLOPT_TCP_NODELAY, 1) && isSet
        isSet = self.set(CURLOPT_TCP_KEEPALIVE, 1) && isSet
        isSet = self.set(CURLOPT_TCP_KEEPIDLE, 15) && isSet
        isSet = self.set(CURLOPT_TCP_KEEPINTVL, 10) && isSet
        isSet = unsafe sluice_curl_limit_silence(self.raw) == CURLE_OK && isSet
        isSet = self.set(CURLOPT_UPLOAD_BUFFERSIZE, 16 << 10) && isSet
        // Hundreds of watches lie open at once, and each keeps such a buffer.
        isSet = self.set(CURLOPT_BUFFERSIZE, self.isStream ? 4 << 10 : 16 << 10) && isSet
        isSet = unsafe sluice_curl_set_pointer(self.raw, CURLOPT_ERRORBUFFER, self.errorText) == CURLE_OK && isSet
        isSet = unsafe sluice_curl_set_received(self.raw, CURLOPT_HEADERFUNCTION, headerReceived) == CURLE_OK && isSet
        isSet = unsafe sluice_curl_set_received(self.raw, CURLOPT_WRITEFUNCTION, bodyReceived) == CURLE_OK && isSet
        isSet = unsafe sluice_curl_set_before_sending(self.raw, aboutToSend) == CURLE_OK && isSet
        if !endpoint.verifiesServer {
            isSet = self.set(CURLOPT_SSL_VERIFYPEER, 0) && self.set(CURLOPT_SSL_VERIFYHOST, 0) && isSet
        }
        if let authority = endpoint.certificateAuthority {
            isSet = self.set(CURLOPT_CAINFO_BLOB, authority) && isSet
        }
        if let proxy = endpoint.proxy {
            isSet = self.set(CURLOPT_PROXY, proxy) && isSet
        } else if address.isLoopback {
            // What the environment says about proxies is never about this machine.
            isSet = self.set(CURLOPT_PROXY, "") && isSet
        }
        if let name = endpoint.serverName {
            // The URL then carries that name, and this leads it to the real address.
            let route = "\(name):\(address.port):\(address.host):\(address.port)"
            let list = unsafe curl_slist_append(nil, route)
            isSet = unsafe sluice_curl_set_list(self.raw, CURLOPT_CONNECT_TO, list) == CURLE_OK && isSet
            unsafe self.route = list
        }
        return isSet
    }

    /// Sets what this request is about.
    ///
    /// Returns the message when libcurl refuses it.
    func prepare(
        _ request: HTTPRequest,
        url: String,
        identity: ClientIdentity?,
        connectTimeout: Duration
    ) -> String? {
        unsafe self.errorText.pointee = 0
        unsafe curl_slist_free_all(self.headers)
        unsafe self.headers = nil
        for line in request.headers {
            unsafe self.headers = curl_slist_append(self.headers, line)
        }
        // Left out of what is signed: libcurl would sign the header that it does not send.
        if request.signing == nil { unsafe self.headers = curl_slist_append(self.headers, "Expect:") }
        self.refusal = nil
        var isSet = self.set(CURLOPT_URL, url)
        if let body = request.body {
            isSet = self.set(CURLOPT_POST, 1) && isSet
            let size = curl_off_t(body.count)
            isSet = unsafe sluice_curl_set_offset(self.raw, CURLOPT_POSTFIELDSIZE_LARGE, size) == CURLE_OK && isSet
            isSet =
                unsafe body.withUnsafeBytes { bytes in
                    let start = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                    return unsafe sluice_curl_set_pointer(self.raw, CURLOPT_COPYPOSTFIELDS, start) == CURLE_OK
                } && isSet
        } else {
            isSet = self.set(CURLOPT_HTTPGET, 1) && isSet
        }
        isSet = self.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) && isSet
        isSet = unsafe sluice_curl_set_list(self.raw, CURLOPT_HTTPHEADER, self.headers) == CURLE_OK && isSet
        let timeout = self.isStream ? request.streamTimeout ?? .zero : request.timeout
        isSet = self.set(CURLOPT_TIMEOUT_MS, timeout.wholeMilliseconds) && isSet
        let connect = min(connectTimeout, request.timeout)
        isSet = self.set(CURLOPT_CONNECTTIMEOUT_MS, max(1, connect.wholeMilliseconds)) && isSet
        if identity !== self.client {
            isSet = self.use(identity) && isSet
        }
        if let signing = request.signing {
            isSet = self.sign(signing) && isSet
        } else if self.isSigning {
            isSet = self.set(CURLOPT_AWS_SIGV4, nil as String?) && isSet
            isSet = self.set(CURLOPT_USERNAME, nil as String?) && self.set(CURLOPT_PASSWORD, nil as String?) && isSet
            self.isSigning = false
        }
        return isSet ? nil : "libcurl refused \(self.refusal ?? "an option")"
    }

    private func sign(_ signing: AmazonSigning) -> Bool {
        self.isSigning = true
        return self.set(CURLOPT_AWS_SIGV4, "aws:amz:\(signing.region):\(signing.service)")
            && self.set(CURLOPT_USERNAME, signing.accessKey)
            && self.set(CURLOPT_PASSWORD, signing.secretKey)
    }

    private func use(_ identity: ClientIdentity?) -> Bool {
        self.client = identity
        return self.set(CURLOPT_SSLCERT_BLOB, identity?.certificate)
            && self.set(CURLOPT_SSLKEY_BLOB, identity?.key)
    }

    /// Makes the transfer the target of the callbacks.
    ///
    /// It must live until the handle has left the multi handle.
    func direct(to transfer: Transfer) {
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        _ = unsafe sluice_curl_set_pointer(self.raw, CURLOPT_HEADERDATA, context)
        _ = unsafe sluice_curl_set_pointer(self.raw, CURLOPT_WRITEDATA, context)
        _ = unsafe sluice_curl_set_pointer(self.raw, CURLOPT_PREREQDATA, context)
    }

    /// Forgets the last request's body and headers, which may be large or secret.
    func clear() {
        _ = self.set(CURLOPT_HTTPGET, 1)
        _ = unsafe sluice_curl_set_pointer(self.raw, CURLOPT_COPYPOSTFIELDS, nil)
        _ = unsafe sluice_curl_set_list(self.raw, CURLOPT_HTTPHEADER, nil)
        unsafe curl_slist_free_all(self.headers)
        unsafe self.headers = nil
    }

    /// Tells handles apart.
    var identity: UInt { unsafe UInt(bitPattern: self.raw) }

    // MARK: Results

    private var errorMessage: String? {
        unsafe self.errorText.pointee == 0 ? nil : String(cString: self.errorText)
    }

    /// True unless the request certainly never left: libcurl notes when it was about to send it.
    var mayHaveBeenSent: Bool {
        var microseconds: curl_off_t = 0
        let code = unsafe sluice_curl_get_offset(self.raw, CURLINFO_PRETRANSFER_TIME_T, &microseconds)
        return code != CURLE_OK || microseconds > 0
    }

    func failure(_ code: CURLcode) -> TransferFailure? {
        guard code != CURLE_OK else { return nil }
        let reason: TransferFailure.Reason =
            switch code {
            case CURLE_OPERATION_TIMEDOUT: .timedOut
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS: .untrusted
            case CURLE_WRITE_ERROR, CURLE_FILESIZE_EXCEEDED, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
                CURLE_UNSUPPORTED_PROTOCOL where self.mayHaveBeenSent:
                .malformed
            case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_CIPHER, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION, CURLE_FAILED_INIT:
                .misconfigured
            default: .unreachable
            }
        let message = unsafe self.errorMessage ?? String(cString: curl_easy_strerror(code))
        return TransferFailure(reason: reason, message: message, mayHaveBeenSent: self.mayHaveBeenSent)
    }

    // MARK: Options

    private func set(_ option: CURLoption, _ value: Int) -> Bool {
        self.check(unsafe sluice_curl_set_long(self.raw, option, value), option)
    }

    private func set(_ option: CURLoption, _ value: String?) -> Bool {
        self.check(unsafe sluice_curl_set_string(self.raw, option, value), option)
    }

    private func set(_ option: CURLoption, _ value: [UInt8]?) -> Bool {
        guard let value else { return self.check(unsafe sluice_curl_set_blob(self.raw, option, nil, 0), option) }
        return self.check(
            unsafe value.withUnsafeBytes { bytes in
                unsafe sluice_curl_set_blob(self.raw, option, bytes.baseAddress, bytes.count)
            },
            option
        )
    }

    private func check(_ code: CURLcode, _ option: CURLoption) -> Bool {
        if code != CURLE_OK, self.refusal == nil {
            self.refusal = "option \(option.rawValue): \(unsafe String(cString: curl_easy_strerror(code)))"
        }
        return code == CURLE_OK
    }
}

private let headerReceived: sluice_curl_received = { bytes, size, count, context in
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    transfer.receivedHeader(unsafe line.bindMemory(to: UInt8.self).span)
    return size * count
}

private let bodyReceived: sluice_curl_received = { bytes, size, count, context in
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let part = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    // Any other number than the one given stops the transfer; the number for a pause can't be meant here.
    return transfer.receivedBody(unsafe part.bindMemory(to: UInt8.self).span) ? size * count : 0
}

private let aboutToSend: sluice_curl_before_sending = { context, _, _, _, _ in
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.mayBeSent() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

extension Duration {
    /// Whole milliseconds, as libcurl takes them; at least one unless the duration is zero.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = self.components
        let milliseconds = Int(clamping: seconds).multipliedReportingOverflow(by: 1000)
        guard !milliseconds.overflow else { return Int.max }
        let sum = milliseconds.partialValue.addingReportingOverflow(Int(attoseconds / 1_000_000_000_000_000))
        return sum.overflow ? Int.max : self > .zero ? max(1, sum.partialValue) : 0
    }
}
