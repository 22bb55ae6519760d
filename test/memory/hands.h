// SPDX-License-Identifier: BSD-2-Clause
/* The pool, compiled anew with hooks, and what two threads have of it. */
#ifndef TEST_MEMORY_HANDS_H
#define TEST_MEMORY_HANDS_H

#include <stdlib.h>
#include <string.h>

#include "test/memory/hooks.h"
#include "test/memory/pool_rig.h"

enum { HELD = 256 };

/* What a thread has: nodes of slabs, and whole slabs. */
struct hands {
    struct rm_slice slice[HELD];
    unsigned lines[HELD], slices;
    struct rm_slab *slab[HELD];
    unsigned slabs;
    struct rm_seeker seeker;
};

static struct rm_pool *pool;
static struct chunk_source source;
static struct hands one, other;
static bool is_mapped;
static unsigned refusals; /* chunks that are not to be had */

static inline bool take(struct hands *hands, unsigned lines, unsigned wanted)
{
    unsigned i = hands->slices;
    bool has = rm_pool_take(pool, lines, wanted, true, &hands->seeker, &hands->slice[i]);

    hands->lines[i] = lines;
    hands->slices += has;
    return has;
}

static inline void give(struct hands *hands)
{
    unsigned i = --hands->slices;

    rm_pool_give(pool, hands->lines[i], hands->slice[i]);
}

static inline void take_slab(struct hands *hands, struct rm_slab *slab)
{
    hands->slab[hands->slabs] = slab;
    hands->slabs += slab != NULL;
}

static inline void give_slab(struct hands *hands)
{
    rm_pool_give_slab(pool, hands->slab[--hands->slabs]);
}

static inline uint64_t bytes_in(const struct hands *hands)
{
    uint64_t bytes = (uint64_t)hands->slabs * RM_SLAB_LINES * RM_CACHE_LINE;

    for (unsigned i = 0; i < hands->slices; i++) {
        bytes += (uint64_t)rm_bits_count(hands->slice[i].nodes) * hands->lines[i] * RM_CACHE_LINE;
    }
    return bytes;
}

/* Of two slices, of one hand or of both, none has what the other one has. */
static inline void check_apart(const struct rm_slice *a, const struct rm_slice *b)
{
    CHECK(a->slab != b->slab || (a->nodes & b->nodes) == 0, "nodes that two have");
}

static inline void check_hands(void)
{
    for (unsigned i = 0; i < one.slices; i++) {
        for (unsigned j = 0; j < other.slices; j++) {
            check_apart(&one.slice[i], &other.slice[j]);
        }
    }
    for (unsigned i = 0; i < one.slabs; i++) {
        for (unsigned j = 0; j < other.slabs; j++) {
            CHECK_NE(one.slab[i], other.slab[j]);
        }
    }
    check_books(pool, bytes_in(&one) + bytes_in(&other));
}

static inline void empty_hands(struct hands *hands)
{
    while (hands->slices > 0) {
        give(hands);
    }
    while (hands->slabs > 0) {
        give_slab(hands);
    }
}

static inline void check(void)
{
    check_hands();
    empty_hands(&one);
    empty_hands(&other);
    finish(pool, is_mapped ? NULL : &source);
}

/* A caller's memory is anything: what lies behind a table, too, looks like an extent. */
static inline void *take_chunk(size_t bytes, size_t alignment, void *context)
{
    void *chunk;

    (void)context;
    if (refusals > 0) {
        refusals--;
        return NULL;
    }
    chunk = aligned_alloc(alignment, bytes);
    REQUIRE(chunk != NULL);
    memset(chunk, 0x55, bytes < 2 * RM_CHUNK_MIN_BYTES ? bytes : RM_CHUNK_MIN_BYTES);
    source.live++;
    return chunk;
}

static inline void give_chunk(void *chunk, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    source.live--;
    free(chunk);
}

static inline void begin(void)
{
    source.allocator = (struct rangemap_chunk_allocator){take_chunk, give_chunk, NULL};
    pool = new_pool(is_mapped ? NULL : &source.allocator);
    one = other = (struct hands){.slices = 0};
}

#endif
