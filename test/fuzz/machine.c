// SPDX-License-Identifier: BSD-2-Clause
#include "test/fuzz/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/oracle/dense.h"

enum { CHECK_EVERY = 16 };

static const struct {
    const char *name;
    machine_operation *run;
    bool is_update;
} operations[] = {
    {"insert", machine_insert, true},
    {"store", machine_store, true},
    {"carve", machine_carve, true},
    {"erase", machine_erase, true},
    {"erase_exact", machine_erase_exact, true},
    {"replace", machine_replace, true},
    {"coalesce", machine_coalesce, true},
    {"gap_allocate", machine_allocate, true},
    {"load", machine_load, true},
    {"fill", machine_fill, true},
    {"thin", machine_thin, true},
    {"reserve", machine_reserve, false},
    {"copy", machine_copy, true},
    {"renew", machine_renew, false},
    {"find", machine_find, false},
    {"batch", machine_batch, false},
    {"neighbours", machine_neighbours, false},
    {"overlap", machine_overlap, false},
    {"walk", machine_walk, false},
    {"misuse", machine_misuse, false},
    {"count", machine_count, false},
    {"snapshot", machine_snapshot, false},
    {"look_back", machine_look_back, false},
    {"open_cursor", machine_open_cursor, false},
    {"step_cursor", machine_step_cursor, false},
    {"section", machine_section, false},
    {"starve", machine_starve, false},
    {"reclaim", machine_reclaim, false},
    /* Those of windows, from byte OLD_BYTES on: what is below means what it did before there were any. */
    {"splice", machine_splice, true},
    {"update", machine_update, true},
    {"by_value", machine_by_value, true},
    {"evict", machine_evict, true},
    {"resize", machine_resize, true},
    {"clone", machine_clone, true},
    {"gaps", machine_gaps, false},
};

enum { OLD_OPERATIONS = 28, OLD_BYTES = 7 * OLD_OPERATIONS };

/* Which operation a byte means. */
static unsigned operation_of(uint8_t byte)
{
    unsigned windows = sizeof operations / sizeof operations[0] - OLD_OPERATIONS;

    return byte < OLD_BYTES ? byte % OLD_OPERATIONS : OLD_OPERATIONS + (byte - OLD_BYTES) % windows;
}

static char program_name[128] = "program";

void machine_name(const char *name)
{
    (void)snprintf(program_name, sizeof program_name, "%s", name);
}

void machine_fail(const struct machine *machine, const char *file, int line, const char *claim)
{
    (void)fprintf(stderr, "%s:%d: %s, step %u, %s: not so: %s\n", file, line, program_name, machine->step,
                  machine->operation, claim);
    abort();
}

/* ---- operands ---- */

uint64_t machine_key(struct machine *machine)
{
    return machine->base + bytes_take(&machine->input) * machine->unit;
}

/* Bounds that have to do with the range at `start` or above: exact, or one off. */
static void aim(const struct machine_map *map, unsigned how, uint64_t *start, uint64_t *last)
{
    const struct rangemap_entry *near = oracle_overlap(&map->oracle, *start, UINT64_MAX);

    *last = *start;
    if (near == NULL) {
        return;
    }
    *start = near->start;
    *last = near->last;
    if (how == 1 && *last < UINT64_MAX) {
        ++*last;
    } else if (how == 2 && *start > 0) {
        --*start;
    } else if (how == 3 && *start < *last) {
        ++*start;
    } else if (how == 4 && *start < *last) {
        --*last;
    }
}

void machine_range(struct machine *machine, const struct machine_map *map, uint64_t *start, uint64_t *last)
{
    uint64_t top = machine->base + (256 * machine->unit - 1);
    uint64_t key = machine_key(machine), extra = 0;
    uint8_t code = bytes_take(&machine->input);

    *start = key;
    if (code < 128) { /* a few keys, a few keys further on */
        *start = key + (code >> 4 & 7) < key ? key : key + (code >> 4 & 7);
        extra = code & 15;
    } else if (code < 240) { /* a multiple of the unit */
        extra = (uint64_t)(code - 127) * machine->unit - 1;
    } else if (code < 250) {
        aim(map, (code - 240U) % 5, start, last);
        return;
    } else if (code < 254) {
        *start = code & 1 ? machine->base : code == 250 ? key : 0;
        *last = code & 1 ? top : UINT64_MAX;
        return;
    } else {
        *start = bytes_take_word(&machine->input);
        extra = bytes_take_word(&machine->input);
    }
    *last = extra > UINT64_MAX - *start ? UINT64_MAX : *start + extra;
}

