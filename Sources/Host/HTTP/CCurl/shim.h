#pragma once
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// Swift cannot call variadic functions: one wrapper for each kind of argument.

static inline CURLcode sluice_curl_set_long(CURL *_Nonnull handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sluice_curl_set_offset(CURL *_Nonnull handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sluice_curl_set_string(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sluice_curl_set_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sluice_curl_set_list(
    CURL *_Nonnull handle, CURLoption option, struct curl_slist *_Nullable list
) {
    return curl_easy_setopt(handle, option, list);
}

// The bytes are copied.
static inline CURLcode sluice_curl_set_blob(
    CURL *_Nonnull handle, CURLoption option, const void *_Nullable bytes, size_t count
) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, bytes ? &blob : NULL);
}

typedef size_t (*sluice_curl_received)(char *_Nonnull bytes, size_t size, size_t count, void *_Nonnull context);

static inline CURLcode sluice_curl_set_received(
    CURL *_Nonnull handle, CURLoption option, sluice_curl_received _Nonnull function
) {
    return curl_easy_setopt(handle, option, function);
}

// Called each time when a connection is ready and the request is about to be sent over it; anything but 0 stops it.
typedef int (*sluice_curl_before_sending)(
    void *_Nonnull context, char *_Nullable address, char *_Nullable local_address, int port, int local_port
);

static inline CURLcode sluice_curl_set_before_sending(
    CURL *_Nonnull handle, sluice_curl_before_sending _Nonnull function
) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, function);
}

static inline CURLcode sluice_curl_get_long(CURL *_Nonnull handle, CURLINFO info, long *_Nonnull value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode sluice_curl_get_offset(CURL *_Nonnull handle, CURLINFO info, curl_off_t *_Nonnull value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode sluice_curl_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// The next finished handle, or NULL. CURLMsg hides the result in a union.
static inline CURL *_Nullable sluice_curl_multi_finished(CURLM *_Nonnull multi, CURLcode *_Nonnull result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

// libcurl has no option for TCP_USER_TIMEOUT, without which a connection into nowhere lives for a quarter of an hour.
static int sluice_curl_socket_created(void *_Nullable context, curl_socket_t socket, curlsocktype purpose) {
    (void)context;
    (void)purpose;
#ifdef TCP_USER_TIMEOUT
    unsigned milliseconds = 30000;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
#endif
    return CURL_SOCKOPT_OK;
}

static inline CURLcode sluice_curl_limit_silence(CURL *_Nonnull handle) {
    return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, sluice_curl_socket_created);
}
