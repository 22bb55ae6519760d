// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/memory/cache.h"

#include <string.h>

enum {
    LIMIT_LEAST = 4, /* of a magazine that has any */
    LIMIT_STEP = 16,
    SURPLUS_MAX = 4,
    DRAW_FIRST = 2,
    DRAW_BYTES = 3 << 10
};

/* What a thread may have beyond its nodes: the least of each size, all limits, and five slices. */
_Static_assert(LIMIT_LEAST *(2 + 3 + 4 + 5 + 6) * RM_CACHE_LINE + RM_CACHE_BYTES + RM_SIZES * DRAW_BYTES <=
                   64 << 10,
               "64 KiB a thread");
_Static_assert(LIMIT_LEAST *(2 + 3 + 4 + 5 + 6) * RM_CACHE_LINE + RM_CACHE_MET_BYTES +
                       RM_SIZES * RM_SLAB_BYTES <=
                   128 << 10,
               "128 KiB a thread that has met others at the pool");

static unsigned lines_of(unsigned size)
{
    return size + RM_LINES_MIN;
}

static uint64_t bytes_of(unsigned nodes, unsigned lines)
{
    return (uint64_t)nodes * lines * RM_CACHE_LINE;
}

/* ---- from the pool ---- */

static void note_drawn(struct rm_cache *cache, const struct rm_slice *slice, unsigned lines)
{
    rm_count_own(&cache->drawn_bytes, bytes_of(rm_bits_count(slice->nodes), lines));
}

static void note_given(struct rm_cache *cache, const struct rm_slice *slice, unsigned lines)
{
    rm_count_own(&cache->drawn_bytes, 0 - bytes_of(rm_bits_count(slice->nodes), lines));
}

/* A slab that was set aside becomes the slice. */
static void open_reserved(struct rm_cache *cache, struct rm_pool *pool, struct rm_slice *slice,
                          unsigned lines)
{
    struct rm_slab *slab = cache->reserved;

    cache->reserved = slab->next;
    cache->reserved_slabs--;
    rm_count_own(&cache->drawn_bytes, 0 - bytes_of(RM_SLAB_LINES, 1));
    *slice = rm_pool_divide(pool, slab, lines);
    note_drawn(cache, slice, lines);
}

/* Twice as many as the last time; where others are in the way, all that a slab has. */
static unsigned next_draw(const struct rm_cache *cache, unsigned draw, unsigned lines)
{
    unsigned most = DRAW_BYTES / RM_CACHE_LINE / lines;

    if (rm_seeker_is_apart(&cache->seeker)) {
        return rm_slab_nodes(lines);
    }
    return draw == 0 ? DRAW_FIRST : draw * 2 < most ? draw * 2 : most;
}

/* Before memory is called out, what this thread has in other sizes goes to the pool. */
static bool draw_slice(struct rm_cache *cache, struct rm_pool *pool, struct rm_magazine *magazine,
                       unsigned lines)
{
    struct rm_slice slice;

    if (cache->reserved != NULL) {
        open_reserved(cache, pool, &magazine->slice, lines);
        return true;
    }
    magazine->draw = next_draw(cache, magazine->draw, lines);
    if (!rm_pool_take(pool, lines, magazine->draw, true, &cache->seeker, &slice)) {
        rm_cache_flush(cache, pool);
        if (!rm_pool_take(pool, lines, magazine->draw, false, &cache->seeker, &slice)) {
            return false;
        }
    }
    magazine->slice = slice;
    note_drawn(cache, &slice, lines);
    return true;
}

static void *draw(struct rm_cache *cache, struct rm_pool *pool, unsigned lines)
{
    struct rm_magazine *magazine = &cache->magazine[lines - RM_LINES_MIN];
    struct rm_slice *slice = &magazine->slice;
    unsigned first;

    magazine->surplus = 0;
    if (slice->nodes == 0) {
        void *node = cache->reserved == NULL ? rm_pool_take_starter(pool, lines) : NULL;

        if (node != NULL) {
            rm_count_own(&cache->drawn_bytes, bytes_of(1, lines));
            return node;
        }
        if (!draw_slice(cache, pool, magazine, lines)) {
            return NULL;
        }
    }
    first = rm_bits_first(slice->nodes);
    slice->nodes &= slice->nodes - 1;
    return rm_slab_node(slice->slab, first, lines);
}

void *rm_cache_alloc(struct rm_cache *cache, struct rm_pool *pool, unsigned lines)
{
    void *node = rm_cache_pop(cache, lines);

    if (node == NULL && (node = draw(cache, pool, lines)) != NULL) {
        rm_unpoison(node, bytes_of(1, lines));
        rm_count_own(&cache->live_bytes, bytes_of(1, lines));
    }
    return node;
}

