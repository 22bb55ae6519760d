// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/query.h"

#include <string.h>

#include "rangemap/map/enter.h"
#include "rangemap/tree/edit.h"

/* So many leaves are read in turn before the clock is asked. */
enum { LEAVES_IN_TURN = 4 };

/*
 * Whether leaves that were read in turn were in the tree together, when the last one was found: the others have been
 * there before and are there still.
 */
static bool were_together(const struct rm_walk_place *place, unsigned count)
{
    for (unsigned i = 0; i + 1 < count; i++) {
        if (!rm_walk_is_in_place(&place[i])) {
            return false;
        }
    }
    return true;
}

/* Visits the leaves at the end where the walk begins. True: that settled it. */
static bool visit_in_turn(const struct rm_walk *walk)
{
    bool upward = walk->direction == RM_UPWARD;
    uint64_t key = upward ? walk->start : walk->last;
    struct rm_walk_place place[LEAVES_IN_TURN];

    for (unsigned i = 0; i < LEAVES_IN_TURN; i++) {
        struct rm_span span;
        unsigned count, from, to;
        const struct rm_leaf *leaf = rm_walk_current(walk->map, key, &count, &span, &place[i]);

        rm_leaf_overlap(leaf, count, walk->start, walk->last, &from, &to);
        if (!walk->visit(walk->state, leaf, count, from, to) ||
            (upward ? walk->last <= span.high : span.low <= walk->start)) {
            return were_together(place, i + 1);
        }
        key = upward ? span.high + 1 : span.low - 1;
    }
    return false;
}

bool rm_query_run(struct rm_walk *walk, size_t state_bytes)
{
    struct rm_thread *thread = rm_map_enter(walk->map);
    char initial[RM_QUERY_STATE_BYTES];

    if (thread == NULL) {
        return false;
    }
    memcpy(initial, walk->state, state_bytes);
    if (!visit_in_turn(walk)) {
        memcpy(walk->state, initial, state_bytes);
        walk->version = rm_version_take(walk->map);
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
    struct rm_walk walk = rm_walk_up(map, RM_VERSION_CURRENT, start, last, cover_visit, &state);

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

static bool overlap_last_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from,
                               unsigned to)
{
    return overlap_visit(state, leaf, count, from < to ? to - 1 : to, to);
}

/* The first range of the window in a direction. */
static int overlap(const struct rangemap *map, uint64_t start, uint64_t last, enum rm_direction direction,
                   struct rangemap_entry *entry)
{
    struct overlap state = {.found = false};
    struct rm_walk walk = {.map = map,
                           .version = RM_VERSION_CURRENT,
                           .start = start,
                           .last = last,
                           .direction = direction,
                           .visit = direction == RM_UPWARD ? overlap_visit : overlap_last_visit,
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

int rangemap_overlap(const struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *entry)
{
    return overlap(map, start, last, RM_UPWARD, entry);
}

int rangemap_overlap_last(const struct rangemap *map, uint64_t start, uint64_t last,
                          struct rangemap_entry *entry)
{
    return overlap(map, start, last, RM_DOWNWARD, entry);
}

int rangemap_is_free(const struct rangemap *map, uint64_t start, uint64_t last)
{
    int result = rangemap_overlap(map, start, last, NULL);

    return result == 0 ? 0 : result == -ENOENT ? 1 : result;
}
