// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writers beside writers. Where each has keys of its own, every result and the final map are exact; where they
 * cross, what one update leaves must fit what it found.
 */
#include <errno.h>
#include <stdatomic.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/oracle/oracle.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { WRITERS = 4, BLOCK_KEYS = 24, BLOCKS = 1200 };

/* Each writer owns some blocks of keys, and keeps an oracle of them. */
struct estate {
    struct rangemap *map;
    bool interleaved; /* neighbours belong to different writers; else each has one stretch */
    struct oracle oracle[WRITERS];
};

static uint64_t block_start(const struct estate *estate, unsigned writer, uint64_t block)
{
    uint64_t number = estate->interleaved ? block * WRITERS + writer : (uint64_t)writer * BLOCKS + block;

    return number * BLOCK_KEYS;
}

/* One update inside keys that nobody else updates: as exact as in one thread. */
static void update_own(struct estate *estate, struct oracle *oracle, struct prng *random, uint64_t start,
                       uint64_t last)
{
    struct entry_list got = {0};
    struct entry_list wanted = {0};
    struct rangemap_entry erased, expected;
    void *value = (void *)(uintptr_t)prng_next(random);
    int result;

    switch (prng_below(random, 4)) {
    case 0:
        result = rangemap_insert(estate->map, start, last, value, NULL);
        REQUIRE_EQ(result, oracle_insert(oracle, start, last, value));
        break;
    case 1:
        REQUIRE_EQ(rangemap_store(estate->map, start, last, value, entry_list_record, &got), 0);
        oracle_store(oracle, start, last, value, &wanted);
        break;
    case 2:
        REQUIRE_EQ(rangemap_carve(estate->map, start, last, entry_list_record, &got), 0);
        oracle_carve(oracle, start, last, &wanted);
        break;
    default:
        result = rangemap_erase(estate->map, start, &erased);
        REQUIRE_EQ(result, oracle_erase(oracle, start, &expected));
        REQUIRE(result != 0 || entry_equal(&erased, &expected));
    }
    require_same_list(&got, &wanted, "displaced");
    entry_list_free(&got);
    entry_list_free(&wanted);
}

static void write_own(unsigned index, void *context)
{
    struct estate *estate = context;
    struct oracle *oracle = &estate->oracle[index];
    struct prng random = prng_stream(test_seed(), 10 + index);
    /* With a stretch of its own, a writer's ranges cross blocks. */
    uint64_t widest = estate->interleaved ? BLOCK_KEYS : UINT64_C(20) * BLOCK_KEYS;

    for (unsigned i = 0; i < 60000 * test_scale(); i++) {
        uint64_t start = block_start(estate, index, prng_below(&random, BLOCKS));
        uint64_t end = estate->interleaved ? start + BLOCK_KEYS : block_start(estate, index, BLOCKS);
        uint64_t length = 1 + prng_below(&random, prng_below(&random, 50) ? BLOCK_KEYS : widest);
        const struct rangemap_entry *wanted;
        struct rangemap_entry entry;
        int result;

        start += prng_below(&random, BLOCK_KEYS);
        update_own(estate, oracle, &random, start, start + length < end ? start + length - 1 : end - 1);
        wanted = oracle_find(oracle, start);
        result = rangemap_find(estate->map, start, &entry);
        REQUIRE_EQ(result, wanted ? 0 : -ENOENT);
        REQUIRE(!wanted || entry_equal(&entry, wanted));
    }
}

static void merge(struct estate *estate, struct entry_list *list)
{
    struct oracle all;

    oracle_init(&all, NULL, NULL);
    for (unsigned i = 0; i < WRITERS; i++) {
        for (size_t k = 0; k < estate->oracle[i].list.count; k++) {
            const struct rangemap_entry *entry = &estate->oracle[i].list.entry[k];

            REQUIRE_EQ(oracle_insert(&all, entry->start, entry->last, entry->value), 0);
        }
    }
    *list = all.list;
}

static void own_keys(bool interleaved)
{
    struct estate estate = {.interleaved = interleaved};
    struct entry_list wanted;

    REQUIRE_EQ(rangemap_create(NULL, &estate.map), 0);
    crew_run_jittered(WRITERS, write_own, &estate);
    merge(&estate, &wanted);
    require_same_map(estate.map, &wanted, "all writers together");
    entry_list_free(&wanted);
    for (unsigned i = 0; i < WRITERS; i++) {
        oracle_free(&estate.oracle[i]);
    }
    CHECK_EQ(rangemap_destroy(estate.map), 0);
}

