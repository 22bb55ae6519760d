// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ranges of five classes: never present, always present, only ever added, only ever removed, toggled all the
 * time. Readers sweep the map in every way that there is; whatever contradicts a range's class is a failure.
 * The idea is that of the RCU tests of the kernel's maple tree.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { SLOTS = 4800, STRIDE = 16, BLOCK = 40, READERS = 2, TOGGLERS = 2 };

enum class { NEVER, ALWAYS, ADDED, REMOVED, TOGGLED, CLASSES };

/* How far a thread is with the slots of a class, in ascending order: `done` of them, `begun` with one more. */
struct progress {
    atomic_uint begun, done;
};

struct arena {
    struct rangemap *map;
    struct progress added, removed;
    atomic_uint writing; /* threads that still add or remove */
    unsigned sweeps;     /* that the readers did in all, at least */
    atomic_uint swept;
};

/* Whole blocks are toggled, so that wide updates have something to chew; the rest is mixed. */
static enum class class_of(unsigned slot) {
    return slot / BLOCK % 3 == 0 ? TOGGLED : (enum class)(slot % CLASSES);
}

static struct rangemap_entry range_of(unsigned slot)
{
    uint64_t start = (uint64_t)slot * STRIDE;

    return (struct rangemap_entry){start, start + slot % STRIDE, (void *)(uintptr_t)(slot + 1)};
}

static int insert_slot(struct rangemap *map, unsigned slot)
{
    struct rangemap_entry range = range_of(slot);

    return rangemap_insert(map, range.start, range.last, range.value, NULL);
}

static void populate(struct arena *arena)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        enum class class = class_of(slot);

        if (class == ALWAYS || class == REMOVED || (class == TOGGLED && slot % 2)) {
            REQUIRE_EQ(insert_slot(arena->map, slot), 0);
        }
    }
}

/* Adds, or removes, all slots of its class in ascending order. */
static void change_all(struct arena *arena, enum class class, struct progress *progress)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        int result;

        if (class_of(slot) != class) {
            continue;
        }
        atomic_store(&progress->begun, slot + 1);
        result = class == ADDED ? insert_slot(arena->map, slot)
                                : rangemap_erase(arena->map, range_of(slot).start, NULL);
        REQUIRE_EQ(result, 0, "slot %u", slot);
        atomic_store(&progress->done, slot + 1);
        while (arena->swept < arena->sweeps * (slot + 1) / SLOTS && !crew_is_broken()) {
            sleep_milliseconds(0);
        }
    }
    atomic_fetch_sub(&arena->writing, 1);
}

/* A store of the slot's own range and value, or an erase, or a carve of many slots of a toggled block. */
static void toggle_slots(struct arena *arena, unsigned toggler)
{
    struct prng random = prng_stream(test_seed(), 50 + toggler);

    while (arena->writing && !crew_is_broken()) {
        unsigned slot = (unsigned)prng_below(&random, SLOTS);
        struct rangemap_entry range = range_of(slot);
        int result;

        if (class_of(slot) != TOGGLED || slot / BLOCK % TOGGLERS != toggler) {
            continue;
        }
        if (slot / BLOCK % 3 == 0 && prng_below(&random, 20) == 0) {
            struct rangemap_entry end = range_of(slot / BLOCK * BLOCK + BLOCK - 1);

            result = rangemap_carve(arena->map, range.start, end.last, NULL, NULL);
        } else if (prng_below(&random, 3) == 0) {
            result = rangemap_store(arena->map, range.start, range.last, range.value, NULL, NULL);
        } else if (prng_below(&random, 2) == 0) {
            result = rangemap_erase(arena->map, range.start, NULL);
            result = result == -ENOENT ? 0 : result;
        } else {
            result = insert_slot(arena->map, slot);
            result = result == -EEXIST ? 0 : result;
        }
        REQUIRE_EQ(result, 0, "slot %u", slot);
    }
}

/* What a sweep saw, and how far the writers were before it. */
struct sweep {
    const char *way;
    unsigned added, removed;
    bool seen[SLOTS];
};

static void sweep_begin(struct arena *arena, struct sweep *sweep, const char *way)
{
    memset(sweep->seen, 0, sizeof sweep->seen);
    sweep->way = way;
    sweep->added = atomic_load(&arena->added.done);
    sweep->removed = atomic_load(&arena->removed.done);
}

static void see(struct sweep *sweep, const struct rangemap_entry *entry)
{
    uint64_t slot = (uint64_t)(uintptr_t)entry->value - 1;
    struct rangemap_entry range;

    REQUIRE_LT(slot, (uint64_t)SLOTS, "%s", sweep->way);
    range = range_of((unsigned)slot);
    REQUIRE(entry_equal(entry, &range), "%s, slot %u", sweep->way, (unsigned)slot);
    REQUIRE(!sweep->seen[slot], "%s, slot %u twice", sweep->way, (unsigned)slot);
    sweep->seen[slot] = true;
}

/* Judges each slot by its class: it must, must not, or may have been seen. */
static void sweep_end(struct arena *arena, struct sweep *sweep)
{
    unsigned added = atomic_load(&arena->added.begun);
    unsigned removed = atomic_load(&arena->removed.begun);

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        enum class class = class_of(slot);
        bool must = class == ALWAYS || (class == ADDED && slot < sweep->added) ||
                    (class == REMOVED && slot >= removed);
        bool must_not = class == NEVER || (class == ADDED && slot >= added) ||
                        (class == REMOVED && slot < sweep->removed);

        REQUIRE(!must || sweep->seen[slot], "%s missed slot %u of class %d", sweep->way, slot, class);
        REQUIRE(!must_not || !sweep->seen[slot], "%s saw slot %u of class %d", sweep->way, slot, class);
    }
    atomic_fetch_add(&arena->swept, 1);
}

