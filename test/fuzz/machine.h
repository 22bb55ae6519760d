// SPDX-License-Identifier: BSD-2-Clause
/*
 * A machine whose program is the fuzzer's input: it works on three maps of one domain, and does everything to
 * oracles, too. A difference ends the process, with a message.
 *
 * The first byte of an input says where the keys lie. Then come operations: a byte for what to do, one for which
 * map and how, then operands. A byte string is never wrong, and most small changes of it make sense.
 */
#ifndef RANGEMAP_TEST_FUZZ_MACHINE_H
#define RANGEMAP_TEST_FUZZ_MACHINE_H

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/owned.h"
#include "test/fuzz/bytes.h"
#include "test/oracle/oracle.h"
#include "test/oracle/oracle_cursor.h"

enum { MACHINE_MAPS = 3, MACHINE_VIEWS = 3, MACHINE_VALUES = 1 << 16 };

enum machine_style {
    STYLE_PLAIN,
    STYLE_OFFSETS, /* values move with the start of their range: a split callback */
    STYLE_OWNED    /* values count their owners */
};

struct machine_map {
    enum machine_style style;
    struct rangemap *map;
    struct oracle oracle;
};

/* What stays open while the maps change. */
struct machine_view {
    enum { VIEW_CLOSED, VIEW_SNAPSHOT, VIEW_CURSOR } kind;
    struct machine_map *of;
    struct rangemap_snapshot snapshot;
    struct oracle saved; /* the snapshot's ranges; for a cursor, those that have been there ever since */
    struct rangemap_cursor cursor;
    struct oracle_cursor expected; /* of a snapshot */
    uint64_t low, high;            /* of a cursor: the window, */
    struct entry_list seen;        /* what it returned, */
    bool downwards;                /* and its only direction */
};

struct machine {
    struct bytes input;
    uint64_t base, unit; /* key i of 256 is base + i * unit */
    struct rangemap_domain *domain;
    struct machine_map map[MACHINE_MAPS];
    struct machine_view view[MACHINE_VIEWS];
    unsigned sections; /* begun by the program, of views too */
    unsigned held;     /* of these, without a view */
    unsigned starving; /* operations until chunks can be had again; 0: they can */
    void *last_value;  /* of STYLE_OWNED, or NULL */
    struct chunk_source source;
    struct owned_table owned;
    struct entry_list got, wanted; /* scratch */
    const char *operation;         /* for messages */
    unsigned step;
};

/* What an operation works on. */
struct machine_operands {
    struct machine_map *map;
    uint8_t how;
    uint64_t start, last;
};

typedef void machine_operation(struct machine *machine, const struct machine_operands *operands);

/* Runs a program from a fresh start, to its end. */
void machine_run(const uint8_t *data, size_t size);

/* Where the program comes from, for messages. */
void machine_name(const char *name);

/* Ends the process unless the condition holds. */
#define MACHINE_REQUIRE(machine, condition)                                                                  \
    ((condition) ? (void)0 : machine_fail(machine, __FILE__, __LINE__, #condition))
void machine_fail(const struct machine *machine, const char *file, int line, const char *claim)
    __attribute__((noreturn));

/* A key out of one byte; a range out of two or more. */
uint64_t machine_key(struct machine *machine);
void machine_range(struct machine *machine, const struct machine_map *map, uint64_t *start, uint64_t *last);

/* A value for a range that starts at `start`, owned by the caller; and if nobody took it. */
void *machine_value(struct machine *machine, const struct machine_map *map, uint8_t tag, uint64_t start);
void machine_drop(struct machine *machine, const struct machine_map *map, void *value);

/* The update failed for want of memory, which is allowed now: nothing has happened. */
bool machine_starved(const struct machine *machine, int result);

/* `got` with `result` is what the oracle found, or did not. */
void machine_same_entry(const struct machine *machine, int result, const struct rangemap_entry *got,
                        const struct rangemap_entry *wanted);

/* The map is valid and holds what its oracle does. */
void machine_compare(struct machine *machine, const struct machine_map *map);

machine_operation machine_insert, machine_store, machine_carve, machine_erase, machine_erase_exact,
    machine_replace, machine_coalesce, machine_allocate, machine_load, machine_fill, machine_thin,
    machine_reserve, machine_copy, machine_renew;
machine_operation machine_splice, machine_update, machine_by_value, machine_evict, machine_resize,
    machine_clone, machine_gaps;
machine_operation machine_find, machine_batch, machine_neighbours, machine_overlap, machine_walk,
    machine_misuse, machine_count;
machine_operation machine_snapshot, machine_look_back, machine_open_cursor, machine_step_cursor;
machine_operation machine_section, machine_starve, machine_reclaim;

/* After an update: which ranges were there all the time. */
void machine_views_follow(struct machine *machine, const struct machine_map *map);
void machine_close_views(struct machine *machine, const struct machine_map *map);

#endif
