// SPDX-License-Identifier: BSD-2-Clause
/* The machine's updates. */
#include <errno.h>

#include "test/fuzz/machine.h"
#include "test/oracle/dense.h"

static void insert(struct machine *machine, struct machine_map *map, uint8_t tag, uint64_t start,
                   uint64_t last)
{
    void *value = machine_value(machine, map, tag, start);
    struct rangemap_entry conflict = {1, 2, NULL};
    int result = rangemap_insert(map->map, start, last, value, &conflict);

    if (machine_starved(machine, result)) {
        machine_drop(machine, map, value);
        return;
    }
    MACHINE_REQUIRE(machine, result == oracle_insert(&map->oracle, start, last, value));
    if (result == -EEXIST) {
        machine_drop(machine, map, value);
        MACHINE_REQUIRE(machine, conflict.start <= last && conflict.last >= start);
        machine_same_entry(machine, 0, &conflict, oracle_find(&map->oracle, conflict.start));
    }
}

void machine_insert(struct machine *machine, const struct machine_operands *operands)
{
    insert(machine, operands->map, bytes_take(&machine->input), operands->start, operands->last);
}

static void store(struct machine *machine, struct machine_map *map, uint8_t tag, uint64_t start,
                  uint64_t last)
{
    void *value = machine_value(machine, map, tag, start);
    int result;

    machine->got.count = machine->wanted.count = 0;
    result = rangemap_store(map->map, start, last, value, entry_list_record, &machine->got);
    if (machine_starved(machine, result)) {
        MACHINE_REQUIRE(machine, machine->got.count == 0);
        machine_drop(machine, map, value);
        return;
    }
    MACHINE_REQUIRE(machine, result == 0);
    oracle_store(&map->oracle, start, last, value, &machine->wanted);
    MACHINE_REQUIRE(machine, entry_list_difference(&machine->got, &machine->wanted) == SIZE_MAX);
}

void machine_store(struct machine *machine, const struct machine_operands *operands)
{
    store(machine, operands->map, bytes_take(&machine->input), operands->start, operands->last);
}

void machine_carve(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    int result;

    machine->got.count = machine->wanted.count = 0;
    result = rangemap_carve(map->map, operands->start, operands->last, entry_list_record, &machine->got);
    if (machine_starved(machine, result)) {
        return;
    }
    MACHINE_REQUIRE(machine, result == 0);
    oracle_carve(&map->oracle, operands->start, operands->last, &machine->wanted);
    MACHINE_REQUIRE(machine, entry_list_difference(&machine->got, &machine->wanted) == SIZE_MAX);
}

static void erase(struct machine *machine, struct machine_map *map, uint64_t key)
{
    struct rangemap_entry got, wanted;
    int result = rangemap_erase(map->map, key, &got);

    if (!machine_starved(machine, result)) {
        bool found = oracle_erase(&map->oracle, key, &wanted) == 0;

        machine_same_entry(machine, result, &got, found ? &wanted : NULL);
    }
}

void machine_erase(struct machine *machine, const struct machine_operands *operands)
{
    erase(machine, operands->map, operands->last);
}

void machine_erase_exact(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    struct rangemap_entry got, wanted;
    int result = rangemap_erase_exact(map->map, operands->start, operands->last, &got);

    if (!machine_starved(machine, result)) {
        bool found = oracle_erase_exact(&map->oracle, operands->start, operands->last, &wanted) == 0;

        machine_same_entry(machine, result, &got, found ? &wanted : NULL);
    }
}

void machine_replace(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    const struct rangemap_entry *found = oracle_find(&map->oracle, operands->start);
    void *desired = machine_value(machine, map, bytes_take(&machine->input), operands->start);
    void *expected = found != NULL && operands->how % 4 != 0 ? found->value : NULL;
    void *got = &found;
    void *wanted = &found;
    int result = rangemap_replace(map->map, operands->start, operands->last, expected, desired, &got);

    if (!machine_starved(machine, result)) {
        MACHINE_REQUIRE(machine, result == oracle_replace(&map->oracle, operands->start, operands->last,
                                                          expected, desired, &wanted));
        MACHINE_REQUIRE(machine, got == wanted);
    }
    if (result != 0) {
        machine_drop(machine, map, desired);
    }
}

static bool runs_on(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    return dense_split(left, right->start, right->last, context) == right->value;
}

static bool is_at_even_key(const struct rangemap_entry *left, const struct rangemap_entry *right,
                           void *context)
{
    (void)left;
    (void)context;
    return right->start % 2 == 0;
}

/* With memory: a coalesce that fails half way has done the other half. */
void machine_coalesce(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    rangemap_equal_fn *const equals[] = {NULL, is_at_even_key, runs_on};
    rangemap_equal_fn *equal = equals[operands->how % 3];
    uint64_t joined = UINT64_MAX;

    machine->source.fail_all = false;
    MACHINE_REQUIRE(machine,
                    rangemap_coalesce(map->map, operands->start, operands->last, equal, NULL, &joined) == 0);
    MACHINE_REQUIRE(machine,
                    joined == oracle_coalesce(&map->oracle, operands->start, operands->last, equal, NULL));
    machine->source.fail_all = machine->starving > 0;
}

