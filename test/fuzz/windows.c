// SPDX-License-Identifier: BSD-2-Clause
/* The machine's updates of windows. */
#include <errno.h>

#include "test/fuzz/machine.h"
#include "test/oracle/dense.h"

enum { ROW_MAX = 64 };

static void begin(struct machine *machine)
{
    machine->got.count = machine->wanted.count = 0;
}

/* What both displaced. */
static void agree(struct machine *machine, int result, int expected)
{
    MACHINE_REQUIRE(machine, result == expected);
    MACHINE_REQUIRE(machine, entry_list_difference(&machine->got, &machine->wanted) == SIZE_MAX);
}

static bool gave_up(struct machine *machine, int result)
{
    bool starved = machine_starved(machine, result);

    MACHINE_REQUIRE(machine, !starved || machine->got.count == 0);
    return starved;
}

static bool is_at_third_key(const struct rangemap_entry *left, const struct rangemap_entry *right,
                            void *context)
{
    (void)left;
    (void)context;
    return right->start % 3 == 0;
}

/* Options out of one byte; `seen` is filled with what is expected there, if that is asked for. */
static struct rangemap_rewrite take_how(struct machine *machine, const struct machine_operands *operands,
                                        struct entry_list *seen)
{
    uint8_t code = bytes_take(&machine->input);
    struct rangemap_rewrite how = {.if_free = code % 5 == 1,
                                   .if_same = code % 7 == 2,
                                   .join = code & 16,
                                   .whole = code & 32,
                                   .gaps = code & 64,
                                   .equal = code & 128 ? is_at_third_key : NULL,
                                   .displaced = entry_list_record,
                                   .context = &machine->got};
    const struct oracle *oracle = &operands->map->oracle;

    for (size_t i = oracle_lower_bound(oracle, operands->start);
         how.if_same && i < oracle->list.count && oracle->list.entry[i].start <= operands->last; i++) {
        entry_list_append(seen, &oracle->list.entry[i]);
    }
    how.expected = seen->entry;
    how.expected_count = seen->count - (seen->count > 0 && code > 250);
    return how;
}

/* Ranges in the window: of `width` keys, each third touching the next. */
static size_t take_row(struct machine *machine, const struct machine_operands *operands,
                       struct rangemap_entry *row)
{
    uint8_t tag = bytes_take(&machine->input);
    uint64_t at = operands->start,
             width = (operands->last - operands->start) / (1U + operands->how % ROW_MAX);
    size_t count = 0;

    while (count < ROW_MAX && operands->last - at >= width) {
        void *value = machine_value(machine, operands->map, (uint8_t)(tag + count), at);

        row[count++] = (struct rangemap_entry){at, at + width, value};
        if (operands->last - at - width < 2) {
            break;
        }
        at += width + 1 + (count % 3 != 0);
    }
    return count;
}

void machine_splice(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    struct rangemap_entry row[ROW_MAX], conflict = {1, 0, NULL};
    struct entry_list seen = {0};
    struct rangemap_rewrite how = take_how(machine, operands, &seen);
    size_t count = take_row(machine, operands, row);
    int result;

    begin(machine);
    how.whole = how.gaps = false;
    how.conflict = &conflict;
    result = rangemap_splice(map->map, operands->start, operands->last, row, count, &how);
    if (!gave_up(machine, result)) {
        if (result == -EEXIST) {
            machine_same_entry(machine, 0, &conflict, oracle_find(&map->oracle, conflict.start));
        }
        agree(
            machine, result,
            oracle_splice(&map->oracle, operands->start, operands->last, row, count, &how, &machine->wanted));
    }
    for (size_t i = 0; result != 0 && i < count; i++) {
        machine_drop(machine, map, row[i].value);
    }
    entry_list_free(&seen);
}

/* Pure: a verdict by where the part starts. */
struct decision {
    enum machine_style style;
    uint8_t seed;
    bool refuses;
};

static int decide(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                  void *context)
{
    const struct decision *decision = context;
    uint64_t bits = (part->start + decision->seed) * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    if (decision->refuses && bits % 16 == 0) {
        return -ECANCELED;
    }
    if (bits % 3 != RANGEMAP_SET || decision->style == STYLE_OWNED) { /* it can make no value with an owner */
        return bits % 3 == RANGEMAP_DROP ? RANGEMAP_DROP : RANGEMAP_KEEP;
    }
    (void)whole;
    *value =
        (void *)(uintptr_t)(decision->style == STYLE_OFFSETS ? (bits % 4 << 32) + part->start : bits % 4);
    return RANGEMAP_SET;
}

void machine_update(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    struct entry_list seen = {0};
    struct rangemap_rewrite how = take_how(machine, operands, &seen);
    struct decision decision = {map->style, operands->how, !how.if_same && operands->how % 4 == 0};
    int result;

    begin(machine);
    result = rangemap_update(map->map, operands->start, operands->last, decide, &decision, &how);
    if (!gave_up(machine, result)) {
        agree(machine, result,
              oracle_update(&map->oracle, operands->start, operands->last, decide, &decision, &how,
                            &machine->wanted));
    }
    entry_list_free(&seen);
}

