// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that goes back. Whole chunks, to the allocator; and of our own mappings the pages of slabs that are
 * idle in chunks of which others are not. What lies lowest stays: it is handed out next.
 */
#include "rangemap/base/system.h"
#include "rangemap/memory/pool.h"

/* Makes the slabs idle again that were claimed of the first `count` extents of a chunk. */
static void unclaim_slabs(struct rm_pool *pool, struct rm_extent *extent, unsigned count)
{
    while (count-- > 0) {
        rm_pool_add_idle(pool, &extent[count], rm_load_relaxed(&extent[count].whole));
    }
}

/*
 * Owns every slab of the chunk that begins at `extent`, if all are idle. The chunk cannot change once they are
 * owned: so what was read before is looked at again.
 */
static bool claim_chunk(struct rm_pool *pool, struct rm_extent *extent, size_t bytes, unsigned count)
{
    unsigned claimed = 0;

    while (claimed < count) {
        uint64_t whole = rm_load_relaxed(&extent[claimed].whole);

        if (whole == 0 || !rm_pool_claim_idle(pool, &extent[claimed], whole)) {
            break;
        }
        if (rm_load_relaxed(&extent[claimed].whole) != whole ||
            rm_load_relaxed(&extent[claimed].chunk_bytes) != (claimed == 0 ? bytes : 0)) {
            rm_pool_add_idle(pool, &extent[claimed], whole);
            break;
        }
        claimed++;
    }
    if (claimed < count) {
        unclaim_slabs(pool, extent, claimed);
    }
    return claimed == count;
}

/* A chunk whose slabs are all the caller's: in the books, or out of them. */
static void note_chunk(struct rm_pool *pool, struct rm_extent *extent, size_t bytes, bool is_there)
{
    for (unsigned i = 0; (size_t)i * RM_EXTENT_BYTES < bytes; i++) {
        rm_store_relaxed(&extent[i].whole, is_there ? rm_extent_whole(bytes, i) : 0);
    }
    rm_store_relaxed(&extent->chunk_bytes, is_there ? bytes : 0);
    (void)rm_add_relaxed(&pool->chunk_bytes, is_there ? bytes : 0 - (uint64_t)bytes);
}

/*
 * The chunk that begins at `extent`, if one does and all of it is idle. How many slabs that gave. It leaves the books
 * first: the child of a fork in the midst of it has lost a chunk, and gives none back twice. The system keeps a chunk
 * whose neighbours it would have to part, if the process has as many mappings as it may.
 */
static uint64_t free_chunk(struct rm_pool *pool, struct rm_extent *extent)
{
    size_t bytes = rm_load_relaxed(&extent->chunk_bytes);
    unsigned count = (unsigned)((bytes + RM_EXTENT_BYTES - 1) / RM_EXTENT_BYTES);

    if (bytes == 0 || rm_load_relaxed(&extent->set[RM_SET_IDLE]) != rm_load_relaxed(&extent->whole) ||
        !claim_chunk(pool, extent, bytes, count)) {
        return 0;
    }
    note_chunk(pool, extent, bytes, false);
    if (!rm_chunk_try_free(&pool->allocator, rm_extent_slab(extent, 0), bytes)) {
        note_chunk(pool, extent, bytes, true);
        unclaim_slabs(pool, extent, count);
        return 0;
    }
    (void)rm_add_relaxed(&pool->busy_slabs, 0 - (uint64_t)(bytes / RM_SLAB_BYTES));
    rm_table_unclaim(extent, count);
    return bytes / RM_SLAB_BYTES;
}

static uint64_t dirty_of(const struct rm_extent *extent)
{
    return rm_load_relaxed(&extent->set[RM_SET_IDLE]) & ~rm_load_relaxed(&extent->clean);
}

