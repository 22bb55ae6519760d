// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/memory/pool.h"

#include "rangemap/base/clock.h"

enum {
    TAKES_APART = 32, /* that seek elsewhere, when one has met another thread */
    LOOK_SLABS = 16,  /* looked at whenever so many slabs have become idle */
    /*
     * What stays, at least, of what is idle, and this share of what is in use. Nothing goes before it is twice as
     * much, which a new chunk is not.
     */
    KEEP_SLABS = 32,
    KEEP_SHARE = 4
};

/* ---- where to look ---- */

static uint32_t place_of(const struct rm_seeker *seeker)
{
    return rm_seeker_is_apart(seeker) ? seeker->random >> 8 : 0; /* the lowest bits are of short periods */
}

/* Where to look: at slabs of the seeker's stripe, at all that the tables show, or at all that there are. */
enum where { ON_STRIPE, SHOWN, HIDDEN_TOO };

static uint64_t slabs_of(enum where where, const struct rm_seeker *seeker)
{
    return where == ON_STRIPE ? rm_stripe_slabs(seeker->stripe) : ~UINT64_C(0);
}

static struct rm_extent *find_extent(const struct rm_pool *pool, unsigned set, enum where where,
                                     struct rm_seeker *seeker)
{
    uint64_t slabs = slabs_of(where, seeker);
    bool stays = rm_seeker_is_apart(seeker) && where != HIDDEN_TOO && seeker->near != NULL &&
                 (rm_load_relaxed(&seeker->near->set[set]) & slabs) != 0;

    if (stays) {
        return seeker->near;
    }
    if (where == ON_STRIPE) { /* in vain: it stays for what is next best */
        struct rm_extent *found = rm_set_find_among(pool->tables, set, slabs, place_of(seeker));

        seeker->near = found != NULL ? found : seeker->near;
        return found;
    }
    seeker->near = rm_set_find(pool->tables, set, where == HIDDEN_TOO, place_of(seeker));
    return seeker->near;
}

static unsigned pick_slab(uint64_t slabs, const struct rm_seeker *seeker)
{
    return rm_seeker_is_apart(seeker) ? rm_bits_nth(slabs, place_of(seeker) / RM_TABLE_EXTENTS)
                                      : rm_bits_first(slabs);
}

/* Another thread was faster: seeks somewhere else for some time. A step is one to one: two that meet go on apart. */
static void part_ways(struct rm_seeker *seeker)
{
    seeker->random = seeker->random * UINT32_C(0x9e3779b1) + 1;
    seeker->takes = TAKES_APART;
    seeker->near = NULL;
}

/* ---- slabs that are free as a whole ---- */

void rm_pool_add_idle(struct rm_pool *pool, struct rm_extent *extent, uint64_t slabs)
{
    uint64_t count = rm_bits_count(slabs);
    uint64_t dirty = rm_bits_count(slabs & ~rm_load_relaxed(&extent->clean));

    (void)rm_add_relaxed(&pool->busy_slabs, 0 - count);
    if (dirty != 0) {
        (void)rm_add_relaxed(&pool->dirty_slabs, dirty);
    }
    rm_set_add(extent, RM_SET_IDLE, slabs);
}

bool rm_pool_claim_idle(struct rm_pool *pool, struct rm_extent *extent, uint64_t slabs)
{
    uint64_t idle, dirty;

    do {
        idle = rm_load_relaxed(&extent->set[RM_SET_IDLE]);
        if ((slabs & ~idle) != 0) {
            return false;
        }
    } while (!rm_cas_full(&extent->set[RM_SET_IDLE], idle, idle & ~slabs));
    dirty = rm_bits_count(slabs & ~rm_load_relaxed(&extent->clean));
    (void)rm_add_relaxed(&pool->busy_slabs, rm_bits_count(slabs));
    if (dirty != 0) {
        (void)rm_add_relaxed(&pool->dirty_slabs, 0 - dirty);
    }
    return true;
}