static void sweep_cursor(struct arena *arena, struct sweep *sweep, bool upwards)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    sweep_begin(arena, sweep, upwards ? "cursor upwards" : "cursor downwards");
    REQUIRE_EQ(rangemap_cursor_init(&cursor, arena->map, 0, UINT64_MAX), 0);
    while ((upwards ? rangemap_cursor_next(&cursor, &entry) : rangemap_cursor_previous(&cursor, &entry)) ==
           0) {
        see(sweep, &entry);
    }
    sweep_end(arena, sweep);
}

static void sweep_next(struct arena *arena, struct sweep *sweep)
{
    struct rangemap_entry entry;
    int result;

    sweep_begin(arena, sweep, "first and next");
    for (result = rangemap_first(arena->map, &entry); result == 0;
         result = rangemap_next(arena->map, entry.last, &entry)) {
        see(sweep, &entry);
    }
    REQUIRE_EQ(result, -ENOENT);
    sweep_end(arena, sweep);
}

static void sweep_previous(struct arena *arena, struct sweep *sweep)
{
    struct rangemap_entry entry;
    int result;

    sweep_begin(arena, sweep, "last and previous");
    for (result = rangemap_last(arena->map, &entry); result == 0;
         result = rangemap_previous(arena->map, entry.start, &entry)) {
        see(sweep, &entry);
    }
    REQUIRE_EQ(result, -ENOENT);
    sweep_end(arena, sweep);
}

static void sweep_lookups(struct arena *arena, struct sweep *sweep)
{
    struct rangemap_entry entry;

    sweep_begin(arena, sweep, "find");
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (rangemap_find(arena->map, range_of(slot).last, &entry) == 0) {
            see(sweep, &entry);
        }
    }
    sweep_end(arena, sweep);
}

static void sweep_batches(struct arena *arena, struct sweep *sweep)
{
    enum { BATCH = 60 };

    sweep_begin(arena, sweep, "find_batch");
    for (unsigned slot = 0; slot < SLOTS; slot += BATCH) {
        struct rangemap_entry entry[BATCH];
        uint64_t key[BATCH];
        bool hit[BATCH];

        for (unsigned i = 0; i < BATCH; i++) {
            key[i] = range_of(slot + i).start;
        }
        REQUIRE_GE(rangemap_find_batch(arena->map, key, BATCH, entry, hit), 0);
        for (unsigned i = 0; i < BATCH; i++) {
            if (hit[i]) {
                see(sweep, &entry[i]);
            }
        }
    }
    sweep_end(arena, sweep);
}

/* A snapshot is one instant: what it shows stays the same while it is read again, backwards. */
static void sweep_snapshot(struct arena *arena, struct sweep *sweep)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    struct entry_list list = {0};

    sweep_begin(arena, sweep, "snapshot");
    REQUIRE_EQ(rangemap_snapshot_begin(arena->map, &snapshot), 0);
    collect_snapshot(&snapshot, &list);
    REQUIRE_EQ(rangemap_cursor_init_at(&cursor, &snapshot, 0, UINT64_MAX), 0);
    for (size_t i = list.count; i-- > 0;) {
        REQUIRE_EQ(rangemap_cursor_previous(&cursor, &entry), 0);
        REQUIRE(entry_equal(&entry, &list.entry[i]), "snapshot changed, slot %zu", i);
        see(sweep, &entry);
    }
    REQUIRE_EQ(rangemap_cursor_previous(&cursor, &entry), -ENOENT);
    rangemap_snapshot_end(&snapshot);
    entry_list_free(&list);
    sweep_end(arena, sweep);
}

static void read_all_ways(struct arena *arena)
{
    struct sweep sweep;

    while (arena->writing && !crew_is_broken()) {
        sweep_cursor(arena, &sweep, true);
        sweep_cursor(arena, &sweep, false);
        sweep_next(arena, &sweep);
        sweep_previous(arena, &sweep);
        sweep_lookups(arena, &sweep);
        sweep_batches(arena, &sweep);
        sweep_snapshot(arena, &sweep);
        require_valid(arena->map, "beside updates");
    }
}

static void take_part(unsigned index, void *context)
{
    struct arena *arena = context;

    if (index == 0) {
        change_all(arena, ADDED, &arena->added);
    } else if (index == 1) {
        change_all(arena, REMOVED, &arena->removed);
    } else if (index < 2 + TOGGLERS) {
        toggle_slots(arena, index - 2);
    } else {
        read_all_ways(arena);
    }
}

TEST_CASE(thread_classes, five_classes)
{
    for (unsigned round = 0; round < test_scale(); round++) {
        struct arena arena = {.writing = 2, .sweeps = 600};

        REQUIRE_EQ(rangemap_create(NULL, &arena.map), 0);
        populate(&arena);
        crew_run_jittered(2 + TOGGLERS + READERS, take_part, &arena);
        require_valid(arena.map, "at the end");
        CHECK_EQ(rangemap_destroy(arena.map), 0);
    }
}
