// SPDX-License-Identifier: BSD-2-Clause
/* The machine's questions. */
#include <errno.h>
#include <string.h>

#include "test/fuzz/machine.h"

enum { BATCH_MAX = 40 };

void machine_find(struct machine *machine, const struct machine_operands *operands)
{
    const struct machine_map *map = operands->map;
    uint64_t key = operands->how % 2 ? operands->start : operands->last;
    const struct rangemap_entry *wanted = oracle_find(&map->oracle, key);
    struct rangemap_entry entry;
    void *value = NULL;

    machine_same_entry(machine, rangemap_find(map->map, key, &entry), &entry, wanted);
    MACHINE_REQUIRE(machine, rangemap_lookup(map->map, key, &value) == (wanted ? 0 : -ENOENT));
    MACHINE_REQUIRE(machine, value == (wanted ? wanted->value : NULL));
    MACHINE_REQUIRE(machine, rangemap_read_begin(map->map) == 0);
    machine_same_entry(machine, rangemap_find_held(map->map, key, &entry), &entry, wanted);
    MACHINE_REQUIRE(machine, rangemap_lookup_held(map->map, key, &value) == (wanted ? 0 : -ENOENT));
    if (wanted != NULL && map->style == STYLE_OWNED) {
        MACHINE_REQUIRE(machine, owned_count(value) > 0);
    }
    rangemap_read_end(map->map);
}

void machine_batch(struct machine *machine, const struct machine_operands *operands)
{
    static const struct rangemap_entry nothing = {0, 0, NULL};
    const struct machine_map *map = operands->map;
    size_t count = operands->how % (BATCH_MAX + 1);
    uint64_t key[BATCH_MAX], step = (operands->last - operands->start) / (count + 1) + 1;
    void *value[BATCH_MAX];
    struct rangemap_entry entry[BATCH_MAX];
    bool hit[BATCH_MAX], also_hit[BATCH_MAX];
    int hits = 0;

    for (size_t i = 0; i < count; i++) {
        key[i] = operands->start + i * step;
        hits += oracle_find(&map->oracle, key[i]) != NULL;
    }
    MACHINE_REQUIRE(machine, rangemap_lookup_batch(map->map, key, count, value, hit) == hits);
    MACHINE_REQUIRE(machine, rangemap_find_batch(map->map, key, count, entry, also_hit) == hits);
    for (size_t i = 0; i < count; i++) {
        const struct rangemap_entry *wanted = oracle_find(&map->oracle, key[i]);

        MACHINE_REQUIRE(machine, hit[i] == (wanted != NULL) && also_hit[i] == hit[i]);
        MACHINE_REQUIRE(machine, value[i] == (wanted ? wanted->value : NULL));
        MACHINE_REQUIRE(machine, entry_equal(&entry[i], wanted ? wanted : &nothing));
    }
}

void machine_neighbours(struct machine *machine, const struct machine_operands *operands)
{
    const struct machine_map *map = operands->map;
    struct rangemap_entry entry;
    int result = rangemap_next(map->map, operands->start, &entry);

    machine_same_entry(machine, result, &entry, oracle_next(&map->oracle, operands->start));
    result = rangemap_previous(map->map, operands->last, &entry);
    machine_same_entry(machine, result, &entry, oracle_previous(&map->oracle, operands->last));
    result = rangemap_first(map->map, &entry);
    machine_same_entry(machine, result, &entry, oracle_first(&map->oracle));
    result = rangemap_last(map->map, &entry);
    machine_same_entry(machine, result, &entry, oracle_last(&map->oracle));
}

void machine_overlap(struct machine *machine, const struct machine_operands *operands)
{
    const struct machine_map *map = operands->map;
    uint64_t start = operands->start, last = operands->last;
    struct rangemap_entry entry;
    int result = rangemap_overlap(map->map, start, last, &entry);

    machine_same_entry(machine, result, &entry, oracle_overlap(&map->oracle, start, last));
    MACHINE_REQUIRE(machine, rangemap_is_covered(map->map, start, last) ==
                                 oracle_is_covered(&map->oracle, start, last));
    MACHINE_REQUIRE(machine,
                    rangemap_is_free(map->map, start, last) == oracle_is_free(&map->oracle, start, last));
}

/* Steps of a cursor as the input says: a bit of direction, and now and then a seek. */
void machine_walk(struct machine *machine, const struct machine_operands *operands)
{
    const struct machine_map *map = operands->map;
    struct oracle_cursor expected;
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    oracle_cursor_init(&expected, &map->oracle, operands->start, operands->last);
    MACHINE_REQUIRE(machine, rangemap_cursor_init(&cursor, map->map, operands->start, operands->last) == 0);
    for (unsigned i = 0; i < operands->how; i++) {
        uint8_t step = bytes_take(&machine->input);

        if (step == 255) {
            uint64_t key = machine_key(machine);
            bool inside = key >= operands->start && key <= operands->last;

            MACHINE_REQUIRE(machine, rangemap_cursor_seek(&cursor, key) == (inside ? 0 : -EINVAL));
            if (inside) {
                oracle_cursor_seek(&expected, key);
            }
        } else if (step % 2 == 0) {
            int result = rangemap_cursor_next(&cursor, &entry);
            machine_same_entry(machine, result, &entry, oracle_cursor_next(&expected));
        } else {
            int result = rangemap_cursor_previous(&cursor, &entry);
            machine_same_entry(machine, result, &entry, oracle_cursor_previous(&expected));
        }
    }
}

/* What is refused, and changes nothing. */
void machine_misuse(struct machine *machine, const struct machine_operands *operands)
{
    struct rangemap *map = operands->map->map;
    struct rangemap_gap_request request = {.length = 1, .alignment = operands->how | 3, .high = 9};
    uint64_t start = operands->start, below = start - 1, at = 77;
    struct rangemap_entry backwards = {start, below, NULL};
    size_t bad = 77;
    int result;

    if (start == 0) {
        return;
    }
    MACHINE_REQUIRE(machine, rangemap_insert(map, start, below, NULL, NULL) == -EINVAL);
    MACHINE_REQUIRE(machine, rangemap_store(map, start, below, NULL, NULL, NULL) == -EINVAL);
    MACHINE_REQUIRE(machine, rangemap_carve(map, start, below, NULL, NULL) == -EINVAL);
    MACHINE_REQUIRE(machine, rangemap_erase_exact(map, start, below, NULL) == -EINVAL);
    MACHINE_REQUIRE(machine, rangemap_coalesce(map, start, below, NULL, NULL, NULL) == -EINVAL);
    MACHINE_REQUIRE(machine, rangemap_overlap(map, start, below, NULL) == -EINVAL);
    MACHINE_REQUIRE(machine, rangemap_gap_find(map, &request, &at) == -EINVAL && at == 77);
    result = rangemap_load(map, &backwards, 1, &bad);
    MACHINE_REQUIRE(machine, result == -ENOTEMPTY || (result == -EINVAL && bad == 0));
    MACHINE_REQUIRE(machine, rangemap_domain_destroy(machine->domain) != 0);
}

void machine_count(struct machine *machine, const struct machine_operands *operands)
{
    struct rangemap_statistics statistics;

    MACHINE_REQUIRE(machine, rangemap_stats(operands->map->map, &statistics) == 0);
    MACHINE_REQUIRE(machine, statistics.ranges == operands->map->oracle.list.count);
    machine_compare(machine, operands->map);
}