static uint64_t slab_capacity(const struct rm_slab *slab)
{
    return (uint64_t)rm_slab_nodes(slab->lines) * slab->lines * RM_CACHE_LINE;
}

struct rm_slab *rm_pool_open_slab(struct rm_pool *pool, struct rm_extent *extent, unsigned index)
{
    struct rm_slab *slab = rm_extent_slab(extent, index);
    uint64_t bit = UINT64_C(1) << index;

    if ((rm_load_relaxed(&extent->clean) & bit) != 0) {
        rm_and_relaxed(&extent->clean, ~bit); /* ordered like the slab: by its claim, and by its next one */
    }
    rm_books_open(slab, sizeof *slab);
    slab->extent = extent;
    slab->index = index;
    slab->lines = 1;
    slab->next = NULL;
    (void)rm_add_relaxed(&pool->node_bytes, slab_capacity(slab));
    return slab;
}

static void close_slab(struct rm_pool *pool, struct rm_slab *slab)
{
    struct rm_extent *extent = slab->extent;
    unsigned index = slab->index;

    (void)rm_add_relaxed(&pool->node_bytes, 0 - slab_capacity(slab));
    rm_books_close(slab, sizeof *slab);
    rm_pool_add_idle(pool, extent, UINT64_C(1) << index);
    if (rm_add_relaxed(&pool->idled, 1) % LOOK_SLABS == LOOK_SLABS - 1) {
        rm_pool_settle(pool, RM_SETTLE_SLABS);
    }
}

/* A span of time is over: the next one begins, at once or, if more has passed unseen, now. */
static void end_span(struct rm_pool *pool, uint64_t began_ns, uint64_t span_ns, uint64_t now_ns)
{
    bool is_last = now_ns - began_ns < 2 * span_ns;

    rm_store_relaxed(&pool->peak_before, is_last ? rm_load_relaxed(&pool->peak_slabs) : 0);
    rm_store_relaxed(&pool->peak_slabs, 0);
    rm_store_relaxed(&pool->peak_ns, is_last ? began_ns + span_ns : now_ns);
}

/* How many slabs fewer are busy than were lately. Threads that race here may note a peak that is a little lower. */
static uint64_t below_peak(struct rm_pool *pool)
{
    uint64_t busy = rm_load_relaxed(&pool->busy_slabs), now_ns = rm_coarse_ns();
    uint64_t began_ns = rm_load_relaxed(&pool->peak_ns), peak, before;
    uint64_t span_ns = (rm_chunk_is_mapped(&pool->allocator) ? RM_PEAK_MAPPED_NS : RM_PEAK_NS) / 2;

    if ((int64_t)(now_ns - began_ns) >= (int64_t)span_ns) { /* another thread may have begun a later one */
        end_span(pool, began_ns, span_ns, now_ns);
    }
    peak = rm_load_relaxed(&pool->peak_slabs);
    before = rm_load_relaxed(&pool->peak_before);
    if (busy > peak) {
        rm_store_relaxed(&pool->peak_slabs, busy);
    }
    peak = peak > before ? peak : before;
    return peak > busy ? peak - busy : 0;
}

static void shrink_to(struct rm_pool *pool, uint64_t lately, uint64_t most)
{
    uint64_t keep = KEEP_SLABS + rm_load_relaxed(&pool->busy_slabs) / KEEP_SHARE;

    keep = keep > lately ? keep : lately;
    if (rm_load_relaxed(&pool->dirty_slabs) > 2 * keep) {
        (void)rm_pool_shrink(pool, keep, most);
    }
}

void rm_pool_settle(struct rm_pool *pool, uint64_t most)
{
    shrink_to(pool, below_peak(pool), most);
}

void rm_pool_settle_now(struct rm_pool *pool)
{
    shrink_to(pool, rm_chunk_is_mapped(&pool->allocator) ? 0 : below_peak(pool), UINT64_MAX);
}

static struct rm_slab *take_idle(struct rm_pool *pool, enum where where, struct rm_seeker *seeker)
{
    struct rm_extent *extent;

