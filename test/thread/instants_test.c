// SPDX-License-Identifier: BSD-2-Clause
/*
 * Answers that are exact at one instant. Writers keep something true at every instant, which a reader that
 * looked at different parts of the map at different times would see broken.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

/* Two places far apart, with many nodes between them. */
enum { LOW = 100, HIGH = 40000, END = 50000, BETWEEN = 500 };

struct scene {
    struct rangemap *map;
    void (*write)(struct scene *scene, unsigned round);
    void (*read)(struct scene *scene, struct prng *random);
    unsigned rounds;
    bool track_gaps;
    atomic_bool done;
    atomic_uint reads;
    atomic_uint moves; /* completed by the writer */
    uint64_t newest;   /* the reader's own */
};

static void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

/* One writer, from round 1 on, until the readers have read enough as well. */
static void play(unsigned index, void *context)
{
    struct scene *scene = context;
    struct prng random = prng_stream(test_seed(), 300 + index);

    if (index == 0) {
        for (unsigned round = 1; round < scene->rounds || scene->reads < 50; round++) {
            scene->write(scene, round);
            if (crew_is_broken()) {
                return;
            }
        }
        scene->done = true;
        return;
    }
    while (!scene->done && !crew_is_broken()) {
        scene->read(scene, &random);
        scene->reads++;
    }
}

static void run_scene(struct scene *scene, unsigned readers)
{
    struct rangemap_options options = {.track_gaps = scene->track_gaps};

    REQUIRE_EQ(rangemap_create(&options, &scene->map), 0);
    scene->rounds *= test_scale();
    for (uint64_t i = 0; i < BETWEEN; i++) {
        REQUIRE_EQ(rangemap_insert(scene->map, LOW + 10 + i * 70, LOW + 20 + i * 70, NULL, NULL), 0);
    }
    scene->write(scene, 0);
    crew_run_jittered(1 + readers, play, scene);
    require_valid(scene->map, "after the scene");
    CHECK_EQ(rangemap_destroy(scene->map), 0);
}

/* Narrow ranges between the two places, so that they lie in different nodes. */
static void scatter(struct scene *scene, unsigned round)
{
    for (uint64_t i = 0; i < 40; i++) {
        uint64_t key = LOW + 10 + (prng_mix(round) + i * 997) % (HIGH - LOW - 20);

        REQUIRE_EQ(rangemap_store(scene->map, key, key + 2, NULL, NULL, NULL), 0);
    }
}

/* One store covers both places: they always hold the same token, and never an older one than before. */
static void write_token(struct scene *scene, unsigned round)
{
    uint64_t token = scene->newest + 1;

    scene->newest = token;
    REQUIRE_EQ(rangemap_store(scene->map, LOW - round % 50, HIGH + round % 50, word(token), NULL, NULL), 0);
    scatter(scene, round);
}

static void read_token(struct scene *scene, struct prng *random)
{
    static _Thread_local uint64_t newest;
    struct rangemap_snapshot snapshot;
    struct rangemap_entry low, high, again;
    bool upwards = prng_below(random, 2);

    REQUIRE_EQ(rangemap_snapshot_begin(scene->map, &snapshot), 0);
    REQUIRE_EQ(rangemap_snapshot_find(&snapshot, upwards ? LOW : HIGH, &low), 0);
    REQUIRE_EQ(rangemap_snapshot_find(&snapshot, upwards ? HIGH : LOW, &high), 0);
    REQUIRE_EQ(low.value, high.value, "a store is seen in one place only");
    REQUIRE_GE((uintptr_t)low.value, newest, "an older store came back");
    newest = (uintptr_t)low.value;
    REQUIRE_EQ(rangemap_snapshot_find(&snapshot, upwards ? LOW : HIGH, &again), 0);
    REQUIRE(entry_equal(&low, &again), "the snapshot changed");
    rangemap_snapshot_end(&snapshot);
}

TEST_CASE(thread_instants, a_wide_store_is_one_step)
{
    struct scene scene = {.write = write_token, .read = read_token, .rounds = 4000};

    run_scene(&scene, 2);
}

