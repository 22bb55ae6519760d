// SPDX-License-Identifier: BSD-2-Clause
/*
 * The oracle's updates of windows. Where the map composes as it goes, this makes a list of all pieces first, then
 * joins them, then looks which of the old ranges are still among them.
 */
#include <errno.h>
#include <stdlib.h>

#include "test/oracle/oracle.h"

struct pieces {
    struct entry_list list;
    bool *is_old; /* by index: a range of the map as it was */
};

static void add(struct pieces *pieces, const struct rangemap_entry *entry, bool is_old)
{
    size_t index = pieces->list.count;

    entry_list_append(&pieces->list, entry);
    pieces->is_old = realloc(pieces->is_old, (index + 1) * sizeof *pieces->is_old);
    if (pieces->is_old == NULL) {
        abort();
    }
    pieces->is_old[index] = is_old;
}

static void add_part(struct pieces *pieces, const struct oracle *oracle, const struct rangemap_entry *whole,
                     uint64_t start, uint64_t last)
{
    struct rangemap_entry part = {start, last, whole->value};

    if (start > last) {
        return;
    }
    if (oracle->split) {
        part.value = oracle->split(whole, start, last, oracle->context);
    }
    add(pieces, &part, false);
}

static bool touch(const struct rangemap_entry *left, const struct rangemap_entry *right)
{
    return left->last != UINT64_MAX && left->last + 1 == right->start;
}

static void join(struct pieces *pieces, const struct rangemap_rewrite *how)
{
    struct pieces joined = {.list = {0}};
    const struct rangemap_entry *entry = pieces->list.entry;

    for (size_t i = 0, end; i < pieces->list.count; i = end) {
        struct rangemap_entry whole = entry[i];

        for (end = i + 1; end < pieces->list.count && touch(&entry[end - 1], &entry[end]) &&
                          (how->equal ? how->equal(&entry[end - 1], &entry[end], how->context)
                                      : entry[end - 1].value == entry[end].value);
             end++) {
        }
        whole.last = entry[end - 1].last;
        add(&joined, &whole, end == i + 1 && pieces->is_old[i]);
    }
    entry_list_free(&pieces->list);
    free(pieces->is_old);
    *pieces = joined;
}

/* `at` moves along the pieces, as `entry` does along the ranges. */
static bool still_there(const struct pieces *pieces, size_t *at, const struct rangemap_entry *entry)
{
    while (*at < pieces->list.count && pieces->list.entry[*at].start < entry->start) {
        ++*at;
    }
    return *at < pieces->list.count && pieces->is_old[*at] && pieces->list.entry[*at].start == entry->start;
}

/* Puts the pieces in the place of entries [begin, end). */
static void settle(struct oracle *oracle, size_t begin, size_t end, struct pieces *pieces,
                   struct entry_list *displaced)
{
    size_t at = 0;

    for (size_t i = begin; displaced && i < end; i++) {
        if (!still_there(pieces, &at, &oracle->list.entry[i])) {
            entry_list_append(displaced, &oracle->list.entry[i]);
        }
    }
    entry_list_splice(&oracle->list, begin, end - begin, pieces->list.entry, pieces->list.count);
}

static void free_pieces(struct pieces *pieces)
{
    entry_list_free(&pieces->list);
    free(pieces->is_old);
}

/* The entries that share a key with the window are [*begin, *end). */
static void find(const struct oracle *oracle, uint64_t start, uint64_t last, size_t *begin, size_t *end)
{
    *begin = oracle_lower_bound(oracle, start);
    for (*end = *begin; *end < oracle->list.count && oracle->list.entry[*end].start <= last; ++*end) {
    }
}

static int check(const struct oracle *oracle, size_t begin, size_t end, const struct rangemap_rewrite *how)
{
    if (how->if_free && begin < end) {
        return -EEXIST;
    }
    if (how->if_same && end - begin != how->expected_count) {
        return -ESTALE;
    }
    for (size_t i = begin; how->if_same && i < end; i++) {
        if (!entry_equal(&oracle->list.entry[i], &how->expected[i - begin])) {
            return -ESTALE;
        }
    }
    return 0;
}