    while ((extent = find_extent(pool, RM_SET_IDLE, where, seeker)) != NULL) {
        uint64_t idle = rm_load_relaxed(&extent->set[RM_SET_IDLE]) & slabs_of(where, seeker);
        unsigned index = idle != 0 ? pick_slab(idle, seeker) : 0;

        if (idle != 0 && rm_pool_claim_idle(pool, extent, UINT64_C(1) << index)) {
            return rm_pool_open_slab(pool, extent, index);
        }
        part_ways(seeker);
    }
    return NULL;
}

struct rm_slab *rm_pool_take_idle(struct rm_pool *pool)
{
    struct rm_seeker seeker = {.takes = 0};

    return take_idle(pool, HIDDEN_TOO, &seeker);
}

/* ---- nodes ---- */

/* The slab has no free node: its bit goes, and comes back if it has one now. */
static void pass_over_slab(struct rm_extent *extent, unsigned index, unsigned set)
{
    uint64_t bit = UINT64_C(1) << index;

    if ((rm_load_relaxed(&extent->set[set]) & bit) == 0) {
        return; /* another thread was faster, and looks again */
    }
    rm_and_full(&extent->set[set], ~bit);
    if (rm_load_relaxed(&extent->free[index]) != 0) {
        rm_set_add(extent, set, bit);
    }
}

/*
 * The holder of a node of a slab knows its size: it does not change before all are free. So nodes are taken
 * first and the size is looked at afterwards; if it is another one, the bit that led here was out of date.
 */
static bool take_from(struct rm_pool *pool, struct rm_extent *extent, unsigned index, unsigned lines,
                      unsigned wanted, struct rm_slice *slice)
{
    unsigned set = lines - RM_LINES_MIN;
    uint64_t free = rm_load_relaxed(&extent->free[index]);
    uint64_t nodes = rm_bits_lowest(free, wanted);

    if (free == 0) {
        pass_over_slab(extent, index, set);
        return false;
    }
    if (!rm_cas_full(&extent->free[index], free, free & ~nodes)) {
        return false;
    }
    slice->slab = rm_extent_slab(extent, index);
    slice->nodes = nodes;
    if (slice->slab->lines != lines) {
        rm_and_relaxed(&extent->set[set], ~(UINT64_C(1) << index)); /* before the nodes are given back */
        rm_pool_give(pool, slice->slab->lines, *slice);
        return false;
    }
    if (nodes == free) {
        pass_over_slab(extent, index, set);
    }
    return true;
}

static bool take_partial(struct rm_pool *pool, unsigned lines, unsigned wanted, enum where where,
                         struct rm_seeker *seeker, struct rm_slice *slice)
{
    unsigned set = lines - RM_LINES_MIN;
    struct rm_extent *extent;

    while ((extent = find_extent(pool, set, where, seeker)) != NULL) {
        uint64_t slabs = rm_load_relaxed(&extent->set[set]) & slabs_of(where, seeker);

        if (slabs != 0 && take_from(pool, extent, pick_slab(slabs, seeker), lines, wanted, slice)) {
            return true;
        }
        part_ways(seeker);
    }
    return false;
}

struct rm_slice rm_pool_divide(struct rm_pool *pool, struct rm_slab *slab, unsigned lines)
{
    uint64_t before = slab_capacity(slab);

    slab->lines = lines;
    (void)rm_add_relaxed(&pool->node_bytes, slab_capacity(slab) - before);
    return (struct rm_slice){slab, rm_slab_all(lines)};
}

/* Takes a slab into use: some of its nodes are the caller's, the others everybody's. */
static void share_slab(struct rm_pool *pool, struct rm_slab *slab, unsigned lines, unsigned wanted,
                       struct rm_slice *slice)
{
    struct rm_slice all = rm_pool_divide(pool, slab, lines);
    uint64_t others;

    *slice = (struct rm_slice){slab, rm_bits_lowest(all.nodes, wanted)};
    others = all.nodes & ~slice->nodes;
    if (others != 0) {
        (void)rm_swap_full(&slab->extent->free[slab->index], others);
        rm_set_add(slab->extent, lines - RM_LINES_MIN, UINT64_C(1) << slab->index);
    }
}

