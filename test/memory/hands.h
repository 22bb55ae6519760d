// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pool, compiled anew with the hooks that the explorer has (base/explorer.h), and what two threads have of it. The
 * hooks let the second one come in before any access to a shared word, and see what is written in vain.
 */
#ifndef TEST_MEMORY_HANDS_H
#define TEST_MEMORY_HANDS_H

#include <stdlib.h>

#include "test/memory/pool_rig.h"

enum { HELD = 64 };

/* ---- who comes in between ---- */

static struct meeting {
    void (*interfere)(void);
    unsigned at, count;
    bool armed, has_met;
} meeting;

static struct rm_pool *pool;

/* The read-modify-write that came last, and how many have left their word as it was. */
static struct updates {
    const rm_word *word;
    uint64_t before, count, vain;
} updates;

/* Who gives all nodes of a slab at once finds so that no other has any: from none that are free to none. */
static inline bool may_stay(const rm_word *word)
{
    const struct rm_table *table = pool->tables;

    for (unsigned i = 0; i < table->extents; i++) {
        if (word >= table->extent[i].free && word < table->extent[i].free + RM_EXTENT_SLABS) {
            return updates.before == 0;
        }
    }
    return false;
}

static inline void look_at_last_update(void)
{
    updates.vain +=
        updates.word != NULL && rm_word_private(updates.word) == updates.before && !may_stay(updates.word);
    updates.word = NULL;
}

void rm_explorer_point(const void *word)
{
    (void)word;
    look_at_last_update();
    if (meeting.armed && meeting.count++ == meeting.at) {
        meeting.armed = false;
        meeting.has_met = true;
        meeting.interfere();
    }
}

void rm_explorer_update(const void *word)
{
    rm_explorer_point(word);
    updates.count++;
    updates.word = word;
    updates.before = rm_word_private(word);
}

void rm_explorer_delay(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_poison(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_unpoison(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_books(const void *address, size_t bytes, bool open)
{
    (void)address;
    (void)bytes;
    (void)open;
}

uint64_t rm_explorer_tick(void)
{
    return 1000000000;
}

/* ---- what is had ---- */

/* What a thread has: nodes of slabs, and whole slabs. */
struct hands {
    struct rm_slice slice[HELD];
    unsigned lines[HELD], slices;
    struct rm_slab *slab[HELD];
    unsigned slabs;
    struct rm_seeker seeker;
};

static struct chunk_source source;
static struct hands one, other;
static bool is_mapped;

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

static inline void *take_chunk(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    source.live++;
    return aligned_alloc(alignment, bytes);
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
