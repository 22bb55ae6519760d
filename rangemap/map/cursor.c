// SPDX-License-Identifier: BSD-2-Clause
/*
 * Cursors: a copy of one leaf's part of the window at a time. Between leaves only a key is remembered, so
 * nothing that happens to the map can invalidate them.
 */
#include "rangemap/map/enter.h"
#include "rangemap/tree/edit.h"
#include "rangemap/tree/walk.h"

_Static_assert(RANGEMAP_CURSOR_ENTRIES == RM_LEAF_ROOM, "a cursor holds one leaf");

static int init(struct rangemap_cursor *cursor, const struct rangemap *map, uint64_t version, uint64_t start,
                uint64_t last)
{
    if (cursor == NULL || map == NULL || start > last) {
        return -EINVAL;
    }
    cursor->map = map;
    cursor->version = version;
    cursor->low = start;
    cursor->high = last;
    cursor->fresh = true;
    cursor->loaded = false;
    return 0;
}

int rangemap_cursor_init(struct rangemap_cursor *cursor, const struct rangemap *map, uint64_t start,
                         uint64_t last)
{
    return init(cursor, map, RM_VERSION_CURRENT, start, last);
}

int rangemap_cursor_init_at(struct rangemap_cursor *cursor, const struct rangemap_snapshot *snapshot,
                            uint64_t start, uint64_t last)
{
    if (snapshot == NULL) {
        return -EINVAL;
    }
    return init(cursor, snapshot->map, snapshot->version, start, last);
}

/* Copies the leaf that covers `key`. False: out of memory. */
static bool load(struct rangemap_cursor *cursor, uint64_t key)
{
    struct rm_thread *thread = rm_map_enter(cursor->map);
    const struct rm_leaf *leaf;
    unsigned count, from, to;
    struct rm_span span;

    if (thread == NULL) {
        return false;
    }
    leaf = rm_walk_leaf(cursor->map, cursor->version, key, &count, &span);
    cursor->from = span.low > cursor->low ? span.low : cursor->low;
    cursor->to = span.high < cursor->high ? span.high : cursor->high;
    rm_leaf_overlap(leaf, count, cursor->from, cursor->to, &from, &to);
    cursor->count = to - from;
    for (unsigned i = from; i < to; i++) {
        cursor->entry[i - from] = rm_leaf_entry(leaf, count, i);
    }
    rm_section_leave(thread);
    cursor->fresh = false;
    cursor->loaded = true;
    return true;
}

/* Loads upwards from `key`: index stands before the lowest range that ends at or above it. */
static bool load_up(struct rangemap_cursor *cursor, uint64_t key)
{
    if (!load(cursor, key)) {
        return false;
    }
    cursor->index = 0;
    while (cursor->index < cursor->count && cursor->entry[cursor->index].last < key) {
        cursor->index++;
    }
    return true;
}

/* Loads downwards from `key`: index stands behind the highest range that starts at or below `limit`. */
static bool load_down(struct rangemap_cursor *cursor, uint64_t key, uint64_t limit)
{
    if (!load(cursor, key)) {
        return false;
    }
    cursor->index = cursor->count;
    while (cursor->index > 0 && cursor->entry[cursor->index - 1].start > limit) {
        cursor->index--;
    }
    return true;
}

int rangemap_cursor_next(struct rangemap_cursor *cursor, struct rangemap_entry *entry)
{
    if (cursor == NULL || cursor->map == NULL || entry == NULL) {
        return -EINVAL;
    }
    if (!cursor->loaded && !load_up(cursor, cursor->fresh ? cursor->low : cursor->from)) {
        return -ENOMEM;
    }
    while (cursor->index == cursor->count) {
        if (cursor->to >= cursor->high) {
            return -ENOENT;
        }
        if (!load_up(cursor, cursor->to + 1)) {
            return -ENOMEM;
        }
    }
    *entry = cursor->entry[cursor->index++];
    return 0;
}

/* The first step downwards: from the top of the window, or from below the key that was sought. */
static int start_down(struct rangemap_cursor *cursor)
{
    uint64_t key = cursor->from;
    bool loaded;

    if (cursor->fresh) {
        loaded = load_down(cursor, cursor->high, cursor->high);
    } else if (key == 0) {
        return -ENOENT;
    } else {
        /* At the window's low end only a range that sticks out of it can start below. */
        loaded = load_down(cursor, key > cursor->low ? key - 1 : key, key - 1);
    }
    return loaded ? 0 : -ENOMEM;
}

int rangemap_cursor_previous(struct rangemap_cursor *cursor, struct rangemap_entry *entry)
{
    if (cursor == NULL || cursor->map == NULL || entry == NULL) {
        return -EINVAL;
    }
    if (!cursor->loaded) {
        int result = start_down(cursor);

        if (result != 0) {
            return result;
        }
    }
    while (cursor->index == 0) {
        if (cursor->from <= cursor->low) {
            return -ENOENT;
        }
        if (!load_down(cursor, cursor->from - 1, cursor->from - 1)) {
            return -ENOMEM;
        }
    }
    *entry = cursor->entry[--cursor->index];
    return 0;
}

int rangemap_cursor_seek(struct rangemap_cursor *cursor, uint64_t key)
{
    if (cursor == NULL || cursor->map == NULL || key < cursor->low || key > cursor->high) {
        return -EINVAL;
    }
    cursor->from = key;
    cursor->fresh = false;
    cursor->loaded = false;
    return 0;
}
