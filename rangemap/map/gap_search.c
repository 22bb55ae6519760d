// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/gap_search.h"

#include <errno.h>

#include "rangemap/base/probe.h"
#include "rangemap/map/enter.h"
#include "rangemap/node/entry.h"
#include "rangemap/node/gap_class.h"
#include "rangemap/node/prefetch.h"
#include "rangemap/tree/path.h"

/* ---- one gap ---- */

/* The lowest fitting start in the free keys [low, high]. */
static bool fits_from_bottom(const struct rm_gap_search *search, uint64_t low, uint64_t high, uint64_t *start)
{
    *start = (low + search->mask) & ~search->mask;
    return *start >= low && *start <= high && high - *start >= search->request->length - 1;
}

/* The highest. */
static bool fits_from_top(const struct rm_gap_search *search, uint64_t low, uint64_t high, uint64_t *start)
{
    if (high - low < search->request->length - 1) {
        return false;
    }
    *start = (high - (search->request->length - 1)) & ~search->mask;
    return *start >= low;
}

/* The free keys [low, high] of the window. True: the search is at its end. */
static bool offer(struct rm_gap_search *search, uint64_t low, uint64_t high)
{
    const struct rangemap_gap_request *request = search->request;
    uint64_t start;
    bool fits = request->from_top ? fits_from_top(search, low, high, &start)
                                  : fits_from_bottom(search, low, high, &start);

    if (!fits || (search->found && high - low >= search->surplus)) {
        return false;
    }
    search->found = true;
    search->start = start;
    search->surplus = high - low;
    search->ended = request->fit != RANGEMAP_GAP_BEST || search->surplus == request->length - 1;
    return search->ended;
}

/* ---- a leaf: the gaps that end in it, and then what is left ---- */

static bool visit_up(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct rm_gap_search *search = state;

    search->visits++;
    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        if (entry.start > search->edge && offer(search, search->edge, entry.start - 1)) {
            return false;
        }
        if (entry.last >= search->far) {
            return false;
        }
        search->edge = entry.last + 1;
    }
    return true;
}

static bool visit_down(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct rm_gap_search *search = state;

    search->visits++;
    for (unsigned i = to; i > from; i--) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i - 1);

        if (entry.last < search->edge && offer(search, entry.last + 1, search->edge)) {
            return false;
        }
        if (entry.start <= search->far) {
            return false;
        }
        search->edge = entry.start - 1;
    }
    return true;
}

/* What is free from the edge to the far end. */
static void offer_rest(struct rm_gap_search *search)
{
    bool from_top = search->request->from_top;

    (void)offer(search, from_top ? search->far : search->edge, from_top ? search->edge : search->far);
}

static void set_part(struct rm_gap_search *search, uint64_t low, uint64_t high)
{
    search->edge = search->request->from_top ? high : low;
    search->far = search->request->from_top ? low : high;
}

/* The free keys of [low, high], which lie in the leaf; those that go on behind it only if `with_rest`. */
static void visit_part(struct rm_gap_search *search, const struct rm_leaf *leaf, unsigned count, uint64_t low,
                       uint64_t high, bool with_rest)
{
    bool from_top = search->request->from_top;
    unsigned from, to;

    rm_leaf_overlap(leaf, count, low, high, &from, &to);
    set_part(search, low, high);
    if ((from_top ? visit_down : visit_up)(search, leaf, count, from, to) && with_rest) {
        offer_rest(search);
    }
}

/* ---- maps that track gaps ---- */

/* By G1 every gap lies in one leaf. */
static bool search_leaf(struct rm_gap_search *search, const struct rm_leaf *leaf, unsigned count,
                        struct rm_span span)
{
    uint64_t low = span.low > search->low ? span.low : search->low;
    uint64_t high = span.high < search->high ? span.high : search->high;

    visit_part(search, leaf, count, low, high, true);
    return !search->ended;
}

/*
 * The node in a slot that held `word`, as of the search's version; NULL: nothing below it serves. The class bounds
 * what was there then only if that is the node beside it.
 */
static struct rm_node *promising(const struct rm_gap_search *search, uint64_t word, uint64_t *meta)
{
    bool serves = rm_slot_class(word) >= search->gap_class;
    struct rm_node *node;

    if (!serves && search->version == RM_VERSION_CURRENT) {
        return NULL;
    }
    node = rm_version_of(search->map, word, search->version, meta);
    return serves || node != rm_slot_node(word) ? node : NULL;
}

/* As of a version all of their stamps are read. */
static void prefetch_children(const struct rm_gap_search *search, const struct rm_inner *inner, unsigned from,
                              unsigned to)
{
    for (unsigned i = from; i <= to && search->version != RM_VERSION_CURRENT; i++) {
        rm_prefetch(rm_slot_node(rm_load_relaxed(&inner->slot[i])));
    }
}

/* A node that is looked into: its span, the class of the slot that led to it, and that of what was found in it. */
struct visited {
    const struct rm_node *node;
    uint64_t meta;
    struct rm_span span;
    unsigned promised, real;
};

static bool search_node(struct rm_gap_search *search, struct visited *at);

/* False: the search is at its end. */
static bool search_child(struct rm_gap_search *search, const struct visited *at, unsigned index,
                         unsigned *real)
{
    const struct rm_inner *inner = rm_inner(at->node);
    uint64_t word = rm_load_dependent(&inner->slot[index]);
    struct visited child = {.promised = rm_slot_class(word), .real = rm_slot_class(word)};
    bool goes_on = true;

    child.node = promising(search, word, &child.meta);
    if (child.node != NULL) {
        child.span = rm_child_span(inner, rm_meta_count(at->meta), index, at->span);
        goes_on = search_node(search, &child);
    }
    *real = child.real > *real ? child.real : *real;
    return goes_on;
}

