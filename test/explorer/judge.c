// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/judge.h"

#include "test/history/linearize.h"

static bool may_touch(const struct operation *operation, const struct rangemap_entry *entry)
{
    uint64_t last = operation->kind == DO_ERASE ? operation->start : operation->last;

    return operation_is_update(operation) && operation->start <= entry->last && last >= entry->start;
}

static bool is_untouched(const struct judge_history *history, const struct rangemap_entry *entry)
{
    for (unsigned i = 0; i < history->threads; i++) {
        for (unsigned j = 0; j < history->operations[i]; j++) {
            if (may_touch(&history->operation[i][j], entry)) {
                return false;
            }
        }
    }
    return true;
}

/*
 * A cursor moves one way, and returns what was there all the time exactly once. What it returns may reach back
 * over what it has passed, if that was overwritten meanwhile, but not only that.
 */
static const char *cursor_fault(const struct judge_history *history, const struct operation *cursor)
{
    for (unsigned i = 0; i + 1 < cursor->entries; i++) {
        const struct rangemap_entry *now = &cursor->entry[i], *next = now + 1;

        if (cursor->downwards ? next->start >= now->start : next->last <= now->last) {
            return "a cursor turned round by itself";
        }
    }
    for (unsigned i = 0; i < history->initial.count; i++) {
        const struct rangemap_entry *entry = &history->initial.entry[i];
        unsigned times = 0;

        for (unsigned j = 0; j < cursor->entries; j++) {
            times += cursor->entry[j].start == entry->start && cursor->entry[j].last == entry->last;
        }
        if (entry->start <= cursor->last && entry->last >= cursor->start && is_untouched(history, entry) &&
            times != 1) {
            return "a cursor missed a range that was there all the time, or returned it twice";
        }
    }
    return NULL;
}

const char *judge_history(const struct judge_history *history, const struct model *final)
{
    const struct operation *returned[WORLD_THREADS * WORLD_STEPS], *open = NULL;
    unsigned count = 0;

    for (unsigned i = 0; i < history->threads; i++) {
        for (unsigned j = 0; j < history->operations[i]; j++) {
            const struct operation *operation = &history->operation[i][j];
            const char *fault = NULL;

            if (operation->end == 0) {
                open = operation->begin != 0 ? operation : open;
                continue;
            }
            returned[count++] = operation;
            fault = operation->kind == DO_CURSOR ? cursor_fault(history, operation) : NULL;
            if (fault != NULL) {
                return fault;
            }
        }
    }
    if (open == NULL ? linearize(&history->initial, returned, count, final)
                     : linearize_open(&history->initial, returned, count, open, final)) {
        return NULL;
    }
    return "not linearizable";
}

const char *judge_pool(const struct rm_pool *pool)
{
    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents * RM_EXTENT_SLABS; i++) {
            const struct rm_extent *extent = &table->extent[i / RM_EXTENT_SLABS];
            unsigned slab = i % RM_EXTENT_SLABS, set = RM_SET_IDLE;
            uint64_t nodes = rm_word_private(&extent->free[slab]);

            if (nodes != 0) {
                set = rm_extent_slab(extent, slab)->lines - RM_LINES_MIN;
            } else if ((rm_word_private(&extent->set[RM_SET_IDLE]) >> slab & 1) == 0) {
                continue;
            }
            if ((rm_word_private(&extent->set[set]) >> slab & 1) == 0 ||
                (rm_word_private(&table->set[set]) >> i / RM_EXTENT_SLABS & 1) == 0) {
                return "free nodes are hidden";
            }
        }
    }
    return NULL;
}