/* ---- to the pool ---- */

RM_READS_POISONED static struct rm_spare *next_of(const struct rm_spare *node)
{
    return node->next;
}

static void give_slice(struct rm_cache *cache, struct rm_pool *pool, struct rm_slice *slice, unsigned lines)
{
    if (slice->nodes != 0) {
        note_given(cache, slice, lines);
        rm_pool_give(pool, lines, *slice);
        slice->nodes = 0;
    }
}

/* Gives `count` nodes from `node` on: together, if neighbours in the list are of one slab. */
static void give_nodes(struct rm_cache *cache, struct rm_pool *pool, struct rm_spare *node, unsigned count,
                       unsigned lines)
{
    struct rm_slice slice = {NULL, 0};

    for (; count > 0; count--) {
        struct rm_spare *next = next_of(node);
        struct rm_slab *slab = rm_slab_of(node);

        if (slab == pool->home) {
            rm_count_own(&cache->drawn_bytes, 0 - bytes_of(1, lines));
            rm_pool_give_starter(pool, node, lines);
        } else {
            if (slab != slice.slab) {
                give_slice(cache, pool, &slice, lines);
                slice.slab = slab;
            }
            slice.nodes |= UINT64_C(1) << rm_slab_index_of(slab, node, lines);
        }
        node = next;
    }
    give_slice(cache, pool, &slice, lines);
}

/*
 * Puts the nodes of the stripe on top, so that others go first; the warmer are above the colder in both. How many there
 * are on top then.
 */
RM_READS_POISONED static unsigned part(struct rm_magazine *magazine, struct rm_stripe stripe)
{
    struct rm_spare *node = magazine->top, *others = NULL;
    struct rm_spare **end = &magazine->top, **end_of_others = &others;
    unsigned own = 0;

    for (unsigned i = 0; i < magazine->count; i++) {
        struct rm_spare *next = node->next;

        if (rm_stripe_has(stripe, node)) {
            *end = node;
            end = &node->next;
            own++;
        } else {
            *end_of_others = node;
            end_of_others = &node->next;
        }
        node = next;
    }
    *end = others;
    return own;
}

/* All but the `keep` topmost, which were freed last. */
static void spill(struct rm_cache *cache, struct rm_pool *pool, struct rm_magazine *magazine, unsigned lines,
                  unsigned keep)
{
    struct rm_spare *node = magazine->top;
    unsigned count = magazine->count - keep;

    for (unsigned i = 0; i < keep; i++) {
        node = next_of(node);
    }
    magazine->count = keep;
    give_nodes(cache, pool, node, count, lines);
}

static uint64_t limit_bytes(const struct rm_cache *cache)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < RM_SIZES; i++) {
        sum += bytes_of(cache->magazine[i].limit, lines_of(i));
    }
    return sum;
}

static unsigned limit_least(const struct rm_cache *cache)
{
    return cache->reserves ? RM_MAGAZINE_RESERVED : LIMIT_LEAST;
}

/* Room that magazines do not use is no longer theirs. */
static void lower_limits(struct rm_cache *cache)
{
    unsigned least = limit_least(cache);

    for (unsigned i = 0; i < RM_SIZES; i++) {
        struct rm_magazine *magazine = &cache->magazine[i];
        unsigned used = magazine->count > least ? magazine->count : least;

        magazine->limit = magazine->limit < used ? magazine->limit : used;
    }
}

/* All limits together are what the cache may hold: so it is at no time more, but for what each may have anyway. */
static bool raise_limit(struct rm_cache *cache, struct rm_magazine *magazine, unsigned lines)
{
    uint64_t more = bytes_of(LIMIT_STEP, lines);
    uint64_t most = rm_seeker_is_apart(&cache->seeker) ? RM_CACHE_MET_BYTES : RM_CACHE_BYTES;

    if (magazine->limit < limit_least(cache)) {
        magazine->limit = limit_least(cache);
        return true;
    }
    if (limit_bytes(cache) + more > most) {
        lower_limits(cache);
        if (limit_bytes(cache) + more > most) {
            return false;
        }
    }
    magazine->limit += LIMIT_STEP;
    return true;
}

/* What comes in time and again without going out is better off in the pool. */
void rm_cache_overflow(struct rm_cache *cache, struct rm_pool *pool, unsigned lines)
{
    struct rm_magazine *magazine = &cache->magazine[lines - RM_LINES_MIN];
    bool is_surplus = ++magazine->surplus > SURPLUS_MAX && magazine->limit >= LIMIT_STEP;

    if (!is_surplus && raise_limit(cache, magazine, lines)) {
        return;
    }
    if (is_surplus && magazine->limit / 2 >= LIMIT_STEP && magazine->limit / 2 >= limit_least(cache)) {
        magazine->limit /= 2;
    }
    if (!rm_stripe_is_all(cache->seeker.stripe)) {
        (void)part(magazine, cache->seeker.stripe);
    }
    spill(cache, pool, magazine, lines, magazine->limit / 2); /* below the limit: a node is about to come */
}

