// SPDX-License-Identifier: BSD-2-Clause
/*
 * The first chunk of a pool: where its owner, the lines for any size and the first table lie in it; and the end of
 * all chunks.
 */
#include <string.h>

#include "rangemap/memory/pool.h"

enum { HOME_EXTENTS = 12 };

struct layout {
    size_t starter_at, table_at, slabs_at, bytes;
    unsigned starter_lines;
};

/* The first slab's worth of memory holds the owner, what is left for the starter, and the table's beginning. */
static struct layout layout_of(size_t owner_bytes)
{
    struct layout layout = {.starter_at = owner_bytes, .table_at = owner_bytes};
    size_t first = rm_table_bytes(1);

    if (owner_bytes + first < RM_SLAB_BYTES) {
        layout.table_at = RM_SLAB_BYTES - first;
        layout.starter_lines = (unsigned)((layout.table_at - owner_bytes) / RM_CACHE_LINE);
        layout.starter_lines = layout.starter_lines < 64 ? layout.starter_lines : 64;
    }
    layout.slabs_at = layout.table_at + rm_table_bytes(HOME_EXTENTS) + RM_SLAB_BYTES - 1;
    layout.slabs_at -= layout.slabs_at % RM_SLAB_BYTES;
    layout.bytes = layout.slabs_at + 2 * RM_SLAB_BYTES + RM_CHUNK_MIN_BYTES - 1;
    layout.bytes -= layout.bytes % RM_CHUNK_MIN_BYTES;
    return layout;
}

void *rm_pool_home(const struct rangemap_chunk_allocator *allocator, size_t bytes)
{
    bool is_mapped = allocator == NULL;
    struct layout layout = layout_of(bytes);
    char *home = rm_chunk_alloc(is_mapped ? &rm_chunk_mmap : allocator, layout.bytes);

    if (home == NULL) {
        return NULL;
    }
    rm_books_open(home, bytes);
    rm_books_open(home + layout.table_at, rm_table_bytes(HOME_EXTENTS));
    if (!is_mapped) { /* the system's pages are zero, and need not be touched */
        memset(home, 0, bytes);
        memset(home + layout.table_at, 0, rm_table_bytes(HOME_EXTENTS));
    }
    return home;
}

void rm_pool_init(struct rm_pool *pool, const struct rangemap_chunk_allocator *allocator, void *home,
                  size_t bytes)
{
    struct layout layout = layout_of(bytes);
    struct rm_table *table = (struct rm_table *)((uintptr_t)home + layout.table_at);
    struct rm_extent *extent = &table->extent[0];
    uint64_t slabs = ~UINT64_C(0) >> (64 - layout.bytes / RM_SLAB_BYTES);

    slabs &= ~UINT64_C(0) << layout.slabs_at / RM_SLAB_BYTES;
    pool->allocator = allocator != NULL ? *allocator : rm_chunk_mmap;
    pool->tables = table;
    pool->home = home;
    pool->starter_at = layout.starter_at;
    if (layout.starter_lines > 0) {
        rm_word_set_private(&pool->starter, ~UINT64_C(0) >> (64 - layout.starter_lines));
    }
    rm_word_set_private(&pool->node_bytes, (uint64_t)layout.starter_lines * RM_CACHE_LINE);
    rm_word_set_private(&pool->chunk_bytes, layout.bytes);
    rm_table_init(table, HOME_EXTENTS);
    rm_extent_join(extent, table);
    rm_word_set_private(&table->unused, rm_word_private(&table->unused) & ~UINT64_C(1));
    rm_word_set_private(&table->set[RM_SET_IDLE], 1);
    rm_word_set_private(&extent->base, rm_pointer_bits(home));
    rm_word_set_private(&extent->clean, allocator == NULL ? slabs : 0);
    rm_word_set_private(&extent->set[RM_SET_IDLE], slabs);
    rm_word_set_private(&pool->dirty_slabs, allocator == NULL ? 0 : rm_bits_count(slabs));
}

static void free_chunks(struct rm_pool *pool, struct rm_table *table)
{
    for (unsigned i = 0; i < table->extents; i++) {
        const struct rm_extent *extent = &table->extent[i];

        if (rm_load_relaxed(&extent->chunk_bytes) != 0) {
            rm_chunk_free(&pool->allocator, rm_extent_slab(extent, 0), rm_load_relaxed(&extent->chunk_bytes));
        }
    }
}

void rm_pool_destroy(struct rm_pool *pool)
{
    struct rangemap_chunk_allocator allocator = pool->allocator;
    size_t home_bytes = layout_of(pool->starter_at).bytes;
    struct rm_table *table = pool->tables;
    void *home = pool->home;

    while (table != NULL) {
        struct rm_table *next = rm_table_next(table);

        free_chunks(pool, table);
        if (table != pool->tables) {
            rm_chunk_free(&allocator, table, RM_CHUNK_MIN_BYTES);
        }
        table = next;
    }
    rm_chunk_free(&allocator, home, home_bytes); /* the pool is in it */
}