/* All slabs of the pages that these are in: a page may have up to eight of them (arm64). */
static uint64_t pages_of(uint64_t slabs)
{
    unsigned each = (unsigned)(rm_page_bytes() / RM_SLAB_BYTES);
    uint64_t all;

    if (each <= 1) {
        return slabs;
    }
    all = (UINT64_C(1) << each) - 1;
    for (unsigned i = 1; i < each; i *= 2) {
        slabs |= slabs >> i;
    }
    return (slabs & ~UINT64_C(0) / all) * all;
}

/* The lowest run of bits, of a limited length. */
static uint64_t first_run(uint64_t bits)
{
    uint64_t run = bits & (0 - bits);

    while ((run << 1 & bits & ~run) != 0 && rm_bits_count(run) < RM_DISCARD_SLABS) {
        run |= run << 1;
    }
    return run;
}

/* The pages of slabs that the caller owns; these are idle then. */
static bool discard_run(struct rm_pool *pool, struct rm_extent *extent, uint64_t run)
{
    bool given = rm_chunk_discard(rm_extent_slab(extent, rm_bits_first(run)),
                                  (size_t)rm_bits_count(run) * RM_SLAB_BYTES);

    if (given) {
        rm_or_relaxed(&extent->clean, run); /* before they are idle again */
    }
    rm_pool_add_idle(pool, extent, run);
    return given;
}

/*
 * Slabs of one look. What is refused (locked memory) counts as tried alone: chunks above it, which the system does
 * take, go nevertheless.
 */
struct look {
    uint64_t most, given, tried;
};

/*
 * The pages that have idle slabs alone, some side by side at a time, so that the others stay to be taken. Where the
 * system refuses, the rest of the extent is not tried.
 */
static void discard_pages(struct rm_pool *pool, struct rm_extent *extent, struct look *look)
{
    uint64_t left = pages_of(dirty_of(extent)) & ~pages_of(~rm_load_relaxed(&extent->set[RM_SET_IDLE]));
    bool refused = false;

    while (left != 0 && !refused) {
        uint64_t run = first_run(left);

        left &= ~run;
        if (rm_pool_claim_idle(pool, extent, run)) {
            refused = !discard_run(pool, extent, run);
            look->given += refused ? 0 : rm_bits_count(run);
            look->tried += rm_bits_count(run);
        }
    }
}

static void shrink_extent(struct rm_pool *pool, struct rm_extent *extent, struct look *look)
{
    uint64_t freed = free_chunk(pool, extent);

    look->given += freed;
    look->tried += freed;
    if (freed == 0 && look->tried < look->most && rm_chunk_is_mapped(&pool->allocator)) {
        discard_pages(pool, extent, look);
    }
}

bool rm_pool_shrink(struct rm_pool *pool, uint64_t keep, uint64_t most)
{
    struct look look = {.most = most};
    uint64_t kept = 0;

    for (struct rm_table *table = pool->tables; table != NULL && look.given < most;
         table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents && look.given < most; i++) {
            uint64_t dirty = rm_bits_count(dirty_of(&table->extent[i]));

            if (kept + dirty > keep || keep == 0) {
                shrink_extent(pool, &table->extent[i], &look);
            } else {
                kept += dirty;
            }
        }
    }
    return look.given > 0;
}

bool rm_pool_trim(struct rm_pool *pool)
{
    return rm_pool_shrink(pool, 0, UINT64_MAX);
}

/* ---- */

struct rm_pool_usage rm_pool_measure(const struct rm_pool *pool)
{
    struct rm_pool_usage usage = {.chunk_bytes = rm_load_relaxed(&pool->chunk_bytes),
                                  .node_bytes = rm_load_relaxed(&pool->node_bytes)};

    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents; i++) {
            uint64_t idle = rm_load_relaxed(&table->extent[i].set[RM_SET_IDLE]);
            uint64_t bare = idle & rm_load_relaxed(&table->extent[i].clean);

            usage.idle_bytes += (uint64_t)rm_bits_count(idle) * RM_SLAB_BYTES;
            usage.discarded_bytes += (uint64_t)rm_bits_count(bare & ~pages_of(~bare)) * RM_SLAB_BYTES;
        }
    }
    return usage;
}
