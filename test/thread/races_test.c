// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that want the same thing: exactly one gets it. Inserts that overlap, erases of one range, counters by
 * replace, and gaps. The same race on one call after the other: hence one file.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { THREADS = 4, ROUNDS = 20000, SPACING = 64 };

struct race {
    struct rangemap *map;
    atomic_uint winner[ROUNDS]; /* 1 + the thread that inserted in this round */
    atomic_uint wins[ROUNDS];
};

static struct race *new_race(void)
{
    struct race *race = calloc(1, sizeof *race);

    REQUIRE_NE(race, NULL);
    REQUIRE_EQ(rangemap_create(NULL, &race->map), 0);
    return race;
}

static void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

/* The ranges of one round overlap pairwise: all hold key round * SPACING + 30. */
static void insert_overlapping(unsigned index, void *context)
{
    struct race *race = context;

    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t start = round * SPACING + index * 8;
        struct rangemap_entry conflict = {0, 0, NULL};
        int result = rangemap_insert(race->map, start, start + 30, word(index + 1), &conflict);

        if (result == 0) {
            race->winner[round] = index + 1;
            race->wins[round]++;
        } else {
            REQUIRE_EQ(result, -EEXIST);
            REQUIRE(conflict.start / SPACING == round && conflict.value != word(index + 1));
        }
    }
}

TEST_CASE(thread_races, one_insert_wins)
{
    for (unsigned repeat = 0; repeat < test_scale(); repeat++) {
        struct race *race = new_race();

        crew_run_jittered(THREADS, insert_overlapping, race);
        for (uint64_t round = 0; round < ROUNDS; round++) {
            struct rangemap_entry entry;

            REQUIRE_EQ(race->wins[round], 1u, "round %u", (unsigned)round);
            REQUIRE_EQ(rangemap_find(race->map, round * SPACING + 30, &entry), 0);
            REQUIRE_EQ(entry.value, word(race->winner[round]));
            REQUIRE_EQ(entry.start, round * SPACING + (race->winner[round] - 1) * 8);
        }
        require_valid(race->map, "after the races");
        CHECK_EQ(rangemap_destroy(race->map), 0);
        free(race);
    }
}

enum { LOADED = 200 };

/* Whoever loaded empties the map again, and finds nothing but its own. */
static void note_value(const struct rangemap_entry *entry, void *value)
{
    REQUIRE_EQ(entry->value, *(void **)value);
}

/* All load ranges of values of their own into the same map. */
static void load_same(unsigned index, void *context)
{
    struct race *race = context;
    struct rangemap_entry entry[LOADED];

    for (uint64_t i = 0; i < LOADED; i++) {
        entry[i] = (struct rangemap_entry){i * 4, i * 4 + 3, word(index + 1)};
    }
    for (unsigned round = 0; round < 500; round++) {
        int result = rangemap_load(race->map, entry, LOADED, NULL);

        REQUIRE(result == 0 || result == -ENOTEMPTY, "%d", result);
        if (result == 0) {
            race->wins[0]++;
            REQUIRE_EQ(rangemap_is_covered(race->map, 0, LOADED * 4 - 1), 1);
            REQUIRE_EQ(rangemap_carve(race->map, 0, UINT64_MAX, note_value, &entry[0].value), 0);
        }
    }
}

TEST_CASE(thread_races, one_load_wins)
{
    struct race *race = new_race();

    crew_run_jittered(THREADS, load_same, race);
    CHECK_GE(race->wins[0], 1u);
    CHECK_EQ(rangemap_is_free(race->map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_destroy(race->map), 0);
    free(race);
}

static void erase_same(unsigned index, void *context)
{
    struct race *race = context;

    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct rangemap_entry erased;
        int result = index % 2
                         ? rangemap_erase(race->map, round * SPACING + 5, &erased)
                         : rangemap_erase_exact(race->map, round * SPACING, round * SPACING + 9, &erased);

        REQUIRE(result == 0 || result == -ENOENT);
        if (result == 0) {
            REQUIRE_EQ(erased.value, word(round));
            race->wins[round]++;
        }
    }
}