/* The word of STYLE_OWNED is often one that other ranges have. */
static void *owned_value(struct machine *machine, uint8_t tag)
{
    if (machine->last_value != NULL && tag % 4 == 0 && owned_count(machine->last_value) > 0) {
        owned_retain(machine->last_value, &machine->owned);
    } else {
        machine->last_value = owned_new(&machine->owned);
    }
    return machine->last_value;
}

void *machine_value(struct machine *machine, const struct machine_map *map, uint8_t tag, uint64_t start)
{
    uint64_t word = tag == 255 ? UINT64_MAX : tag % 8;

    switch (map->style) {
    case STYLE_PLAIN:
        return (void *)(uintptr_t)word;
    case STYLE_OFFSETS:
        return (void *)(uintptr_t)((word << 32) + start);
    case STYLE_OWNED:
        break;
    }
    return owned_value(machine, tag);
}

void machine_drop(struct machine *machine, const struct machine_map *map, void *value)
{
    if (map->style == STYLE_OWNED) {
        owned_drop(value);
    }
    (void)machine;
}

/* ---- what must be so ---- */

bool machine_starved(const struct machine *machine, int result)
{
    return result == -ENOMEM && machine->starving > 0;
}

void machine_same_entry(const struct machine *machine, int result, const struct rangemap_entry *got,
                        const struct rangemap_entry *wanted)
{
    if (wanted == NULL) {
        MACHINE_REQUIRE(machine, result == -ENOENT);
    } else {
        MACHINE_REQUIRE(machine, result == 0);
        MACHINE_REQUIRE(machine, got->start == wanted->start);
        MACHINE_REQUIRE(machine, got->last == wanted->last);
        MACHINE_REQUIRE(machine, got->value == wanted->value);
    }
}

void machine_compare(struct machine *machine, const struct machine_map *map)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    char message[512] = "";
    size_t i = 0;

    if (rangemap_validate(map->map, message, sizeof message) != 0) {
        machine_fail(machine, __FILE__, __LINE__, message);
    }
    MACHINE_REQUIRE(machine, rangemap_cursor_init(&cursor, map->map, 0, UINT64_MAX) == 0);
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
        MACHINE_REQUIRE(machine, i < map->oracle.list.count);
        machine_same_entry(machine, 0, &entry, &map->oracle.list.entry[i++]);
    }
    MACHINE_REQUIRE(machine, i == map->oracle.list.count);
}

/* ---- a run ---- */

static void create_map(struct machine *machine, unsigned index)
{
    struct machine_map *map = &machine->map[index];
    struct rangemap_options options = {.domain = machine->domain, .track_gaps = index != STYLE_PLAIN};

    map->style = (enum machine_style)index;
    if (map->style == STYLE_OFFSETS) {
        options.split = dense_split;
    } else if (map->style == STYLE_OWNED) {
        options.release = owned_release;
        options.retain = owned_retain;
        options.context = &machine->owned;
    }
    MACHINE_REQUIRE(machine, rangemap_create(&options, &map->map) == 0);
    oracle_init(&map->oracle, options.split, NULL);
}

void machine_renew(struct machine *machine, const struct machine_operands *operands)
{
    unsigned index = (unsigned)(operands->map - machine->map);

    if (machine->held > 0 || machine->starving > 0) {
        return;
    }
    for (unsigned i = 0; i < MACHINE_MAPS; i++) {
        machine_close_views(machine, &machine->map[i]);
    }
    MACHINE_REQUIRE(machine, rangemap_destroy(operands->map->map) == 0);
    oracle_free(&operands->map->oracle);
    create_map(machine, index);
}

