// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that goes back. Whole chunks, to the allocator; and of our own mappings the pages of slabs that are
 * idle in chunks of which others are not. What lies lowest stays: it is handed out next.
 */
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

/* The chunk that begins at `extent`, if one does and all of it is idle. How many slabs that gave. */
static uint64_t free_chunk(struct rm_pool *pool, struct rm_extent *extent)
{
    size_t bytes = rm_load_relaxed(&extent->chunk_bytes);
    unsigned count = (unsigned)((bytes + RM_EXTENT_BYTES - 1) / RM_EXTENT_BYTES);

    if (bytes == 0 || rm_load_relaxed(&extent->set[RM_SET_IDLE]) != rm_load_relaxed(&extent->whole) ||
        !claim_chunk(pool, extent, bytes, count)) {
        return 0;
    }
    rm_chunk_free(&pool->allocator, rm_extent_slab(extent, 0), bytes);
    (void)rm_add_relaxed(&pool->chunk_bytes, 0 - (uint64_t)bytes);
    (void)rm_add_relaxed(&pool->busy_slabs, 0 - (uint64_t)(bytes / RM_SLAB_BYTES));
    for (unsigned i = 0; i < count; i++) {
        rm_store_relaxed(&extent[i].whole, 0);
        rm_store_relaxed(&extent[i].chunk_bytes, 0);
    }
    rm_table_unclaim(extent, count);
    return bytes / RM_SLAB_BYTES;
}

static uint64_t dirty_of(const struct rm_extent *extent)
{
    return rm_load_relaxed(&extent->set[RM_SET_IDLE]) & ~rm_load_relaxed(&extent->clean);
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

/* The pages of idle slabs, some side by side at a time, so that the others stay to be taken. How many slabs'. */
static uint64_t discard_pages(struct rm_pool *pool, struct rm_extent *extent)
{
    uint64_t left = dirty_of(extent), given = 0;

    while (left != 0) {
        uint64_t run = first_run(left);

        left &= ~run;
        if (rm_pool_claim_idle(pool, extent, run)) {
            if (rm_chunk_discard(rm_extent_slab(extent, rm_bits_first(run)),
                                 (size_t)rm_bits_count(run) * RM_SLAB_BYTES)) {
                rm_or_relaxed(&extent->clean, run); /* before they are idle again */
                given += rm_bits_count(run);
            }
            rm_pool_add_idle(pool, extent, run);
        }
    }
    return given;
}

static uint64_t shrink_extent(struct rm_pool *pool, struct rm_extent *extent)
{
    uint64_t given = free_chunk(pool, extent);

    return given == 0 && rm_chunk_is_mapped(&pool->allocator) ? discard_pages(pool, extent) : given;
}

bool rm_pool_shrink(struct rm_pool *pool, uint64_t keep, uint64_t most)
{
    uint64_t kept = 0, given = 0;

    for (struct rm_table *table = pool->tables; table != NULL && given < most; table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents && given < most; i++) {
            uint64_t dirty = rm_bits_count(dirty_of(&table->extent[i]));

            if (kept + dirty > keep || keep == 0) {
                given += shrink_extent(pool, &table->extent[i]);
            } else {
                kept += dirty;
            }
        }
    }
    return given > 0;
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
            uint64_t clean = rm_load_relaxed(&table->extent[i].clean);

            usage.idle_bytes += (uint64_t)rm_bits_count(idle) * RM_SLAB_BYTES;
            usage.discarded_bytes += (uint64_t)rm_bits_count(idle & clean) * RM_SLAB_BYTES;
        }
    }
    return usage;
}