TEST_CASE(thread_races, one_erase_wins)
{
    struct race *race = new_race();

    for (uint64_t round = 0; round < ROUNDS; round++) {
        REQUIRE_EQ(rangemap_insert(race->map, round * SPACING, round * SPACING + 9, word(round), NULL), 0);
    }
    crew_run_jittered(THREADS, erase_same, race);
    for (unsigned round = 0; round < ROUNDS; round++) {
        REQUIRE_EQ(race->wins[round], 1u, "round %u", round);
    }
    CHECK_EQ(rangemap_is_free(race->map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_destroy(race->map), 0);
    free(race);
}

static void note_displaced(const struct rangemap_entry *entry, void *context)
{
    struct race *race = context;

    race->wins[entry->start / SPACING]++;
}

/* Wide carves that overlap: between them they displace each range once. */
static void carve_overlapping(unsigned index, void *context)
{
    struct race *race = context;

    for (uint64_t round = 0; round < ROUNDS; round += 7 + index * 3) {
        REQUIRE_EQ(
            rangemap_carve(race->map, round * SPACING, (round + 20) * SPACING - 1, note_displaced, race), 0);
    }
}

TEST_CASE(thread_races, each_range_is_displaced_once)
{
    struct race *race = new_race();

    for (uint64_t round = 0; round < ROUNDS; round++) {
        REQUIRE_EQ(rangemap_insert(race->map, round * SPACING, round * SPACING + 9, word(round), NULL), 0);
    }
    crew_run_jittered(THREADS, carve_overlapping, race);
    for (unsigned round = 0; round < ROUNDS; round++) {
        REQUIRE_EQ(race->wins[round], 1u, "round %u", round);
    }
    CHECK_EQ(rangemap_is_free(race->map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_destroy(race->map), 0);
    free(race);
}

enum { WINDOW_LOW = 1000, WINDOW_HIGH = 1999 };

/* Keeps what it inserted for a moment; nobody may have put anything over it. */
static void insert_and_erase(struct race *race, unsigned index, uint64_t start, uint64_t last)
{
    struct rangemap_entry entry = {0, 0, NULL};
    int result = rangemap_insert(race->map, start, last, word(index), &entry);

    if (result == -EEXIST) {
        REQUIRE(entry.start <= last && entry.last >= start && entry.value != word(index));
        return;
    }
    REQUIRE_EQ(result, 0);
    REQUIRE_EQ(rangemap_find(race->map, (start + last) / 2, &entry), 0);
    REQUIRE(entry.start == start && entry.last == last && entry.value == word(index));
    REQUIRE_EQ(rangemap_erase_exact(race->map, start, last, NULL), 0);
    race->wins[index]++;
}

/*
 * One thread wants the whole window, the others single keys of it. Both must come to the point, however long a thread
 * that has the window is off its processor.
 */
static void insert_wide_or_narrow(unsigned index, void *context)
{
    struct race *race = context;
    struct prng random = prng_stream(test_seed(), 700 + index);

    for (unsigned i = 0; !crew_is_broken(); i++) {
        uint64_t key = prng_between(&random, WINDOW_LOW, WINDOW_HIGH);

        if (i >= 60000 * test_scale() && race->wins[0] > 0 && race->wins[index] > 0) {
            return;
        }
        if (index == 0) {
            insert_and_erase(race, index, WINDOW_LOW, WINDOW_HIGH);
        } else if (prng_below(&random, 50) == 0) {
            sleep_milliseconds(0);
        } else {
            insert_and_erase(race, index, key, key);
        }
    }
}

/* Round the window, nodes are full, so that what is inserted there goes to nodes of its own. */
TEST_CASE(thread_races, wide_inserts_beside_narrow_ones)
{
    struct race *race = new_race();

    for (uint64_t i = 0; i < 500; i++) {
        REQUIRE_EQ(rangemap_insert(race->map, i * 2, i * 2, word(99), NULL), 0);
        REQUIRE_EQ(rangemap_insert(race->map, i * 2 + 2000, i * 2 + 2000, word(99), NULL), 0);
    }
    crew_run_jittered(THREADS, insert_wide_or_narrow, race);
    CHECK_EQ(rangemap_is_free(race->map, WINDOW_LOW, WINDOW_HIGH), 1);
    CHECK_GE(race->wins[1], 1u);
    require_valid(race->map, "after wide inserts");
    CHECK_EQ(rangemap_destroy(race->map), 0);
    free(race);
}

/* Counters in values: no increment is lost, though the ranges beside them come and go. */
static void count_up(unsigned index, void *context)
{
    struct race *race = context;
    struct prng random = prng_stream(test_seed(), index);

    for (unsigned i = 0; i < 30000; i++) {
        uint64_t key = prng_below(&random, 20) * SPACING;
        void *seen = NULL;
        int result = -ESTALE;

        REQUIRE_EQ(rangemap_lookup(race->map, key, &seen), 0);
        while (result == -ESTALE) {
            void *desired = word((uintptr_t)seen + 1);

            result = rangemap_replace(race->map, key, key + 9, seen, desired, &seen);
        }
        REQUIRE_EQ(result, 0);
        key += 20 + prng_below(&random, 20);
        REQUIRE_EQ(rangemap_store(race->map, key, key + 3, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_carve(race->map, key, key + 3, NULL, NULL), 0);
    }
}

TEST_CASE(thread_races, replace_counts)
{
    struct race *race = new_race();
    uint64_t sum = 0;

    for (uint64_t i = 0; i < 20; i++) {
        REQUIRE_EQ(rangemap_insert(race->map, i * SPACING, i * SPACING + 9, NULL, NULL), 0);
    }
    crew_run_jittered(THREADS, count_up, race);
    for (uint64_t i = 0; i < 20; i++) {
        void *value = NULL;

        REQUIRE_EQ(rangemap_lookup(race->map, i * SPACING, &value), 0);
        sum += (uintptr_t)value;
    }
    CHECK_EQ(sum, THREADS * UINT64_C(30000));
    CHECK_EQ(rangemap_destroy(race->map), 0);
    free(race);
}

/* Gaps: a key is taken by one thread at a time. */
enum { HEAP_KEYS = 8192 };

struct heap {
    struct rangemap *map;
    atomic_uint owner[HEAP_KEYS];
    atomic_uint full; /* -ENOSPC answers */
};

static bool heap_allocate(struct heap *heap, unsigned index, struct prng *random, struct rangemap_entry *got)
{
    struct rangemap_gap_request request = {.length = 1 + prng_below(random, 40),
                                           .alignment = UINT64_C(1) << prng_below(random, 5),
                                           .high = HEAP_KEYS - 1,
                                           .from_top = prng_below(random, 2)};
    int result = rangemap_gap_allocate(heap->map, &request, word(index), &got->start);

    if (result == -ENOSPC) {
        heap->full++;
        return false;
    }
    REQUIRE_EQ(result, 0);
    got->last = got->start + request.length - 1;
    REQUIRE_LT(got->last, (uint64_t)HEAP_KEYS);
    REQUIRE_EQ(got->start % request.alignment, 0u);
    for (uint64_t key = got->start; key <= got->last; key++) {
        REQUIRE_EQ(atomic_exchange(&heap->owner[key], index + 1), 0u, "key %u is another's", (unsigned)key);
    }
    return true;
}

static void heap_free(struct heap *heap, unsigned index, const struct rangemap_entry *range)
{
    for (uint64_t key = range->start; key <= range->last; key++) {
        REQUIRE_EQ(atomic_exchange(&heap->owner[key], 0), index + 1);
    }
    REQUIRE_EQ(rangemap_erase_exact(heap->map, range->start, range->last, NULL), 0);
}

static void use_heap(unsigned index, void *context)
{
    enum { HELD = 150 };
    struct heap *heap = context;
    struct prng random = prng_stream(test_seed(), 200 + index);
    struct rangemap_entry held[HELD];
    unsigned count = 0;

    /* Each fits alone: all go on until they have met. */
    for (unsigned i = 0; (i < 20000 * test_scale() || heap->full == 0) && !crew_is_broken(); i++) {
        if (count < HELD && prng_below(&random, 5) < 3) {
            count += heap_allocate(heap, index, &random, &held[count]);
        } else if (count > 0) {
            unsigned chosen = (unsigned)prng_below(&random, count);

            heap_free(heap, index, &held[chosen]);
            held[chosen] = held[--count];
        }
    }
    while (count > 0) {
        heap_free(heap, index, &held[--count]);
    }
}

static void run_gaps_do_not_overlap(bool track_gaps)
{
    struct rangemap_options options = {.track_gaps = track_gaps};
    struct heap *heap = calloc(1, sizeof *heap);

    REQUIRE_NE(heap, NULL);
    REQUIRE_EQ(rangemap_create(&options, &heap->map), 0);
    crew_run_jittered(THREADS, use_heap, heap);
    CHECK_GE(heap->full, 1u, "the heap must run full now and then");
    CHECK_EQ(rangemap_is_free(heap->map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_destroy(heap->map), 0);
    free(heap);
}

TEST_CASE(thread_races, gaps_do_not_overlap)
{
    run_gaps_do_not_overlap(false);
}

TEST_CASE(thread_races, gaps_do_not_overlap_if_tracked)
{
    run_gaps_do_not_overlap(true);
}

/* Together they fill a window to the last key, and each key once. */
static void fill_window(unsigned index, void *context)
{
    struct heap *heap = context;
    struct rangemap_gap_request request = {.length = 2, .high = HEAP_KEYS - 1, .from_top = index % 2};
    uint64_t start;
    int result;

    while ((result = rangemap_gap_allocate(heap->map, &request, word(index), &start)) == 0) {
        REQUIRE_EQ(atomic_fetch_add(&heap->owner[start], 1), 0u);
    }
    REQUIRE_EQ(result, -ENOSPC);
}

static void run_a_window_is_filled(bool track_gaps)
{
    struct rangemap_options options = {.track_gaps = track_gaps};
    struct heap *heap = calloc(1, sizeof *heap);

    REQUIRE_NE(heap, NULL);
    REQUIRE_EQ(rangemap_create(&options, &heap->map), 0);
    crew_run_jittered(THREADS, fill_window, heap);
    CHECK_EQ(rangemap_is_covered(heap->map, 0, HEAP_KEYS - 1), 1);
    require_valid(heap->map, "full");
    CHECK_EQ(rangemap_destroy(heap->map), 0);
    free(heap);
}

TEST_CASE(thread_races, a_window_is_filled)
{
    run_a_window_is_filled(false);
}

TEST_CASE(thread_races, a_window_is_filled_if_tracked)
{
    run_a_window_is_filled(true);
}
