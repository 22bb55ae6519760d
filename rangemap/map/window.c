// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/window.h"

#include <errno.h>

/* ---- pieces, which may be joined ---- */

static bool pass_piece(struct rm_sink *sink, const struct rangemap_entry *entry, bool is_old)
{
    return is_old ? rm_sink_keep(sink, entry) : rm_sink_put(sink, entry->start, entry->last, entry->value);
}

static bool flush_piece(struct rm_window *window, struct rm_sink *sink)
{
    bool has = window->has_pending;

    window->has_pending = false;
    return !has || pass_piece(sink, &window->pending.entry, window->pending.is_old);
}

static bool joins_pending(const struct rm_window *window, const struct rangemap_entry *entry)
{
    const struct rangemap_entry *left = &window->pending.tail;

    if (!window->has_pending || left->last + 1 != entry->start) {
        return false;
    }
    return window->how.equal == NULL ? left->value == entry->value
                                     : window->how.equal(left, entry, window->how.context);
}

/* Adds a piece. *joined: it went into the pending one, whose value remains. */
static bool add_piece(struct rm_window *window, struct rm_sink *sink, const struct rangemap_entry *entry,
                      bool is_old, bool *joined)
{
    struct rm_piece *pending = &window->pending;

    *joined = false;
    if (!window->how.join) {
        return pass_piece(sink, entry, is_old);
    }
    *joined = joins_pending(window, entry);
    if (!*joined) {
        if (!flush_piece(window, sink)) {
            return false;
        }
        *pending = (struct rm_piece){*entry, *entry, is_old};
        window->has_pending = true;
        return true;
    }
    if (pending->is_old && !rm_sink_displace(sink, &pending->entry, 1)) {
        return false;
    }
    pending->is_old = false;
    pending->entry.last = entry->last;
    pending->tail = *entry;
    return true;
}

static bool keep_range(struct rm_window *window, struct rm_sink *sink, const struct rangemap_entry *entry)
{
    bool joined;

    return add_piece(window, sink, entry, true, &joined) && (!joined || rm_sink_displace(sink, entry, 0));
}

bool rm_window_put(struct rm_window *window, struct rm_sink *sink, uint64_t start, uint64_t last, void *value)
{
    struct rangemap_entry entry = {start, last, value};
    bool joined;

    if (!window->how.join) {
        return rm_sink_put(sink, start, last, value);
    }
    return add_piece(window, sink, &entry, false, &joined) && (!joined || rm_sink_release(sink, value));
}

/* What remains of a range outside of the window; *owners counts if it carries on its value. */
static bool put_part(struct rm_window *window, struct rm_sink *sink, const struct rangemap_entry *whole,
                     uint64_t start, uint64_t last, unsigned *owners)
{
    struct rangemap_entry part = {start, last, rm_values_part(sink->values, whole, start, last)};
    bool joined;

    if (!add_piece(window, sink, &part, false, &joined)) {
        return false;
    }
    *owners += !joined && part.value == whole->value;
    return true;
}

/* ---- asking ---- */

static bool refuse_window(struct rm_window *window, struct rm_sink *sink, int error)
{
    window->error = error;
    return rm_sink_refuse(sink);
}

static bool is_refusal(int verdict)
{
    return verdict < 0 || verdict > RANGEMAP_SET;
}

/* An errno of its own, or what is no verdict at all. */
static bool refuse_verdict(struct rm_window *window, struct rm_sink *sink, int verdict)
{
    return refuse_window(window, sink, verdict > RANGEMAP_SET ? -EINVAL : verdict);
}

/* What `function` says about a gap that begins at window->next. */
static bool ask_gap(struct rm_window *window, struct rm_sink *sink, uint64_t last)
{
    struct rangemap_entry gap = {window->next, last, NULL};
    void *value = NULL;
    int verdict = window->function(&gap, NULL, &value, window->function_context);

    if (is_refusal(verdict)) {
        return refuse_verdict(window, sink, verdict);
    }
    return verdict != RANGEMAP_SET || rm_window_put(window, sink, gap.start, gap.last, value);
}