/* All children that are in the window, in order. False: the search is at its end. */
static bool search_children(struct rm_gap_search *search, struct visited *at)
{
    const struct rm_inner *inner = rm_inner(at->node);
    unsigned count = rm_meta_count(at->meta), real = 0;
    unsigned from = search->low > at->span.low ? rm_child_index(inner, count, search->low) : 0;
    unsigned to = search->high < at->span.high ? rm_child_index(inner, count, search->high) : count - 1;

    prefetch_children(search, inner, from, to);
    for (unsigned i = 0; i <= to - from; i++) {
        if (!search_child(search, at, search->request->from_top ? to - i : from + i, &real)) {
            return false;
        }
    }
    if (to - from + 1 == count) {
        at->real = real; /* else not all were seen */
    }
    return true;
}

static bool search_node(struct rm_gap_search *search, struct visited *at)
{
    if (rm_meta_level(at->meta) == 0) {
        return search_leaf(search, rm_leaf(at->node), rm_meta_count(at->meta), at->span);
    }
    search->visits++;
    if (!search_children(search, at)) {
        return false;
    }
    if (at->real < at->promised && search->loose_count < RM_LOOSE_MAX) {
        search->loose[search->loose_count++] = (struct rm_loose){at->span.low, rm_meta_level(at->meta)};
    }
    return true;
}

/* ---- the window, and the part of it behind a hint ---- */

static void search_window(struct rm_gap_search *search)
{
    bool from_top = search->request->from_top;
    struct rm_walk walk = {.map = search->map,
                           .version = search->version,
                           .start = search->low,
                           .last = search->high,
                           .direction = from_top ? RM_DOWNWARD : RM_UPWARD,
                           .visit = from_top ? visit_down : visit_up,
                           .state = search};
    struct visited root = {.span = RM_ALL_KEYS};

    if (search->map->tracks_gaps) {
        root.node = rm_version_follow(search->map, &search->map->root, search->version, &root.meta);
        (void)search_node(search, &root);
    } else if (rm_walk_map(&walk)) {
        offer_rest(search);
    }
}

static void set_window(struct rm_gap_search *search, uint64_t low, uint64_t high)
{
    search->low = low;
    search->high = high;
    search->found = false;
    search->ended = false;
    set_part(search, low, high);
}

/* Sets the window to search first. True: it is only the part of the request's that lies behind the hint. */
static bool begin(struct rm_gap_search *search)
{
    const struct rangemap_gap_request *request = search->request;
    uint64_t low = request->low, high = request->high;

    if (request->fit == RANGEMAP_GAP_NEXT && request->hint >= low && request->hint <= high) {
        low = request->from_top ? low : request->hint;
        high = request->from_top ? request->hint : high;
    }
    set_window(search, low, high);
    return low != request->low || high != request->high;
}

static void search_from_hint(struct rm_gap_search *search, bool is_part)
{
    search_window(search);
    if (is_part && !search->found) {
        set_window(search, search->request->low, search->request->high);
        search_window(search);
    }
}

/* Looks at the leaf where the window begins. True: that settled it. */
static bool settled_by_one_leaf(struct rm_gap_search *search, bool is_part)
{
    uint64_t key = search->request->from_top ? search->high : search->low;
    struct rm_span span;
    unsigned count;
    const struct rm_leaf *leaf = rm_walk_leaf(search->map, RM_VERSION_CURRENT, key, &count, &span);
    uint64_t low = span.low > search->low ? span.low : search->low;
    uint64_t high = span.high < search->high ? span.high : search->high;
    bool whole = low == search->low && high == search->high;

    visit_part(search, leaf, count, low, high, whole);
    return search->ended || (whole && !is_part);
}

bool rm_gap_search_init(struct rm_gap_search *search, const struct rangemap *map,
                        const struct rangemap_gap_request *request)
{
    if (map == NULL || request == NULL || request->length == 0 || request->low > request->high ||
        (request->alignment & (request->alignment - 1)) != 0 || (unsigned)request->fit > RANGEMAP_GAP_NEXT) {
        return false;
    }
    search->map = map;
    search->request = request;
    search->version = RM_VERSION_CURRENT;
    search->mask = request->alignment > 0 ? request->alignment - 1 : 0;
    search->gap_class = rm_gap_class(request->length);
    search->visits = 0;
    search->loose_count = 0;
    return true;
}

static int end(const struct rm_gap_search *search, struct rm_thread *thread)
{
    rm_section_leave(thread);
    rm_probe_gap_search(search->map, search->visits);
    return search->found ? 0 : -ENOSPC;
}

int rm_gap_search_exact(struct rm_gap_search *search)
{
    struct rm_thread *thread = rm_map_enter(search->map);
    bool is_part;

    if (thread == NULL) {
        return -ENOMEM;
    }
    is_part = begin(search);
    if (!settled_by_one_leaf(search, is_part)) {
        search->version = rm_version_take(search->map);
        (void)begin(search);
        search_from_hint(search, is_part);
    }
    return end(search, thread);
}

int rm_gap_search_current(struct rm_gap_search *search)
{
    struct rm_thread *thread = rm_map_enter(search->map);

    if (thread == NULL) {
        return -ENOMEM;
    }
    search_from_hint(search, begin(search));
    return end(search, thread);
}