static void start(struct machine *machine)
{
    static const uint64_t unit[8] = {1, 2, 3, 7, 16, 1 << 12, UINT64_C(1) << 32, UINT64_C(1) << 56};
    struct rangemap_domain_options options = {.chunks = &machine->source.allocator};
    uint8_t where = bytes_take(&machine->input);
    const uint64_t base[4] = {0, UINT64_MAX - (256 * unit[where >> 2 & 7] - 1),
                              (UINT64_C(1) << 63) - 128 * unit[where >> 2 & 7], 1000};

    machine->unit = unit[where >> 2 & 7];
    machine->base = machine->unit == UINT64_C(1) << 56 ? 0 : base[where & 3];
    machine->operation = "start";
    chunk_source_init(&machine->source);
    MACHINE_REQUIRE(machine, rangemap_domain_create(&options, &machine->domain) == 0);
    for (unsigned i = 0; i < MACHINE_MAPS; i++) {
        create_map(machine, i);
    }
}

/* What is owned is what the third map holds. */
static void require_balance(struct machine *machine)
{
    const struct entry_list *list = &machine->map[STYLE_OWNED].oracle.list;

    MACHINE_REQUIRE(machine, rangemap_domain_barrier(machine->domain) == 0);
    MACHINE_REQUIRE(machine, owned_mismatches(&machine->owned, list->entry, list->count) == 0);
    MACHINE_REQUIRE(machine, machine->owned.faults == 0);
}

static void stop(struct machine *machine)
{
    machine->operation = "stop";
    machine->starving = 0;
    machine->source.fail_all = false;
    for (; machine->held > 0; machine->held--) {
        rangemap_domain_read_end(machine->domain);
        machine->sections--;
    }
    for (unsigned i = 0; i < MACHINE_MAPS; i++) {
        machine_close_views(machine, &machine->map[i]);
        machine_compare(machine, &machine->map[i]);
    }
    require_balance(machine);
    for (unsigned i = 0; i < MACHINE_MAPS; i++) {
        MACHINE_REQUIRE(machine, rangemap_destroy(machine->map[i].map) == 0);
        oracle_free(&machine->map[i].oracle);
    }
    MACHINE_REQUIRE(machine, owned_mismatches(&machine->owned, NULL, 0) == 0);
    MACHINE_REQUIRE(machine, rangemap_domain_destroy(machine->domain) == 0);
    MACHINE_REQUIRE(machine, machine->source.live == 0);
    MACHINE_REQUIRE(machine, machine->source.breaches == 0);
}

static void step(struct machine *machine)
{
    unsigned what = operation_of(bytes_take(&machine->input));
    uint8_t how = bytes_take(&machine->input);
    struct machine_operands operands = {.map = &machine->map[how % MACHINE_MAPS], .how = how / MACHINE_MAPS};

    machine->operation = operations[what].name;
    machine->step++;
    machine_range(machine, operands.map, &operands.start, &operands.last);
    operations[what].run(machine, &operands);
    if (operations[what].is_update) {
        machine_views_follow(machine, operands.map);
    }
    if (machine->step % CHECK_EVERY == 0) {
        machine_compare(machine, operands.map);
    }
    if (machine->starving > 0 && --machine->starving == 0) {
        machine->source.fail_all = false;
    }
}

/* The table of values outlives runs: it is large, and only what was used needs to be cleared. */
static void clear_values(struct machine *machine)
{
    if (machine->owned.value == NULL) {
        owned_table_init(&machine->owned, MACHINE_VALUES);
    }
    memset(machine->owned.value, 0, machine->owned.used * sizeof machine->owned.value[0]);
    machine->owned.used = 0;
    machine->owned.faults = 0;
    machine->last_value = NULL;
}

void machine_run(const uint8_t *data, size_t size)
{
    static struct machine machine;

    clear_values(&machine);
    machine.input = (struct bytes){data, data + size};
    machine.step = 0;
    start(&machine);
    while (bytes_are_left(&machine.input) && machine.owned.used < MACHINE_VALUES - 1000) {
        step(&machine);
    }
    stop(&machine);
}