TEST_CASE(thread_writers, a_stretch_each)
{
    own_keys(false);
}

TEST_CASE(thread_writers, interleaved_blocks)
{
    own_keys(true);
}

/*
 * A board that is always fully covered: stores only, of values that name the stored bounds. What is found must
 * lie within the bounds that its value names, and nothing may ever be missing.
 */
struct board {
    struct rangemap *map;
    atomic_uint writing;
    atomic_uint joiners; /* threads that have joined something */
};

enum { BOARD = 1 << 16 };

static void *tag(uint64_t start, uint64_t last)
{
    return (void *)(uintptr_t)(start << 32 | last);
}

static void require_tagged(const struct rangemap_entry *entry)
{
    uint64_t bounds = (uint64_t)(uintptr_t)entry->value;

    REQUIRE_LE(entry->start, entry->last);
    REQUIRE_GE(entry->start, bounds >> 32);
    REQUIRE_LE(entry->last, bounds & UINT32_MAX);
}

/* The entries follow each other without a gap from 0 to the end of the board. */
static void require_tiled(const struct entry_list *list)
{
    uint64_t next = 0;

    for (size_t i = 0; i < list->count; i++) {
        require_tagged(&list->entry[i]);
        REQUIRE_EQ(list->entry[i].start, next);
        next = list->entry[i].last + 1;
    }
    REQUIRE_EQ(next, (uint64_t)BOARD);
}

static void paint(struct board *board, unsigned index)
{
    struct prng random = prng_stream(test_seed(), 30 + index);

    for (unsigned i = 0; i < 40000 * test_scale(); i++) {
        uint64_t width = prng_below(&random, 30) ? 20 : BOARD / 4;
        uint64_t start = prng_below(&random, BOARD);
        uint64_t last = start + prng_below(&random, width);

        last = last < BOARD ? last : BOARD - 1;
        REQUIRE_EQ(rangemap_store(board->map, start, last, tag(start, last), NULL, NULL), 0);
    }
    atomic_fetch_sub(&board->writing, 1);
}

static void inspect(struct board *board, unsigned index)
{
    struct prng random = prng_stream(test_seed(), 60 + index);
    struct entry_list list = {0};

    while (board->writing && !crew_is_broken()) {
        struct rangemap_snapshot snapshot;

        for (unsigned i = 0; i < 2000; i++) {
            uint64_t key = prng_below(&random, BOARD);
            struct rangemap_entry entry;

            REQUIRE_EQ(rangemap_find(board->map, key, &entry), 0, "a part became invisible");
            REQUIRE(entry.start <= key && key <= entry.last);
            require_tagged(&entry);
        }
        REQUIRE_EQ(rangemap_is_covered(board->map, 0, BOARD - 1), 1);
        REQUIRE_EQ(rangemap_snapshot_begin(board->map, &snapshot), 0);
        collect_snapshot(&snapshot, &list);
        rangemap_snapshot_end(&snapshot);
        require_tiled(&list);
    }
    entry_list_free(&list);
}

static void paint_or_inspect(unsigned index, void *context)
{
    struct board *board = context;

    if (index < 3) {
        paint(board, index);
    } else {
        inspect(board, index);
    }
}

TEST_CASE(thread_writers, crossing_stores_keep_the_board_covered)
{
    struct board board = {.writing = 3};
    struct entry_list list = {0};

    REQUIRE_EQ(rangemap_create(NULL, &board.map), 0);
    REQUIRE_EQ(rangemap_store(board.map, 0, BOARD - 1, tag(0, BOARD - 1), NULL, NULL), 0);
    crew_run_jittered(5, paint_or_inspect, &board);
    require_valid(board.map, "painted");
    collect(board.map, 0, UINT64_MAX, &list);
    require_tiled(&list);
    entry_list_free(&list);
    CHECK_EQ(rangemap_destroy(board.map), 0);
}

/*
 * The fault of rcuja's ranges: while ranges round a key are cut and put together again, the key itself is never
 * missing. Keys divisible by 16 are permanent: value 1 in every store that covers them.
 */
