// SPDX-License-Identifier: BSD-2-Clause
/* A pool by itself, and what its books must say. */
#ifndef TEST_MEMORY_POOL_RIG_H
#define TEST_MEMORY_POOL_RIG_H

#include "rangemap/memory/cache.h"
#include "test/check/chunk_source.h"
#include "test/shim/ctest.h"

enum { OWNER_BYTES = 4096 };

/* The owner of a pool: it lies in its home. */
struct owner {
    struct rm_pool pool;
    uint64_t home_slabs, home_bytes; /* of the first chunk: what is idle at first, and its size */
};

static inline struct rm_pool *new_pool(const struct rangemap_chunk_allocator *allocator)
{
    struct owner *owner = rm_pool_home(allocator, OWNER_BYTES);

    REQUIRE(owner != NULL);
    rm_pool_init(&owner->pool, allocator, owner, OWNER_BYTES);
    owner->home_slabs = rm_load_relaxed(&owner->pool.tables->extent[0].set[RM_SET_IDLE]);
    owner->home_bytes = rm_load_relaxed(&owner->pool.chunk_bytes);
    return &owner->pool;
}

/* What is free, slab by slab, as the books have it; nobody may be at work. */
static inline uint64_t count_free(const struct rm_pool *pool)
{
    uint64_t bytes = (uint64_t)rm_bits_count(rm_load_relaxed(&pool->starter)) * RM_CACHE_LINE;

    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents; i++) {
            const struct rm_extent *extent = &table->extent[i];

            for (unsigned j = 0; j < RM_EXTENT_SLABS; j++) {
                uint64_t nodes = rm_load_relaxed(&extent->free[j]);

                if (nodes != 0) {
                    unsigned lines = rm_extent_slab(extent, j)->lines;

                    CHECK((rm_load_relaxed(&extent->set[lines - RM_LINES_MIN]) >> j & 1) != 0, "hidden");
                    CHECK((rm_load_relaxed(&table->set[lines - RM_LINES_MIN]) >> i & 1) != 0, "hidden");
                    CHECK((rm_load_relaxed(&extent->set[RM_SET_IDLE]) >> j & 1) == 0, "idle, and divided");
                    CHECK_EQ(nodes & ~rm_slab_all(lines), 0u);
                    bytes += (uint64_t)rm_bits_count(nodes) * lines * RM_CACHE_LINE;
                }
            }
        }
    }
    return bytes;
}

struct counts {
    uint64_t slabs, idle, dirty, chunk_bytes;
};

/* What one extent says of itself; `home`: the slabs of the first one, which is no chunk's. */
static inline void count_extent(const struct rm_table *table, unsigned i, uint64_t home,
                                struct counts *counts)
{
    const struct rm_extent *extent = &table->extent[i];
    uint64_t slabs = home | rm_load_relaxed(&extent->whole);
    uint64_t idle = rm_load_relaxed(&extent->set[RM_SET_IDLE]);

    CHECK_EQ(rm_load_relaxed(&table->unused) >> i & 1, slabs == 0, "extent %u", i);
    CHECK_EQ(idle & ~slabs, 0u, "extent %u", i);
    CHECK(idle == 0 || (rm_load_relaxed(&table->set[RM_SET_IDLE]) >> i & 1) != 0, "hidden");
    if (slabs != 0) {
        CHECK_EQ(rm_load_relaxed(&extent->clean) & ~idle, 0u, "in use, and never touched");
        counts->dirty += rm_bits_count(idle & ~rm_load_relaxed(&extent->clean));
    }
    counts->slabs += rm_bits_count(slabs);
    counts->idle += rm_bits_count(idle);
    counts->chunk_bytes += rm_load_relaxed(&extent->chunk_bytes);
}

/* The counts beside the books are what the books say: nobody may be at work. */
static inline void check_counts(const struct rm_pool *pool)
{
    const struct owner *owner = (const struct owner *)(const void *)pool;
    struct counts counts = {.chunk_bytes = owner->home_bytes};

    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        counts.chunk_bytes += table != pool->tables ? RM_CHUNK_MIN_BYTES : 0;
        for (unsigned i = 0; i < table->extents; i++) {
            count_extent(table, i, table == pool->tables && i == 0 ? owner->home_slabs : 0, &counts);
        }
    }
    CHECK_EQ(rm_load_relaxed(&pool->busy_slabs), counts.slabs - counts.idle);
    CHECK_EQ(rm_load_relaxed(&pool->dirty_slabs), counts.dirty);
    CHECK_EQ(rm_load_relaxed(&pool->chunk_bytes), counts.chunk_bytes);
}

/* Everything adds up: chunk bytes are nodes, idle slabs, tables, the home and at most one part in 20 of slack. */
static inline void check_books(const struct rm_pool *pool, uint64_t drawn_bytes)
{
    struct rm_pool_usage usage = rm_pool_measure(pool);
    uint64_t rest = usage.chunk_bytes - usage.node_bytes - usage.idle_bytes;

    check_counts(pool);
    CHECK_EQ(usage.node_bytes - drawn_bytes, count_free(pool));
    CHECK_LE(usage.discarded_bytes, usage.idle_bytes);
    CHECK_GE(usage.chunk_bytes, usage.node_bytes + usage.idle_bytes);
    CHECK_LE(rest, (uint64_t)3 * RM_SLAB_BYTES + RM_CHUNK_MIN_BYTES + usage.node_bytes / 20);
    CHECK_EQ(usage.chunk_bytes % RM_CHUNK_MIN_BYTES, 0u);
}

/* All was given back. */
static inline void finish(struct rm_pool *pool, struct chunk_source *source)
{
    struct rm_pool_usage usage;

    check_books(pool, 0);
    (void)rm_pool_trim(pool);
    usage = rm_pool_measure(pool);
    CHECK_EQ(usage.node_bytes, count_free(pool), "but for the starter");
    CHECK_LE(usage.node_bytes, 64u * RM_CACHE_LINE);
    if (source != NULL) {
        CHECK_LE(source->live, 2u, "the home, and a table");
    } else {
        CHECK_EQ(usage.discarded_bytes, usage.idle_bytes);
        CHECK_LE(usage.chunk_bytes, (uint64_t)2 * RM_CHUNK_MIN_BYTES);
    }
    rm_pool_destroy(pool);
    if (source != NULL) {
        CHECK_EQ(source->live, 0u);
        CHECK_EQ(source->breaches, 0u);
    }
}

#endif
