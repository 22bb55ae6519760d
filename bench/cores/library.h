/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the simulator does with the library: sees its accesses, which the compiler instruments as for
 * ThreadSanitizer, answers in the place of the kernel, and knows what lies where.
 */
#ifndef RANGEMAP_BENCH_CORES_LIBRARY_H
#define RANGEMAP_BENCH_CORES_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rangemap;
struct rm_thread;

/* ---- what the library's hooks call (hooks.c); the simulator defines these ---- */

enum cores_access { CORES_READ, CORES_WRITE, CORES_UPDATE };

void cores_access(const void *address, size_t bytes, enum cores_access access);
void cores_prefetch(const void *address);
void cores_call(void);         /* a function begins */
void cores_fence(void);        /* a full fence */
void cores_barrier(void);      /* membarrier(2) */
void cores_pause(uint64_t ns); /* nothing to do for so long */
uint64_t cores_now_ns(void);   /* the thread's clock */
uint64_t cores_tick_ns(void);  /* the coarse clock */
int cores_thread_number(void); /* of the simulated thread */
void *cores_map(size_t bytes); /* zeroed pages for the library */
void cores_unmap(void *pages, size_t bytes);

/* ---- what lies where (lines.c) ---- */

enum cores_line {
    CORES_CLOCK,   /* the map's clock */
    CORES_ROOT,    /* the rest of the map */
    CORES_LEAF,    /* leaves, and bags, which are nodes of the same sizes */
    CORES_SLOT,    /* slots of inner nodes, and what else of an inner node changes with them */
    CORES_INNER,   /* meta and separators of inner nodes */
    CORES_EPOCH,   /* the counter of epochs */
    CORES_ACTIVE,  /* of records: where sections are noted */
    CORES_RECORD,  /* the rest of records */
    CORES_SHARD,   /* of records: where garbage waits */
    CORES_ROSTER,  /* which records there are */
    CORES_POOL,    /* the pool's books */
    CORES_PENDING, /* pending bytes, and what else of the domain any thread writes */
    CORES_OTHER,
    CORES_LINES
};

extern const char *const cores_line_names[CORES_LINES];

/*
 * What is at an address that cores_map() gave out. CORES_LEAF stands for all nodes: what those are changes, and
 * the second function tells what they are now; nothing else changes its place.
 */
enum cores_line cores_line_of(const struct rangemap *map, const void *address);
enum cores_line cores_line_of_node(const struct rangemap *map, const void *address);

/* Bytes that wait for their grace period or to be freed, open bags apart. */
uint64_t cores_pending_bytes(const struct rangemap *map);

/* Whether a query needs the map's clock that goes up from `key`: the next range is not in the same leaf. */
bool cores_crosses_leaves(struct rangemap *map, uint64_t key);

/* Makes the caller the owner of that record (NULL: of none); returns whose it was. */
struct rm_thread *cores_become(struct rm_thread *record);

#ifdef __cplusplus
}
#endif

#endif
