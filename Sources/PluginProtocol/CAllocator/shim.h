#pragma once
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// Only glibc keeps what was freed, and has an arena for each thread.

static inline void sluice_release_free_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static inline void sluice_share_arenas(void) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
#endif
}