static bool take_partial_or_idle(struct rm_pool *pool, unsigned lines, unsigned wanted, enum where where,
                                 struct rm_seeker *seeker, struct rm_slice *slice)
{
    struct rm_slab *slab;

    if (take_partial(pool, lines, wanted, where, seeker, slice)) {
        return true;
    }
    slab = take_idle(pool, where, seeker);
    if (slab != NULL) {
        share_slab(pool, slab, lines, wanted, slice);
    }
    return slab != NULL;
}

bool rm_pool_take(struct rm_pool *pool, unsigned lines, unsigned wanted, bool grows, struct rm_seeker *seeker,
                  struct rm_slice *slice)
{
    struct rm_slab *slab;

    seeker->takes -= seeker->takes > 0;
    if ((!rm_stripe_is_all(seeker->stripe) &&
         take_partial_or_idle(pool, lines, wanted, ON_STRIPE, seeker, slice)) ||
        take_partial_or_idle(pool, lines, wanted, SHOWN, seeker, slice) ||
        take_partial(pool, lines, wanted, HIDDEN_TOO, seeker, slice)) {
        return true;
    }
    slab = grows ? rm_pool_take_slab(pool, 0) : rm_pool_take_idle(pool);
    if (slab != NULL) {
        share_slab(pool, slab, lines, wanted, slice);
    }
    return slab != NULL;
}

struct rm_slab *rm_pool_take_slab(struct rm_pool *pool, size_t least)
{
    uint64_t seen_bytes = rm_load_relaxed(&pool->chunk_bytes); /* a hint: it orders nothing */
    struct rm_slab *slab = rm_pool_take_idle(pool);

    return slab != NULL ? slab : rm_pool_grow(pool, least, seen_bytes);
}

/* The thread that gives the last one back owns the slab; to all others its header is out of bounds from then on. */
void rm_pool_give(struct rm_pool *pool, unsigned lines, struct rm_slice slice)
{
    struct rm_extent *extent = slice.slab->extent;
    unsigned index = slice.slab->index, set = lines - RM_LINES_MIN;
    uint64_t all = rm_slab_all(lines), before, after;

    do {
        before = rm_load_relaxed(&extent->free[index]);
        after = before | slice.nodes;
    } while (!rm_cas_full(&extent->free[index], before, after == all ? 0 : after));
    if (after != all) {
        rm_set_add(extent, set, UINT64_C(1) << index);
        return;
    }
    if ((rm_load_relaxed(&extent->set[set]) & UINT64_C(1) << index) != 0) {
        rm_and_relaxed(&extent->set[set], ~(UINT64_C(1) << index)); /* before the slab is idle */
    }
    close_slab(pool, slice.slab);
}

void rm_pool_give_slab(struct rm_pool *pool, struct rm_slab *slab)
{
    close_slab(pool, slab);
}

/* ---- the lines for any size ---- */

static uint64_t run_of(unsigned lines)
{
    return (UINT64_C(1) << lines) - 1;
}

void *rm_pool_take_starter(struct rm_pool *pool, unsigned lines)
{
    uint64_t free, fits;

    do {
        free = fits = rm_load_relaxed(&pool->starter);
        for (unsigned i = 1; i < lines; i++) {
            fits &= free >> i;
        }
        if (fits == 0) {
            return NULL;
        }
    } while (!rm_cas_full(&pool->starter, free, free & ~(run_of(lines) << rm_bits_first(fits))));
    return (void *)((uintptr_t)pool->home + pool->starter_at +
                    (uintptr_t)rm_bits_first(fits) * RM_CACHE_LINE);
}

void rm_pool_give_starter(struct rm_pool *pool, const void *node, unsigned lines)
{
    uintptr_t at = (uintptr_t)node - (uintptr_t)pool->home - pool->starter_at;

    rm_or_full(&pool->starter, run_of(lines) << at / RM_CACHE_LINE);
}