void machine_allocate(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    uint8_t size = bytes_take(&machine->input);
    struct rangemap_gap_request request = {
        .length = size < 128 ? 1U + size : (uint64_t)(size - 127) * machine->unit,
        .alignment = operands->how % 4 == 0 ? 0 : UINT64_C(1) << operands->how % 64,
        .low = operands->start,
        .high = operands->last,
        .from_top = operands->how % 2,
        .fit = (enum rangemap_gap_fit)(operands->how / 2 % 3),
        .hint = operands->start / 2 + operands->last / 2,
    };
    void *value = machine_value(machine, map, bytes_take(&machine->input), operands->start);
    uint64_t got = 77, wanted = 77;
    int expected = oracle_gap(&map->oracle, &request, &wanted);
    int result = rangemap_gap_find(map->map, &request, &got);

    MACHINE_REQUIRE(machine, result == expected && got == wanted);
    result = rangemap_gap_allocate(map->map, &request, value, &got);
    if (result != 0) {
        machine_drop(machine, map, value);
        MACHINE_REQUIRE(machine, machine_starved(machine, result) || result == expected);
        return;
    }
    MACHINE_REQUIRE(machine, expected == 0 && got == wanted);
    MACHINE_REQUIRE(machine, oracle_insert(&map->oracle, got, got + (request.length - 1), value) == 0);
}

/* A row of ranges from `start` on, as far as there are keys; every third touches the next. */
static void make_row(struct machine *machine, struct machine_map *map, uint64_t start, unsigned count)
{
    uint8_t tag = bytes_take(&machine->input);

    machine->wanted.count = 0;
    for (unsigned i = 0; i < count && start + 3 * i + 2 > start + 3 * i && start + 3 * i + 2 > 3 * i; i++) {
        uint64_t at = start + 3 * i;
        struct rangemap_entry entry = {at, at + (i % 3 == 0 ? 2 : 1),
                                       machine_value(machine, map, (uint8_t)(tag + i), at)};

        entry_list_append(&machine->wanted, &entry);
    }
}

void machine_load(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_map *map = operands->map;
    const struct entry_list *row = &machine->wanted;
    size_t bad = 77;
    int result;

    make_row(machine, map, operands->start, operands->how);
    result = rangemap_load(map->map, row->entry, row->count, &bad);
    MACHINE_REQUIRE(machine, bad == 77);
    if (!machine_starved(machine, result)) {
        MACHINE_REQUIRE(machine, result == oracle_load(&map->oracle, row->entry, row->count));
    }
    for (size_t i = 0; result != 0 && i < row->count; i++) {
        machine_drop(machine, map, row->entry[i].value);
    }
}

/* Many inserts or stores in order: the quick way to a tree with levels. */
void machine_fill(struct machine *machine, const struct machine_operands *operands)
{
    uint64_t start = operands->start, width = operands->last - operands->start;
    uint8_t tag = bytes_take(&machine->input);

    for (unsigned i = 0; i < operands->how && start <= UINT64_MAX - width; i++) {
        if (width % 2 == 0) {
            insert(machine, operands->map, (uint8_t)(tag + i), start, start + width);
        } else {
            store(machine, operands->map, (uint8_t)(tag + i), start, start + width);
        }
        if (start > UINT64_MAX - width - 2) {
            return;
        }
        start += width + 1 + i % 2;
    }
}

/* Erases every other range of some, upwards. */
void machine_thin(struct machine *machine, const struct machine_operands *operands)
{
    uint64_t key = operands->start;

    for (unsigned i = 0; i < operands->how; i++) {
        const struct rangemap_entry *next = oracle_next(&operands->map->oracle, key);

        if (next == NULL) {
            return;
        }
        key = next->last;
        if (i % 2 == 0) {
            erase(machine, operands->map, key);
        }
    }
}

void machine_reserve(struct machine *machine, const struct machine_operands *operands)
{
    int result = rangemap_reserve(operands->map->map, operands->how % 8);

    MACHINE_REQUIRE(machine, result == 0 || machine_starved(machine, result));
}

/* Stores what another map has in the range. */
void machine_copy(struct machine *machine, const struct machine_operands *operands)
{
    const struct machine_map *from = &machine->map[operands->how % MACHINE_MAPS];
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    if (from == operands->map) {
        return;
    }
    MACHINE_REQUIRE(machine, rangemap_cursor_init(&cursor, from->map, operands->start, operands->last) == 0);
    for (unsigned i = 0; i < 32 && rangemap_cursor_next(&cursor, &entry) == 0; i++) {
        machine_same_entry(machine, 0, &entry, oracle_find(&from->oracle, entry.start));
        store(machine, operands->map, (uint8_t)i, entry.start, entry.last);
    }
}
