#pragma once

#include <malloc.h>
#include <mongoc/mongoc.h>
#include <sys/syscall.h>
#include <unistd.h>

/// `memfd_create` is declared for `_GNU_SOURCE` only, which Swift's import of the C library does not set.
static inline int sluice_memory_file(const char *_Nonnull name) {
    return (int)syscall(SYS_memfd_create, name, 1U /* MFD_CLOEXEC */);
}