/* Erase or carve by the value of a range that is there, or by none. */
void machine_by_value(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    const struct rangemap_entry *found = oracle_overlap_last(&map->oracle, operands->start, operands->last);
    void *expected = found != NULL && operands->how % 8 != 0 ? found->value : machine, *got = NULL,
         *wanted = NULL;
    int result;

    begin(machine);
    if (operands->how % 2 == 0) {
        result = rangemap_erase_value(map->map, operands->start, operands->last, expected, &got);
        if (!machine_starved(machine, result)) {
            MACHINE_REQUIRE(machine, result == oracle_erase_value(&map->oracle, operands->start,
                                                                  operands->last, expected, &wanted));
            MACHINE_REQUIRE(machine, got == wanted);
        }
        return;
    }
    result = rangemap_carve_value(map->map, operands->start, operands->last, expected, entry_list_record,
                                  &machine->got);
    if (!gave_up(machine, result)) {
        oracle_carve_value(&map->oracle, operands->start, operands->last, expected, &machine->wanted);
        agree(machine, result, 0);
    }
}

void machine_evict(struct machine *machine, const struct machine_operands *operands)
{
    int result;

    begin(machine);
    result =
        rangemap_evict(operands->map->map, operands->start, operands->last, entry_list_record, &machine->got);
    if (!gave_up(machine, result)) {
        oracle_evict(&operands->map->oracle, operands->start, operands->last, &machine->wanted);
        agree(machine, result, 0);
    }
}

/* The lowest range that shares a key gets the operand's bounds, or one of them. */
void machine_resize(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    const struct rangemap_entry *found = oracle_overlap(&map->oracle, operands->start, operands->last);
    struct rangemap_entry conflict = {1, 0, NULL};
    uint64_t start = found ? found->start : operands->start, last = found ? found->last : operands->last;
    uint64_t new_start = operands->how & 1 ? start : operands->start;
    uint64_t new_last = operands->how & 2 ? last : operands->last;
    int result = rangemap_resize(map->map, start, last, new_start, new_last, &conflict);

    if (machine_starved(machine, result)) {
        return;
    }
    if (result == -EEXIST) {
        machine_same_entry(machine, 0, &conflict, oracle_find(&map->oracle, conflict.start));
    }
    MACHINE_REQUIRE(machine, result == oracle_resize(&map->oracle, start, last, new_start, new_last));
}

/* Copies a window of a map, the same one perhaps. Only values that count can be owned. */
void machine_clone(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map, *from = &machine->map[operands->how % MACHINE_MAPS];
    struct rangemap_snapshot snapshot;
    struct oracle saved;
    int result;

    from = map->style == STYLE_OWNED ? map : from;
    if (rangemap_snapshot_begin(from->map, &snapshot) != 0) {
        return;
    }
    oracle_init(&saved, from->oracle.split, NULL);
    entry_list_copy(&saved.list, &from->oracle.list);
    begin(machine);
    result = rangemap_clone(map->map, &snapshot, operands->start, operands->last, entry_list_record,
                            &machine->got);
    if (!gave_up(machine, result)) {
        oracle_clone(&map->oracle, &saved, operands->start, operands->last, &machine->wanted);
        agree(machine, result, 0);
    }
    oracle_free(&saved);
    rangemap_snapshot_end(&snapshot);
}

static void same_gap(struct machine *machine, int result, int error, bool found,
                     const struct rangemap_gap *got, const struct rangemap_gap *wanted)
{
    MACHINE_REQUIRE(machine, result == (found ? 0 : error));
    MACHINE_REQUIRE(machine, !found || (got->start == wanted->start && got->last == wanted->last));
}

/* Gaps one after the other; and the highest range of a window. */
void machine_gaps(struct machine *machine, const struct machine_operands *operands)
{
    const struct machine_map *map = operands->map;
    struct rangemap_gap got = {0}, wanted = {0};
    struct rangemap_entry entry;
    uint64_t key = operands->start;
    int result = rangemap_gap_at(map->map, key, &got);

    same_gap(machine, result, -ENOENT, oracle_gap_at(&map->oracle, key, &wanted), &got, &wanted);
    for (unsigned i = 0; i < 8; i++) {
        bool found = oracle_gap_next(&map->oracle, key, &wanted);

        result = rangemap_gap_next(map->map, key, &got);
        same_gap(machine, result, -ENOSPC, found, &got, &wanted);
        if (!found || got.last == UINT64_MAX) {
            break;
        }
        key = got.last + 1;
    }
    result = rangemap_overlap_last(map->map, operands->start, operands->last, &entry);
    machine_same_entry(machine, result, &entry,
                       oracle_overlap_last(&map->oracle, operands->start, operands->last));
}