/* What a window is to become, in pieces; entries [begin, end) lie in it. */
struct plan {
    struct oracle *oracle;
    uint64_t start, last;
    size_t begin, end;
    const struct rangemap_rewrite *how;
    struct pieces pieces;
};

static void add_neighbour(struct plan *plan, size_t index, bool touches)
{
    if (plan->how->join && touches) {
        add(&plan->pieces, &plan->oracle->list.entry[index], true);
    }
}

static bool has_left(const struct plan *plan)
{
    return plan->how->join && plan->begin > 0 && plan->start > 0 &&
           plan->oracle->list.entry[plan->begin - 1].last == plan->start - 1;
}

static bool has_right(const struct plan *plan)
{
    return plan->how->join && plan->end < plan->oracle->list.count && plan->last < UINT64_MAX &&
           plan->oracle->list.entry[plan->end].start == plan->last + 1;
}

static void carry_out(struct plan *plan, struct entry_list *displaced)
{
    size_t begin = plan->begin - has_left(plan), end = plan->end + has_right(plan);

    if (plan->how->join) {
        join(&plan->pieces, plan->how);
    }
    settle(plan->oracle, begin, end, &plan->pieces, displaced);
}

static const struct rangemap_rewrite plainly;

int oracle_splice(struct oracle *oracle, uint64_t start, uint64_t last, const struct rangemap_entry *entries,
                  size_t count, const struct rangemap_rewrite *how, struct entry_list *displaced)
{
    struct plan plan = {.oracle = oracle, .start = start, .last = last, .how = how ? how : &plainly};
    const struct rangemap_entry *old;
    int result;

    find(oracle, start, last, &plan.begin, &plan.end);
    old = oracle->list.entry;
    result = check(oracle, plan.begin, plan.end, plan.how);
    if (result != 0) {
        return result;
    }
    add_neighbour(&plan, plan.begin - 1, has_left(&plan));
    if (plan.begin < plan.end && old[plan.begin].start < start) {
        add_part(&plan.pieces, oracle, &old[plan.begin], old[plan.begin].start, start - 1);
    }
    for (size_t i = 0; i < count; i++) {
        add(&plan.pieces, &entries[i], false);
    }
    if (plan.begin < plan.end && old[plan.end - 1].last > last) {
        add_part(&plan.pieces, oracle, &old[plan.end - 1], last + 1, old[plan.end - 1].last);
    }
    add_neighbour(&plan, plan.end, has_right(&plan));
    carry_out(&plan, displaced);
    free_pieces(&plan.pieces);
    return 0;
}

static int update_gap(struct plan *plan, uint64_t start, uint64_t last, rangemap_update_fn *function,
                      void *context)
{
    struct rangemap_entry gap = {start, last, NULL};
    int verdict = function(&gap, NULL, &gap.value, context);

    if (verdict == RANGEMAP_SET) {
        add(&plan->pieces, &gap, false);
    }
    return verdict < 0 ? verdict : 0;
}

static int update_range(struct plan *plan, const struct rangemap_entry *whole, rangemap_update_fn *function,
                        void *context)
{
    struct rangemap_entry part = *whole;
    int verdict = RANGEMAP_KEEP;

    part.start = whole->start < plan->start ? plan->start : whole->start;
    part.last = whole->last > plan->last ? plan->last : whole->last;
    if (!plan->how->whole || (part.start == whole->start && part.last == whole->last)) {
        if ((part.start != whole->start || part.last != whole->last) && plan->oracle->split) {
            part.value = plan->oracle->split(whole, part.start, part.last, plan->oracle->context);
        }
        verdict = function(&part, whole, &part.value, context);
    }
    if (verdict == RANGEMAP_KEEP) {
        add(&plan->pieces, whole, true);
    }
    if (verdict <= RANGEMAP_KEEP) {
        return verdict;
    }
    if (part.start > whole->start) {
        add_part(&plan->pieces, plan->oracle, whole, whole->start, part.start - 1);
    }
    if (verdict == RANGEMAP_SET) {
        add(&plan->pieces, &part, false);
    }
    if (part.last < whole->last) {
        add_part(&plan->pieces, plan->oracle, whole, part.last + 1, whole->last);
    }
    return 0;
}

