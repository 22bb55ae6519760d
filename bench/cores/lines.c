/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/cores/library.h"
#include "rangemap/memory/pool.h"
#include "rangemap/node/entry.h"
#include "rangemap/tree/walk.h"

const char *const cores_line_names[CORES_LINES] = {
    [CORES_CLOCK] = "clock",   [CORES_ROOT] = "map",      [CORES_LEAF] = "leaf",
    [CORES_SLOT] = "slot",     [CORES_INNER] = "inner",   [CORES_EPOCH] = "epoch",
    [CORES_ACTIVE] = "active", [CORES_RECORD] = "record", [CORES_SHARD] = "shard",
    [CORES_ROSTER] = "roster", [CORES_POOL] = "pool",     [CORES_PENDING] = "pending",
    [CORES_OTHER] = "other",
};

static bool is_inside(const void *address, const void *object, size_t bytes)
{
    return (uintptr_t)address - (uintptr_t)object < bytes;
}

static bool shares_line(const void *address, const void *word)
{
    return ((uintptr_t)address ^ (uintptr_t)word) < RM_CACHE_LINE;
}

static enum cores_line line_of_domain(const struct rangemap_domain *domain, const void *address)
{
    if (shares_line(address, &domain->epoch.epoch)) {
        return CORES_EPOCH;
    }
    if (is_inside(address, &domain->pool, sizeof domain->pool)) {
        return CORES_POOL;
    }
    if (is_inside(address, &domain->roster, sizeof domain->roster)) {
        return CORES_ROSTER;
    }
    return shares_line(address, &domain->pending_bytes) ? CORES_PENDING : CORES_OTHER;
}

static enum cores_line line_of_record(const struct rm_thread *record, const void *address)
{
    if (shares_line(address, &record->section.active)) {
        return CORES_ACTIVE;
    }
    return is_inside(address, &record->shard, sizeof record->shard) ? CORES_SHARD : CORES_RECORD;
}

static const struct rm_thread *record_around(const struct rangemap_domain *domain, const void *address)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    const struct rm_thread *record;

    while ((record = rm_roster_next(&walk)) != NULL && !is_inside(address, record, sizeof *record)) {
    }
    return record;
}

static bool is_of_books(const struct rm_pool *pool, const void *address)
{
    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        if (is_inside(address, table, rm_table_bytes(table->extents))) {
            return true;
        }
    }
    return false;
}

/* Nodes of four lines are inner nodes; slabs tell the sizes of theirs. */
enum cores_line cores_line_of_node(const struct rangemap *map, const void *address)
{
    const struct rm_pool *pool = &map->domain->pool;
    const struct rm_slab *slab = rm_slab_of(address);

    if (slab == pool->home) {
        return CORES_OTHER;
    }
    if (shares_line(address, slab)) {
        return CORES_POOL;
    }
    if (slab->lines != RM_INNER_LINES) {
        return CORES_LEAF;
    }
    return (((uintptr_t)address - (uintptr_t)slab) / RM_CACHE_LINE - 1) % RM_INNER_LINES < 2 ? CORES_INNER
                                                                                             : CORES_SLOT;
}

enum cores_line cores_line_of(const struct rangemap *map, const void *address)
{
    const struct rangemap_domain *domain = map->domain;
    const struct rm_thread *record;

    if (is_inside(address, map, sizeof *map)) {
        return shares_line(address, &map->clock) ? CORES_CLOCK : CORES_ROOT;
    }
    if (is_inside(address, domain, sizeof *domain)) {
        return line_of_domain(domain, address);
    }
    record = record_around(domain, address);
    if (record != NULL) {
        return line_of_record(record, address);
    }
    return is_of_books(&domain->pool, address) ? CORES_POOL : CORES_LEAF;
}

uint64_t cores_pending_bytes(const struct rangemap *map)
{
    return rm_record_pending_bytes(map->domain);
}

bool cores_crosses_leaves(struct rangemap *map, uint64_t key)
{
    const struct rm_leaf *leaf;
    struct rm_span span;
    unsigned count, from, to;

    leaf = rm_walk_leaf(map, RM_VERSION_CURRENT, key, &count, &span);
    rm_leaf_overlap(leaf, count, key, UINT64_MAX, &from, &to);
    return to - from <= 1 && span.high != UINT64_MAX;
}

struct rm_thread *cores_become(struct rm_thread *record)
{
    return rm_thread_become(record);
}