/* What is new: once. Behind the ranges seen, or in their place. */
static bool fill_window(struct rm_window *window, struct rm_sink *sink)
{
    if (window->is_filled) {
        return true;
    }
    window->is_filled = true;
    if (rm_window_asks_gaps(window)) {
        return ask_gap(window, sink, window->last);
    }
    return window->fill == NULL || window->fill(window, sink);
}

/* Whether `entry` is the next one that the caller expects; there may be none, and no array. */
static bool is_expected(const struct rm_window *window, const struct rangemap_entry *entry)
{
    const struct rangemap_entry *expected;

    if (window->matched >= window->how.expected_count) {
        return false;
    }
    expected = &window->how.expected[window->matched];
    return expected->start == entry->start && expected->last == entry->last &&
           expected->value == entry->value;
}

static bool check_condition(struct rm_window *window, struct rm_sink *sink,
                            const struct rangemap_entry *entry)
{
    const struct rangemap_rewrite *how = &window->how;

    if (how->if_free) {
        window->conflict = *entry;
        window->in_the_way = true;
        return refuse_window(window, sink, -EEXIST);
    }
    if (how->if_same && !is_expected(window, entry)) {
        return refuse_window(window, sink, -ESTALE);
    }
    window->matched++;
    return true;
}

/* The verdict on the part of `entry` that lies in the window; its value in *value. */
static int ask_range(const struct rm_window *window, const struct rm_sink *sink,
                     const struct rangemap_entry *entry, struct rangemap_entry *part)
{
    part->start = entry->start < window->start ? window->start : entry->start;
    part->last = entry->last > window->last ? window->last : entry->last;
    if (window->function == NULL) {
        return RANGEMAP_DROP;
    }
    part->value = entry->value;
    if (part->start != entry->start || part->last != entry->last) {
        if (window->how.whole) {
            return RANGEMAP_KEEP;
        }
        part->value = rm_values_part(sink->values, entry, part->start, part->last);
    }
    return window->function(part, entry, &part->value, window->function_context);
}

/* ---- the composer ---- */

/* A range that is cut, or gone: what is left of it, and what takes its place. */
static bool cut_range(struct rm_window *window, struct rm_sink *sink, const struct rangemap_entry *entry,
                      const struct rangemap_entry *part, bool sets)
{
    unsigned owners = 0;

    if (entry->start < part->start &&
        !put_part(window, sink, entry, entry->start, part->start - 1, &owners)) {
        return false;
    }
    /* At the first range already: joined to its neighbour, it displaces that, which comes before this one. */
    if (window->fill != NULL && !fill_window(window, sink)) {
        return false;
    }
    if (sets && !rm_window_put(window, sink, part->start, part->last, part->value)) {
        return false;
    }
    if (entry->last > part->last && !put_part(window, sink, entry, part->last + 1, entry->last, &owners)) {
        return false;
    }
    return rm_sink_displace(sink, entry, owners);
}

static bool visit_inside(struct rm_window *window, struct rm_sink *sink, const struct rangemap_entry *entry)
{
    struct rangemap_entry part;
    int verdict;

    if (!check_condition(window, sink, entry)) {
        return false;
    }
    if (rm_window_asks_gaps(window) && window->next < entry->start &&
        !ask_gap(window, sink, entry->start - 1)) {
        return false;
    }
    verdict = ask_range(window, sink, entry, &part);
    if (is_refusal(verdict)) {
        return refuse_verdict(window, sink, verdict);
    }
    if (entry->last >= window->last) {
        window->is_filled = window->is_filled || rm_window_asks_gaps(window); /* no gap is left */
    } else {
        window->next = entry->last + 1;
    }
    if (verdict == RANGEMAP_KEEP) {
        return keep_range(window, sink, entry);
    }
    return window->evicts ? rm_sink_displace(sink, entry, 0)
                          : cut_range(window, sink, entry, &part, verdict == RANGEMAP_SET);
}