static void cut_and_restore(unsigned index, void *context)
{
    struct board *board = context;
    struct prng random = prng_stream(test_seed(), 80 + index);

    if (index < 2) {
        for (unsigned i = 0; i < 100000 * test_scale(); i++) {
            uint64_t cell = prng_below(&random, 200) * 16;

            REQUIRE_EQ(rangemap_carve(board->map, cell + 3, cell + 9, NULL, NULL), 0);
            REQUIRE_EQ(rangemap_store(board->map, cell + 5, cell + 6, (void *)2, NULL, NULL), 0);
            REQUIRE_EQ(rangemap_store(board->map, cell, cell + 15, (void *)1, NULL, NULL), 0);
        }
        atomic_fetch_sub(&board->writing, 1);
        return;
    }
    while (board->writing && !crew_is_broken()) {
        uint64_t key = prng_below(&random, 200) * 16 + prng_below(&random, 16);
        struct rangemap_entry entry;
        int result = rangemap_find(board->map, key, &entry);
        bool permanent = key % 16 < 3 || key % 16 > 9;

        REQUIRE(!permanent || (result == 0 && entry.value == (void *)1), "key %u", (unsigned)key);
    }
}

TEST_CASE(thread_writers, what_is_not_cut_stays_visible)
{
    struct board board = {.writing = 2};

    REQUIRE_EQ(rangemap_create(NULL, &board.map), 0);
    REQUIRE_EQ(rangemap_store(board.map, 0, 200 * 16 - 1, (void *)1, NULL, NULL), 0);
    crew_run_jittered(4, cut_and_restore, &board);
    require_valid(board.map, "restored");
    CHECK_EQ(rangemap_is_covered(board.map, 0, 200 * 16 - 1), 1);
    CHECK_EQ(rangemap_destroy(board.map), 0);
}

enum { CUTTERS = 2, JOINERS = 2 };

/* Until both joiners have joined something as well, however late they get a processor. */
static void cut(struct board *board, struct prng *random)
{
    for (unsigned i = 0; (i < 30000 * test_scale() || board->joiners < JOINERS) && !crew_is_broken(); i++) {
        uint64_t start = prng_below(random, 4000), last = start + prng_below(random, 9);

        REQUIRE_EQ(rangemap_store(board->map, start, last, (void *)1, NULL, NULL), 0);
    }
    atomic_fetch_sub(&board->writing, 1);
}

static void join(struct board *board, struct prng *random)
{
    uint64_t joined, total = 0;

    while (board->writing && !crew_is_broken()) {
        uint64_t start = prng_below(random, 4000);
        struct rangemap_entry entry;

        REQUIRE_EQ(rangemap_coalesce(board->map, start, start + 300, NULL, NULL, &joined), 0);
        board->joiners += total == 0 && joined > 0;
        total += joined;
        REQUIRE_EQ(rangemap_is_covered(board->map, 0, 4099), 1);
        REQUIRE_EQ(rangemap_find(board->map, start, &entry), 0);
        REQUIRE_EQ(entry.value, (void *)1);
    }
}

/* One value everywhere: stores cut it into many ranges, coalescing puts them together, nobody sees a gap. */
static void cut_or_join(unsigned index, void *context)
{
    struct prng random = prng_stream(test_seed(), 90 + index);

    if (index < CUTTERS) {
        cut(context, &random);
    } else {
        join(context, &random);
    }
}

TEST_CASE(thread_writers, coalescing_beside_stores)
{
    struct board board = {.writing = CUTTERS};
    struct rangemap_entry entry = {0};

    REQUIRE_EQ(rangemap_create(NULL, &board.map), 0);
    REQUIRE_EQ(rangemap_store(board.map, 0, 4099, (void *)1, NULL, NULL), 0);
    crew_run_jittered(CUTTERS + JOINERS, cut_or_join, &board);
    CHECK_EQ(board.joiners, (unsigned)JOINERS);
    require_valid(board.map, "joined");
    REQUIRE_EQ(rangemap_coalesce(board.map, 0, UINT64_MAX, NULL, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_first(board.map, &entry), 0);
    CHECK(entry.start == 0 && entry.last == 4099, "%u..%u", (unsigned)entry.start, (unsigned)entry.last);
    CHECK_EQ(rangemap_destroy(board.map), 0);
}
