// SPDX-License-Identifier: BSD-2-Clause
/* The public updates of windows: thin forms of map/window.h. */
#include <errno.h>

#include "rangemap/map/window.h"
#include "rangemap/node/entry.h"
#include "rangemap/tree/walk.h"

static const struct rangemap_rewrite plainly;

/* ---- splice and update ---- */

static bool fill_entries(struct rm_window *window, struct rm_sink *sink)
{
    const struct rangemap_entry *entries = window->source;

    for (size_t i = 0; i < window->count; i++) {
        if (!rm_window_put(window, sink, entries[i].start, entries[i].last, entries[i].value)) {
            return false;
        }
    }
    return true;
}

/* Whether they are sorted, disjoint and inside of the window. */
static bool are_in_window(const struct rangemap_entry *entries, size_t count, uint64_t start, uint64_t last,
                          size_t *bad)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t low = i == 0 ? start : entries[i - 1].last;

        if (entries[i].start < low || (i > 0 && entries[i].start == low) ||
            entries[i].start > entries[i].last || entries[i].last > last) {
            if (bad != NULL) {
                *bad = i;
            }
            return false;
        }
    }
    return true;
}

static bool is_window(const struct rangemap *map, uint64_t start, uint64_t last,
                      const struct rangemap_rewrite *how)
{
    return map != NULL && start <= last &&
           (how == NULL || how->expected_count == 0 || (how->if_same && how->expected != NULL));
}

int rangemap_splice(struct rangemap *map, uint64_t start, uint64_t last, const struct rangemap_entry *entries,
                    size_t count, const struct rangemap_rewrite *how)
{
    struct rm_window window = {.start = start,
                               .last = last,
                               .how = how != NULL ? *how : plainly,
                               .fill = count > 0 ? fill_entries : NULL,
                               .source = entries,
                               .count = count};

    if (!is_window(map, start, last, how) || window.how.whole || window.how.gaps ||
        (entries == NULL && count > 0) || !are_in_window(entries, count, start, last, window.how.bad)) {
        return -EINVAL;
    }
    return rm_window_run(map, &window);
}

int rangemap_update(struct rangemap *map, uint64_t start, uint64_t last, rangemap_update_fn *function,
                    void *context, const struct rangemap_rewrite *how)
{
    struct rm_window window = {.start = start,
                               .last = last,
                               .how = how != NULL ? *how : plainly,
                               .function = function,
                               .function_context = context};

    if (function == NULL || !is_window(map, start, last, how)) {
        return -EINVAL;
    }
    return rm_window_run(map, &window);
}

/* ---- carve by value, evict ---- */

static int drop_expected(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                         void *context)
{
    (void)part;
    (void)value;
    return whole->value == context ? RANGEMAP_DROP : RANGEMAP_KEEP;
}

int rangemap_carve_value(struct rangemap *map, uint64_t start, uint64_t last, void *expected,
                         rangemap_displaced_fn *displaced, void *context)
{
    const struct rangemap_rewrite how = {.displaced = displaced, .context = context};

    return rangemap_update(map, start, last, drop_expected, expected, &how);
}

int rangemap_evict(struct rangemap *map, uint64_t start, uint64_t last, rangemap_displaced_fn *displaced,
                   void *context)
{
    struct rm_window window = {
        .start = start, .last = last, .how = {.displaced = displaced, .context = context}, .evicts = true};

    return is_window(map, start, last, NULL) ? rm_window_run(map, &window) : -EINVAL;
}

/* ---- clone ---- */

struct filling {
    struct rm_window *window;
    struct rm_sink *sink;
    const struct rm_values *values; /* of the map that is copied */
};

/* The part of an entry that lies in the window, as the map that is copied would cut it. */
static struct rangemap_entry clip_copy(const struct rm_window *window, const struct rm_values *values,
                                       const struct rangemap_entry *entry)
{
    struct rangemap_entry part = {entry->start < window->start ? window->start : entry->start,
                                  entry->last > window->last ? window->last : entry->last, entry->value};

    if (part.start != entry->start || part.last != entry->last) {
        part.value = rm_values_part(values, entry, part.start, part.last);
    }
    return part;
}

static bool put_copies(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct filling *filling = state;

    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);
        struct rangemap_entry part = clip_copy(filling->window, filling->values, &entry);

        if (!rm_window_put(filling->window, filling->sink, part.start, part.last, part.value)) {
            return false;
        }
    }
    return true;
}

/* Walks the window in the snapshot: the same each time. */
static bool walk_copies(struct rm_window *window, struct rm_sink *sink, rm_walk_fn *visit)
{
    const struct rangemap_snapshot *snapshot = window->source;
    struct filling filling = {window, sink, &snapshot->map->values};
    struct rm_walk walk =
        rm_walk_up(snapshot->map, snapshot->version, window->start, window->last, visit, &filling);

    return rm_walk_map(&walk);
}

static bool fill_copies(struct rm_window *window, struct rm_sink *sink)
{
    return walk_copies(window, sink, put_copies);
}

/* Each value that was copied has one owner more. */
static bool retain_copies(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct filling *filling = state;
    const struct rm_values *own = filling->sink->values;

    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        rm_values_retain(own, clip_copy(filling->window, filling->values, &entry).value);
    }
    return true;
}

static void retain_all(const struct rm_rewrite *rewrite)
{
    struct rm_window *window = rewrite->state;
    struct rm_sink sink = {.values = &rewrite->map->values};

    if (sink.values->retain != NULL) {
        (void)walk_copies(window, &sink, retain_copies);
    }
}

int rangemap_clone(struct rangemap *map, const struct rangemap_snapshot *snapshot, uint64_t start,
                   uint64_t last, rangemap_displaced_fn *displaced, void *context)
{
    struct rm_window window = {.start = start,
                               .last = last,
                               .how = {.displaced = displaced, .context = context},
                               .fill = fill_copies,
                               .done = retain_all,
                               .source = snapshot};

    if (!is_window(map, start, last, NULL) || snapshot == NULL || snapshot->map == NULL) {
        return -EINVAL;
    }
    return rm_window_run(map, &window);
}