static int verdict_on(const struct rm_window *window, const struct rangemap_entry *entry, void **value)
{
    *value = entry->value;
    return window->function(entry, entry, value, window->function_context);
}

/* A range that lies inside, where nothing is asked but the function. */
static bool visit_whole(struct rm_window *window, struct rm_sink *sink, const struct rangemap_entry *entry)
{
    void *value;
    int verdict = verdict_on(window, entry, &value);

    if (verdict == RANGEMAP_KEEP) {
        return rm_sink_keep(sink, entry);
    }
    if (verdict != RANGEMAP_SET && verdict != RANGEMAP_DROP) {
        return refuse_verdict(window, sink, verdict);
    }
    return (verdict == RANGEMAP_DROP || rm_sink_put(sink, entry->start, entry->last, value)) &&
           rm_sink_displace(sink, entry, 0);
}

static void window_begin(void *state)
{
    struct rm_window *window = state;

    window->error = 0;
    window->is_filled = window->in_the_way = false;
    window->next = window->start;
    window->matched = 0;
    window->has_pending = false;
}

static bool visit_range(struct rm_window *window, struct rm_sink *sink, const struct rangemap_entry *entry)
{
    if (entry->last < window->start) {
        return keep_range(window, sink, entry);
    }
    if (entry->start > window->last) {
        return fill_window(window, sink) && keep_range(window, sink, entry);
    }
    return visit_inside(window, sink, entry);
}

/* Likewise, where it was not told to be changed. False: it is refused. *value is to be put, if `keeps`. */
static RM_NOINLINE bool hear_verdict(struct rm_window *window, struct rm_sink *sink, int verdict,
                                     const struct rangemap_entry *entry, void **value, unsigned *kept)
{
    *value = entry->value;
    *kept += verdict == RANGEMAP_KEEP;
    return verdict == RANGEMAP_KEEP || verdict == RANGEMAP_DROP || refuse_verdict(window, sink, verdict);
}

/* The same for all ranges of a leaf at once, which is what wide updates consist of. */
static bool visit_all_whole(struct rm_window *window, struct rm_sink *sink,
                            const struct rangemap_entry *entries, unsigned count)
{
    struct rm_run *run = rm_sink_room(sink, count);
    unsigned kept = 0;
    uint64_t *start;
    struct rm_pair *pair;

    if (run == NULL) {
        return false;
    }
    start = run->start + run->count;
    pair = run->pair + run->count;
    for (const struct rangemap_entry *entry = entries, *end = entries + count; entry < end; entry++) {
        void *value;
        int verdict = verdict_on(window, entry, &value);

        if (RM_UNLIKELY(verdict != RANGEMAP_SET) &&
            !hear_verdict(window, sink, verdict, entry, &value, &kept)) {
            return false;
        }
        *start = entry->start;
        pair->last = entry->last;
        pair->value = value;
        start += verdict != RANGEMAP_DROP;
        pair += verdict != RANGEMAP_DROP;
    }
    run->count = (unsigned)(start - run->start);
    sink->changed = sink->changed || kept < count;
    return true;
}

static bool window_visit(void *state, struct rm_sink *sink, const struct rangemap_entry *entries,
                         unsigned count)
{
    struct rm_window *window = state;

    bool whole =
        window->is_plain && entries[0].start >= window->start && entries[count - 1].last <= window->last;

    if (whole && rm_sink_only_puts(sink)) {
        return visit_all_whole(window, sink, entries, count);
    }
    for (unsigned i = 0; i < count; i++) {
        if (!(whole ? visit_whole : visit_range)(window, sink, &entries[i])) {
            return false;
        }
    }
    return true;
}

static bool window_finish(void *state, struct rm_sink *sink)
{
    struct rm_window *window = state;

    if (window->how.if_same && window->matched < window->how.expected_count) {
        return refuse_window(window, sink, -ESTALE);
    }
    return fill_window(window, sink) && flush_piece(window, sink);
}

const struct rm_composer rm_window_composer = {window_begin, window_visit, window_finish};
