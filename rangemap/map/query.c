// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/query.h"

#include <string.h>

#include "rangemap/map/enter.h"
#include "rangemap/tree/edit.h"

/* Visits the leaf at the end where the walk begins. True: that settled it. */
static bool visit_one_leaf(const struct rm_walk *walk)
{
    bool upward = walk->direction == RM_UPWARD;
    uint64_t key = upward ? walk->start : walk->last;
    struct rm_span span;
    unsigned count, from, to;
    const struct rm_leaf *leaf = rm_walk_leaf(walk->map, RM_VERSION_CURRENT, key, &count, &span);

    rm_leaf_overlap(leaf, count, walk->start, walk->last, &from, &to);
    return !walk->visit(walk->state, leaf, count, from, to) ||
           (span.low <= walk->start && walk->last <= span.high) || rm_broken(RM_QUERY_SETTLED);
}

bool rm_query_run(struct rm_walk *walk, size_t state_bytes)
{
    struct rm_thread *thread = rm_map_enter(walk->map);
    char initial[RM_QUERY_STATE_BYTES];

    if (thread == NULL) {
        return false;
    }
    memcpy(initial, walk->state, state_bytes);
    if (!visit_one_leaf(walk)) {
        if (!rm_broken(RM_QUERY_ANEW)) {
            memcpy(walk->state, initial, state_bytes);
        }
        walk->version = rm_broken(RM_QUERY_SNAPSHOT) ? RM_VERSION_CURRENT : rm_version_take(walk->map);
        (void)rm_walk_map(walk);
    }
    rm_section_leave(thread);
    return true;
}

/* The first entry that a walk meets and that is whole on the far side of `key`. */
struct search {
    struct rangemap_entry entry;
    uint64_t start, last; /* the entry must lie inside */
    bool found;
};

static bool search_up(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct search *search = state;

    for (unsigned i = from; i < to; i++) {
        search->entry = rm_leaf_entry(leaf, count, i);
        if (search->entry.start >= search->start) {
            search->found = true;
            return false;
        }
    }
    return true;
}

static bool search_down(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct search *search = state;

    for (unsigned i = to; i > from; i--) {
        search->entry = rm_leaf_entry(leaf, count, i - 1);
        if (search->entry.last <= search->last) {
            search->found = true;
            return false;
        }
    }
    return true;
}

/* The lowest or highest range that begins at or above `start` and ends at or below `last`, as direction. */
static int search(const struct rangemap *map, uint64_t start, uint64_t last, enum rm_direction direction,
                  struct rangemap_entry *entry)
{
    struct search state = {.start = start, .last = last};
    struct rm_walk walk = {.map = map,
                           .version = RM_VERSION_CURRENT,
                           .start = start,
                           .last = last,
                           .direction = direction,
                           .visit = direction == RM_UPWARD ? search_up : search_down,
                           .state = &state};

    if (!rm_query_run(&walk, sizeof state)) {
        return -ENOMEM;
    }
    if (!state.found) {
        return -ENOENT;
    }
    *entry = state.entry;
    return 0;
}

int rangemap_next(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    if (map == NULL || entry == NULL) {
        return -EINVAL;
    }
    return key == UINT64_MAX ? -ENOENT : search(map, key + 1, UINT64_MAX, RM_UPWARD, entry);
}

int rangemap_previous(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    if (map == NULL || entry == NULL) {
        return -EINVAL;
    }
    return key == 0 ? -ENOENT : search(map, 0, key - 1, RM_DOWNWARD, entry);
}

int rangemap_first(const struct rangemap *map, struct rangemap_entry *entry)
{
    if (map == NULL || entry == NULL) {
        return -EINVAL;
    }
    return search(map, 0, UINT64_MAX, RM_UPWARD, entry);
}

int rangemap_last(const struct rangemap *map, struct rangemap_entry *entry)
{
    if (map == NULL || entry == NULL) {
        return -EINVAL;
    }
    return search(map, 0, UINT64_MAX, RM_DOWNWARD, entry);
}

/* How far the keys from the walk's start on are held without a gap. */
struct cover {
    uint64_t next; /* the lowest key not yet known to be held */
    uint64_t last;
    bool complete;
};

static bool cover_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct cover *cover = state;

    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        if (entry.start > cover->next) {
            return false;
        }
        if (entry.last >= cover->last) {
            cover->complete = true;
            return false;
        }
        cover->next = entry.last + 1;
    }
    return true;
}

int rangemap_is_covered(const struct rangemap *map, uint64_t start, uint64_t last)
{
    struct cover state = {.next = start, .last = last};
    struct rm_walk walk = {.map = map,
                           .version = RM_VERSION_CURRENT,
                           .start = start,
                           .last = last,
                           .direction = RM_UPWARD,
                           .visit = cover_visit,
                           .state = &state};

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    return rm_query_run(&walk, sizeof state) ? state.complete : -ENOMEM;
}

struct overlap {
    struct rangemap_entry entry;
    bool found;
};

static bool overlap_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct overlap *overlap = state;

    overlap->found = !rm_walk_first(&overlap->entry, leaf, count, from, to);
    return !overlap->found;
}

int rangemap_overlap(const struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *entry)
{
    struct overlap state = {.found = false};
    struct rm_walk walk = {.map = map,
                           .version = RM_VERSION_CURRENT,
                           .start = start,
                           .last = last,
                           .direction = RM_UPWARD,
                           .visit = overlap_visit,
                           .state = &state};

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    if (!rm_query_run(&walk, sizeof state)) {
        return -ENOMEM;
    }
    if (state.found && entry != NULL) {
        *entry = state.entry;
    }
    return state.found ? 0 : -ENOENT;
}

int rangemap_is_free(const struct rangemap *map, uint64_t start, uint64_t last)
{
    int result = rangemap_overlap(map, start, last, NULL);

    return result == 0 ? 0 : result == -ENOENT ? 1 : result;
}
