#pragma once
#include <stddef.h>

// What a server takes from a client that does nothing but send: the limit that the host is compared with.

struct plain_curl_target {
    const char *_Nonnull url;
    const char *_Nonnull authority;    // PEM
    const char *_Nonnull certificate;  // PEM
    const char *_Nonnull key;          // PEM
    int uses_http2;
    int parallel;
};

// Posts every body once, `parallel` at a time over connections that are open before the clock starts.
// Returns how many were answered with 201, and the time from the first request to the last answer.
int plain_curl_post(
    const struct plain_curl_target *_Nonnull target,
    const char *_Nonnull const *_Nonnull bodies,
    int count,
    double *_Nonnull seconds
);

// Deletes what each URL names, with the body of the same place, in the same way; `target->url` is only connected to.
// Returns how many were answered with 200.
int plain_curl_delete(
    const struct plain_curl_target *_Nonnull target,
    const char *_Nonnull const *_Nonnull urls,
    const char *_Nonnull const *_Nonnull bodies,
    int count,
    double *_Nonnull seconds
);