void rm_cache_separate(struct rm_cache *cache, struct rm_pool *pool, uint64_t place, uint64_t threads)
{
    struct rm_stripe stripe = rm_stripe_of(place, threads);

    cache->seeker.stripe = stripe;
    if (rm_stripe_is_all(stripe)) {
        return;
    }
    for (unsigned i = 0; i < RM_SIZES; i++) {
        struct rm_magazine *magazine = &cache->magazine[i];
        unsigned own = part(magazine, stripe), least = cache->reserves ? RM_MAGAZINE_RESERVED / 2 : 0;

        least = least < magazine->count ? least : magazine->count;
        spill(cache, pool, magazine, lines_of(i), own > least ? own : least);
    }
}

static void drop_reserved(struct rm_cache *cache, struct rm_pool *pool, unsigned keep)
{
    while (cache->reserved_slabs > keep) {
        struct rm_slab *slab = cache->reserved;

        cache->reserved = slab->next;
        cache->reserved_slabs--;
        rm_count_own(&cache->drawn_bytes, 0 - bytes_of(RM_SLAB_LINES, 1));
        rm_pool_give_slab(pool, slab);
    }
}

static void empty_magazines(struct rm_cache *cache, struct rm_pool *pool)
{
    for (unsigned i = 0; i < RM_SIZES; i++) {
        struct rm_magazine *magazine = &cache->magazine[i];

        spill(cache, pool, magazine, lines_of(i), 0);
        give_slice(cache, pool, &magazine->slice, lines_of(i));
    }
}

void rm_cache_flush(struct rm_cache *cache, struct rm_pool *pool)
{
    empty_magazines(cache, pool);
    drop_reserved(cache, pool, 0);
}

/* What is left of a reservation may lie in magazines. */
void rm_cache_settle(struct rm_cache *cache, struct rm_pool *pool)
{
    if (cache->reserved == NULL) {
        empty_magazines(cache, pool);
    }
    rm_pool_settle_now(pool);
}

void rm_cache_forget(struct rm_cache *cache)
{
    memset(cache->magazine, 0, sizeof cache->magazine);
    cache->reserved = NULL;
    cache->reserved_slabs = 0;
    cache->reserves = false;
}

/* ---- memory set aside ---- */

/* The first page holds the slab's header, which has been written. */
static void touch_pages(struct rm_slab *slab)
{
    volatile char *page = (volatile char *)slab;
    enum { PAGE = 4096 };

    for (unsigned at = PAGE; at < RM_SLAB_BYTES; at += PAGE) {
        rm_books_open((void *)(uintptr_t)(page + at), RM_CACHE_LINE);
        page[at] = 0;
        rm_books_close((void *)(uintptr_t)(page + at), RM_CACHE_LINE);
    }
}

static bool add_reserved(struct rm_cache *cache, struct rm_pool *pool, uint64_t slabs)
{
    uint64_t least = slabs * RM_SLAB_BYTES;
    struct rm_slab *slab =
        rm_pool_take_slab(pool, least < RM_CHUNK_MAX_BYTES ? (size_t)least : RM_CHUNK_MAX_BYTES);

    if (slab == NULL) {
        return false;
    }
    slab->next = cache->reserved;
    cache->reserved = slab;
    cache->reserved_slabs++;
    rm_count_own(&cache->drawn_bytes, bytes_of(RM_SLAB_LINES, 1));
    touch_pages(slab);
    return true;
}

/* Of each size a slab may be used in part only; of others all but a few lines are. */
static uint64_t slabs_for(uint64_t bytes)
{
    uint64_t used = bytes_of(RM_SLAB_LINES - (RM_LINES_MAX - 1), 1);

    return (bytes + used - 1) / used + RM_SIZES;
}

bool rm_cache_reserve(struct rm_cache *cache, struct rm_pool *pool, uint64_t bytes)
{
    unsigned before = cache->reserved_slabs;
    uint64_t slabs = slabs_for(bytes);

    if (slabs > before &&
        (slabs > UINT32_MAX || !rm_chunk_is_plausible(&pool->allocator, (slabs - before) * RM_SLAB_BYTES))) {
        return false;
    }
    while (cache->reserved_slabs < slabs) {
        if (!add_reserved(cache, pool, slabs - cache->reserved_slabs)) {
            drop_reserved(cache, pool, before);
            return false;
        }
    }
    cache->reserves = true;
    return true;
}