/* Ranges come and go on both sides of the window, so that node boundaries wander through it. */
static void churn_outside(struct scene *scene, unsigned round)
{
    uint64_t random = prng_mix(round);
    uint64_t key = random % LOW + (random >> 32 & 1 ? HIGH + 1 : 0);

    if (random >> 33 & 1) {
        REQUIRE_EQ(rangemap_store(scene->map, key, key, NULL, NULL, NULL), 0);
    } else {
        REQUIRE_EQ(rangemap_carve(scene->map, key, key, NULL, NULL), 0);
    }
}

/* A range moves from one place to the other and back: it is put down there before it is taken up here. */
static void write_range_at_either(struct scene *scene, unsigned round)
{
    uint64_t from = round % 2 ? LOW : HIGH;
    uint64_t to = round % 2 ? HIGH : LOW;

    if (round == 0) {
        REQUIRE_EQ(rangemap_carve(scene->map, LOW + 1, HIGH - 1, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_store(scene->map, to, to, NULL, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_carve(scene->map, from, from, NULL, NULL), 0);
    churn_outside(scene, round);
}

/* There is a range in the window at every instant, so every question must find it. */
static void read_range_at_either(struct scene *scene, struct prng *random)
{
    struct rangemap_entry entry = {.start = LOW};
    int result = -1;

    switch (prng_below(random, 5)) {
    case 0:
        result = rangemap_is_free(scene->map, LOW, HIGH);
        break;
    case 1:
        result = rangemap_overlap(scene->map, LOW, HIGH, &entry);
        break;
    case 2:
        result = rangemap_next(scene->map, LOW - 1, &entry);
        break;
    case 3:
        result = rangemap_previous(scene->map, HIGH + 1, &entry);
        break;
    default:
        result = rangemap_insert(scene->map, LOW, HIGH, NULL, &entry) == -EEXIST ? 0 : 1;
    }
    REQUIRE_EQ(result, 0, "the range was nowhere");
    REQUIRE(entry.start == LOW || entry.start == HIGH, "the range was nowhere: %u", (unsigned)entry.start);
}

TEST_CASE(thread_instants, a_range_is_always_somewhere)
{
    struct scene scene = {.write = write_range_at_either, .read = read_range_at_either, .rounds = 150000};

    run_scene(&scene, 2);
}

static void write_and_count(struct scene *scene, unsigned round)
{
    write_range_at_either(scene, round);
    scene->moves++;
}

/* A carve of the window must find the range. Then the writer puts a new one down before the next carve. */
static void carve_range_at_either(struct scene *scene, struct prng *random)
{
    struct entry_list displaced = {0};
    unsigned moves = scene->moves;

    (void)random;
    while (scene->moves - moves < 2 && !scene->done && !crew_is_broken()) {
        sched_yield();
    }
    if (scene->moves - moves >= 2) {
        REQUIRE_EQ(rangemap_carve(scene->map, LOW, HIGH, entry_list_record, &displaced), 0);
        REQUIRE_GE(displaced.count, 1u, "the range was nowhere");
    }
    entry_list_free(&displaced);
}

TEST_CASE(thread_instants, a_carve_finds_what_is_always_somewhere)
{
    struct scene scene = {.write = write_and_count, .read = carve_range_at_either, .rounds = 100000};

    run_scene(&scene, 1);
}

/* A gap moves between the two places in a map that is covered elsewhere. */
static void write_gap_at_either(struct scene *scene, unsigned round)
{
    uint64_t from = round % 2 ? LOW : HIGH;
    uint64_t to = round % 2 ? HIGH : LOW;

    if (round == 0) {
        for (uint64_t key = 0; key < END; key += 50) {
            REQUIRE_EQ(rangemap_store(scene->map, key, key + 49, NULL, NULL, NULL), 0);
        }
    }
    REQUIRE_EQ(rangemap_carve(scene->map, to, to + 9, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_store(scene->map, from, from + 9, NULL, NULL, NULL), 0);
}

static void read_gap_at_either(struct scene *scene, struct prng *random)
{
    struct rangemap_gap_request request = {.length = 10, .high = END - 1, .from_top = prng_below(random, 2)};
    uint64_t start = 0;

    if (prng_below(random, 2)) {
        REQUIRE_EQ(rangemap_is_covered(scene->map, 0, END - 1), 0, "the gap was nowhere");
    } else {
        REQUIRE_EQ(rangemap_gap_find(scene->map, &request, &start), 0, "the gap was nowhere");
        REQUIRE(start == LOW || start == HIGH);
    }
}

TEST_CASE(thread_instants, a_gap_is_always_somewhere)
{
    struct scene scene = {.write = write_gap_at_either, .read = read_gap_at_either, .rounds = 150000};

    run_scene(&scene, 2);
}

/* Searches that pass subtrees by their class must not pass the one that the gap has moved to. */
TEST_CASE(thread_instants, a_tracked_gap_is_always_somewhere)
{
    struct scene scene = {
        .write = write_gap_at_either, .read = read_gap_at_either, .rounds = 100000, .track_gaps = true};

    run_scene(&scene, 2);
}

/* Neither must an allocation that finds none in the tree as it is. It takes less than the gap, and gives it back. */
static void allocate_at_either(struct scene *scene, struct prng *random)
{
    struct rangemap_gap_request request = {.length = 1, .high = END - 1, .from_top = prng_below(random, 2)};
    uint64_t start = 0;
    int result;

    REQUIRE_EQ(rangemap_gap_allocate(scene->map, &request, word(7), &start), 0, "the gap was nowhere");
    REQUIRE((start >= LOW && start < LOW + 10) || (start >= HIGH && start < HIGH + 10));
    result = rangemap_erase_exact(scene->map, start, start, NULL);
    REQUIRE(result == 0 || result == -ENOENT); /* it has been overwritten meanwhile */
}

TEST_CASE(thread_instants, a_tracked_gap_can_always_be_taken)
{
    struct scene scene = {
        .write = write_gap_at_either, .read = allocate_at_either, .rounds = 5000, .track_gaps = true};

    run_scene(&scene, 1);
}

/* The other way round: the gap is closed here before it is opened there, so there is at most one. */
static void write_one_gap_at_most(struct scene *scene, unsigned round)
{
    uint64_t from = round % 2 ? LOW : HIGH;
    uint64_t to = round % 2 ? HIGH : LOW;

    if (round == 0) {
        write_gap_at_either(scene, 0);
    }
    REQUIRE_EQ(rangemap_store(scene->map, from, from + 9, NULL, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_carve(scene->map, to, to + 9, NULL, NULL), 0);
}

/* In a snapshot, at least one of the places is held. */
static void read_one_gap_at_most(struct scene *scene, struct prng *random)
{
    uint64_t first = prng_below(random, 2) ? LOW : HIGH;
    struct rangemap_snapshot snapshot;
    struct rangemap_entry entry;
    int held = 0;

    REQUIRE_EQ(rangemap_snapshot_begin(scene->map, &snapshot), 0);
    held += rangemap_snapshot_find(&snapshot, first, &entry) == 0;
    held += rangemap_snapshot_find(&snapshot, LOW + HIGH - first, &entry) == 0;
    rangemap_snapshot_end(&snapshot);
    REQUIRE_GE(held, 1, "two gaps at once");
}

TEST_CASE(thread_instants, two_gaps_are_never_seen_at_once)
{
    struct scene scene = {.write = write_one_gap_at_most, .read = read_one_gap_at_most, .rounds = 100000};

    run_scene(&scene, 2);
}

/*
 * Ranges are added in ascending order: a reader that sees one sees all before it, in any kind of sweep that is exact.
 */
static void write_in_order(struct scene *scene, unsigned round)
{
    uint64_t step = round % 2000;

    if (step == 0) {
        REQUIRE_EQ(rangemap_carve(scene->map, 0, UINT64_MAX, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_insert(scene->map, step * 3, step * 3 + 1, word(step), NULL), 0);
}

static void read_in_order(struct scene *scene, struct prng *random)
{
    struct rangemap_snapshot snapshot;
    struct entry_list list = {0};

    (void)random;
    REQUIRE_EQ(rangemap_snapshot_begin(scene->map, &snapshot), 0);
    collect_snapshot(&snapshot, &list);
    rangemap_snapshot_end(&snapshot);
    for (size_t i = 0; i < list.count; i++) {
        REQUIRE_EQ(list.entry[i].value, word(i), "an earlier insert is missing");
    }
    entry_list_free(&list);
}

TEST_CASE(thread_instants, later_inserts_are_not_seen_before_earlier_ones)
{
    struct scene scene = {.write = write_in_order, .read = read_in_order, .rounds = 40000};

    run_scene(&scene, 2);
}
