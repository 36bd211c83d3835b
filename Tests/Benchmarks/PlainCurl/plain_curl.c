#include "plain_curl.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t discard(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes;
    (void)context;
    return size * count;
}

static struct curl_blob blob(const char *text) {
    struct curl_blob blob = {(void *)text, strlen(text), CURL_BLOB_NOCOPY};
    return blob;
}

static CURL *new_handle(const struct plain_curl_target *target, struct curl_slist *headers) {
    CURL *handle = curl_easy_init();
    struct curl_blob authority = blob(target->authority);
    struct curl_blob certificate = blob(target->certificate);
    struct curl_blob key = blob(target->key);
    curl_easy_setopt(handle, CURLOPT_URL, target->url);
    curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &authority);
    curl_easy_setopt(handle, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(handle, CURLOPT_SSLKEY_BLOB, &key);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(handle, CURLOPT_PIPEWAIT, (long)target->uses_http2);
    curl_easy_setopt(
        handle, CURLOPT_HTTP_VERSION, target->uses_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
    );
    return handle;
}

// What is sent, one after the other: bodies, and for deletions the URL of each.
struct work {
    const char *const *urls;
    const char *const *bodies;
    int next;
    int count;
    long expected;
};

static void give(CURL *handle, struct work *work) {
    if (work->urls) curl_easy_setopt(handle, CURLOPT_URL, work->urls[work->next]);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, work->bodies[work->next++]);
}

// Runs what is in the multi handle; a handle that is done takes the next work, if there is any.
static int run(CURLM *multi, int running, struct work *work) {
    int done = 0;
    while (running > 0) {
        int active, left;
        CURLMsg *message;
        curl_multi_perform(multi, &active);
        while ((message = curl_multi_info_read(multi, &left))) {
            if (message->msg != CURLMSG_DONE) continue;
            CURL *handle = message->easy_handle;
            long status = 0;
            curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
            done += status == work->expected;
            curl_multi_remove_handle(multi, handle);
            if (work->next < work->count) {
                give(handle, work);
                curl_multi_add_handle(multi, handle);
            } else {
                running--;
            }
        }
        if (running > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    return done;
}

static int send_all(const struct plain_curl_target *target, struct work work, double *seconds) {
    int parallel = target->parallel < work.count ? target->parallel : work.count;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Accept: application/json");
    headers = curl_slist_append(headers, "Expect:");
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, target->uses_http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)parallel);
    CURL **handles = calloc((size_t)parallel, sizeof *handles);

    for (int index = 0; index < parallel; index++) {
        handles[index] = new_handle(target, headers);
        curl_easy_setopt(handles[index], CURLOPT_NOBODY, 1L);
        curl_multi_add_handle(multi, handles[index]);
    }
    struct work none = {0};
    run(multi, parallel, &none);

    for (int index = 0; index < parallel; index++) {
        curl_easy_setopt(handles[index], CURLOPT_NOBODY, 0L);
        curl_easy_setopt(handles[index], CURLOPT_POST, 1L);
        if (work.urls) curl_easy_setopt(handles[index], CURLOPT_CUSTOMREQUEST, "DELETE");
        give(handles[index], &work);
        curl_multi_add_handle(multi, handles[index]);
    }
    double start = now();
    int done = run(multi, parallel, &work);
    *seconds = now() - start;

    for (int index = 0; index < parallel; index++) {
        curl_multi_remove_handle(multi, handles[index]);
        curl_easy_cleanup(handles[index]);
    }
    free(handles);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return done;
}

int plain_curl_post(const struct plain_curl_target *target, const char *const *bodies, int count, double *seconds) {
    struct work work = {.bodies = bodies, .count = count, .expected = 201};
    return send_all(target, work, seconds);
}

int plain_curl_delete(
    const struct plain_curl_target *target,
    const char *const *urls,
    const char *const *bodies,
    int count,
    double *seconds
) {
    struct work work = {.urls = urls, .bodies = bodies, .count = count, .expected = 200};
    return send_all(target, work, seconds);
}