static int update_all(struct plan *plan, rangemap_update_fn *function, void *context)
{
    uint64_t next = plan->start;
    bool passed = false;
    int result = 0;

    for (size_t i = plan->begin; i < plan->end && result == 0; i++) {
        const struct rangemap_entry *entry = &plan->oracle->list.entry[i];

        if (plan->how->gaps && entry->start > next) {
            result = update_gap(plan, next, entry->start - 1, function, context);
        }
        result = result ? result : update_range(plan, entry, function, context);
        passed = entry->last >= plan->last;
        next = entry->last + 1;
    }
    if (result == 0 && plan->how->gaps && !passed) {
        result = update_gap(plan, next, plan->last, function, context);
    }
    return result;
}

int oracle_update(struct oracle *oracle, uint64_t start, uint64_t last, rangemap_update_fn *function,
                  void *context, const struct rangemap_rewrite *how, struct entry_list *displaced)
{
    struct plan plan = {.oracle = oracle, .start = start, .last = last, .how = how ? how : &plainly};
    int result;

    find(oracle, start, last, &plan.begin, &plan.end);
    result = check(oracle, plan.begin, plan.end, plan.how);
    if (result == 0) {
        add_neighbour(&plan, plan.begin - 1, has_left(&plan));
        result = update_all(&plan, function, context);
    }
    if (result == 0) {
        add_neighbour(&plan, plan.end, has_right(&plan));
        carry_out(&plan, displaced);
    }
    free_pieces(&plan.pieces);
    return result;
}

void oracle_carve_value(struct oracle *oracle, uint64_t start, uint64_t last, void *expected,
                        struct entry_list *displaced)
{
    size_t begin, end;
    struct pieces pieces = {.list = {0}};

    find(oracle, start, last, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const struct rangemap_entry *entry = &oracle->list.entry[i];

        if (entry->value != expected) {
            add(&pieces, entry, true);
            continue;
        }
        if (entry->start < start) {
            add_part(&pieces, oracle, entry, entry->start, start - 1);
        }
        if (entry->last > last) {
            add_part(&pieces, oracle, entry, last + 1, entry->last);
        }
    }
    settle(oracle, begin, end, &pieces, displaced);
    free_pieces(&pieces);
}

void oracle_evict(struct oracle *oracle, uint64_t start, uint64_t last, struct entry_list *displaced)
{
    size_t begin, end;
    struct pieces none = {.list = {0}};

    find(oracle, start, last, &begin, &end);
    settle(oracle, begin, end, &none, displaced);
}

int oracle_resize(struct oracle *oracle, uint64_t start, uint64_t last, uint64_t new_start, uint64_t new_last)
{
    const struct rangemap_entry *found = oracle_find(oracle, start);
    struct rangemap_entry entry;
    void *own;
    int result;

    if (!found || found->start != start || found->last != last) {
        return -ENOENT;
    }
    entry = *found;
    own = entry.value;
    oracle_erase(oracle, start, NULL);
    if (oracle->split && (new_start > start || new_last < last)) {
        entry.value = oracle->split(&entry, new_start > start ? new_start : start,
                                    new_last < last ? new_last : last, oracle->context);
    }
    result = oracle_insert(oracle, new_start, new_last, entry.value);
    if (result != 0) {
        oracle_insert(oracle, start, last, own);
    }
    return result;
}

void oracle_clone(struct oracle *oracle, const struct oracle *from, uint64_t start, uint64_t last,
                  struct entry_list *displaced)
{
    struct pieces pieces = {.list = {0}};
    size_t begin, end;

    find(from, start, last, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        struct rangemap_entry whole = from->list.entry[i], part = whole;

        part.start = whole.start < start ? start : whole.start;
        part.last = whole.last > last ? last : whole.last;
        if (from->split && (part.start != whole.start || part.last != whole.last)) {
            part.value = from->split(&whole, part.start, part.last, from->context);
        }
        add(&pieces, &part, false);
    }
    oracle_splice(oracle, start, last, pieces.list.entry, pieces.list.count, NULL, displaced);
    free_pieces(&pieces);
}
