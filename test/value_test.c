// SPDX-License-Identifier: BSD-2-Clause
/* Who owns a value: when each kind of update releases and retains it, how often, and how late. */
#include <errno.h>
#include <semaphore.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/check/owned.h"
#include "test/shim/ctest.h"

/* A map in a domain of its own, whose values count their owners. */
struct fixture {
    struct rangemap_domain *domain;
    struct rangemap *map;
    struct owned_table table;
};

static void setup(struct fixture *fixture, size_t values)
{
    struct rangemap_options options = {
        .release = owned_release, .retain = owned_retain, .context = &fixture->table};

    owned_table_init(&fixture->table, values);
    REQUIRE_EQ(rangemap_domain_create(NULL, &fixture->domain), 0);
    options.domain = fixture->domain;
    REQUIRE_EQ(rangemap_create(&options, &fixture->map), 0);
}

/* After destroy, no value has an owner. */
static void teardown(struct fixture *fixture)
{
    CHECK_EQ(rangemap_destroy(fixture->map), 0);
    CHECK_EQ(owned_mismatches(&fixture->table, NULL, 0), 0u, "destroy releases what is left, once");
    CHECK_EQ(fixture->table.faults, 0u);
    CHECK_EQ(rangemap_domain_destroy(fixture->domain), 0);
    owned_table_free(&fixture->table);
}

static struct owned_value *put(struct fixture *fixture, uint64_t start, uint64_t last)
{
    struct owned_value *value = owned_new(&fixture->table);

    REQUIRE_EQ(rangemap_store(fixture->map, start, last, value, NULL, NULL), 0);
    return value;
}

/* Waits for all callbacks; then `value` must have been released and retained this often. */
static void require_calls(struct fixture *fixture, struct owned_value *value, unsigned released,
                          unsigned retained, const char *what)
{
    REQUIRE_EQ(rangemap_domain_barrier(fixture->domain), 0);
    REQUIRE_EQ(value->released, released, "%s", what);
    REQUIRE_EQ(value->retained, retained, "%s", what);
}

TEST_CASE(value, erase_carve_and_overwrite)
{
    struct fixture fixture;
    struct owned_value *erased, *exact, *carved, *overwritten, *stays;

    setup(&fixture, 10);
    erased = put(&fixture, 0, 9);
    exact = put(&fixture, 10, 19);
    carved = put(&fixture, 20, 29);
    overwritten = put(&fixture, 30, 39);
    stays = put(&fixture, 40, 49);
    REQUIRE_EQ(rangemap_erase(fixture.map, 5, NULL), 0);
    REQUIRE_EQ(rangemap_erase_exact(fixture.map, 10, 19, NULL), 0);
    REQUIRE_EQ(rangemap_carve(fixture.map, 20, 29, NULL, NULL), 0);
    put(&fixture, 30, 39);
    require_calls(&fixture, erased, 1, 0, "erased");
    require_calls(&fixture, exact, 1, 0, "erased exactly");
    require_calls(&fixture, carved, 1, 0, "carved");
    require_calls(&fixture, overwritten, 1, 0, "overwritten");
    require_calls(&fixture, stays, 0, 0, "not touched");
    teardown(&fixture);
}

/* A part that stays owns on; two parts are one owner more, who exists when the update returns. */
TEST_CASE(value, cuts)
{
    struct fixture fixture;
    struct owned_value *head, *tail, *middle;

    setup(&fixture, 10);
    head = put(&fixture, 0, 99);
    tail = put(&fixture, 100, 199);
    middle = put(&fixture, 200, 299);
    REQUIRE_EQ(rangemap_carve(fixture.map, 0, 9, NULL, NULL), 0);
    put(&fixture, 190, 199);
    put(&fixture, 240, 249);
    CHECK_EQ(middle->retained, 1u, "before the update returned");
    REQUIRE_EQ(rangemap_carve(fixture.map, 260, 269, NULL, NULL), 0);
    CHECK_EQ(middle->retained, 2u);
    require_calls(&fixture, head, 0, 0, "lost its head");
    require_calls(&fixture, tail, 0, 0, "lost its tail");
    require_calls(&fixture, middle, 0, 2, "in three parts");
    REQUIRE_EQ(rangemap_carve(fixture.map, 200, 279, NULL, NULL), 0);
    require_calls(&fixture, middle, 2, 2, "one part left");
    REQUIRE_EQ(rangemap_erase(fixture.map, 299, NULL), 0);
    require_calls(&fixture, middle, 3, 2, "gone");
    teardown(&fixture);
}

TEST_CASE(value, failed_updates_take_nothing)
{
    struct fixture fixture;
    struct owned_value *here, *caller;
    struct rangemap_entry entry[2] = {{300, 400, NULL}, {200, 250, NULL}};
    struct rangemap_gap_request request = {.length = 2, .low = 9, .high = 9};
    struct rangemap *other;
    uint64_t start;

    setup(&fixture, 10);
    here = put(&fixture, 0, 9);
    caller = owned_new(&fixture.table);
    entry[0].value = entry[1].value = caller;
    CHECK_EQ(rangemap_insert(fixture.map, 9, 10, caller, NULL), -EEXIST);
    CHECK_EQ(rangemap_insert(fixture.map, 20, 10, caller, NULL), -EINVAL);
    CHECK_EQ(rangemap_store(fixture.map, 20, 10, caller, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_replace(fixture.map, 0, 9, caller, caller, NULL), -ESTALE);
    CHECK_EQ(rangemap_replace(fixture.map, 0, 8, here, caller, NULL), -ENOENT);
    CHECK_EQ(rangemap_load(fixture.map, entry, 1, NULL), -ENOTEMPTY);
    CHECK_EQ(rangemap_gap_allocate(fixture.map, &request, caller, &start), -ENOSPC);
    REQUIRE_EQ(rangemap_create(&(struct rangemap_options){.domain = fixture.domain,
                                                          .release = owned_release,
                                                          .context = &fixture.table},
                               &other),
               0);
    CHECK_EQ(rangemap_load(other, entry, 2, NULL), -EINVAL);
    CHECK_EQ(rangemap_destroy(other), 0);
    require_calls(&fixture, caller, 0, 0, "the caller's");
    require_calls(&fixture, here, 0, 0, "not touched");
    owned_drop(caller);
    teardown(&fixture);
}

TEST_CASE(value, replace)
{
    struct fixture fixture;
    struct owned_value *old, *fresh;

    setup(&fixture, 10);
    old = put(&fixture, 0, 9);
    fresh = owned_new(&fixture.table);
    REQUIRE_EQ(rangemap_replace(fixture.map, 0, 9, old, fresh, NULL), 0);
    require_calls(&fixture, old, 1, 0, "replaced");
    require_calls(&fixture, fresh, 0, 0, "in its place");
    teardown(&fixture);
}

/* The caller hands over a second reference with the value; one of the two is given back. */
TEST_CASE(value, replace_by_the_same_word)
{
    struct fixture fixture;
    struct owned_value *value;

    setup(&fixture, 10);
    value = put(&fixture, 0, 9);
    atomic_fetch_add(&value->owners, 1);
    REQUIRE_EQ(rangemap_replace(fixture.map, 0, 9, value, value, NULL), 0);
    REQUIRE_EQ(rangemap_domain_barrier(fixture.domain), 0);
    CHECK_EQ(owned_count(value), 1);
    teardown(&fixture);
}

TEST_CASE(value, store_of_the_same_word)
{
    struct fixture fixture;
    struct owned_value *value;

    setup(&fixture, 10);
    value = put(&fixture, 20, 29);
    atomic_fetch_add(&value->owners, 1);
    REQUIRE_EQ(rangemap_store(fixture.map, 20, 29, value, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_domain_barrier(fixture.domain), 0);
    CHECK_EQ(owned_count(value), 1);
    atomic_fetch_add(&value->owners, 1);
    REQUIRE_EQ(rangemap_store(fixture.map, 24, 25, value, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_domain_barrier(fixture.domain), 0);
    CHECK_EQ(owned_count(value), 3, "two parts and the one between them");
    teardown(&fixture);
}

TEST_CASE(value, coalesce_keeps_the_leftmost)
{
    struct fixture fixture;
    struct owned_value *value;

    setup(&fixture, 10);
    value = put(&fixture, 0, 9);
    for (uint64_t i = 1; i < 5; i++) {
        atomic_fetch_add(&value->owners, 1);
        REQUIRE_EQ(rangemap_insert(fixture.map, i * 10, i * 10 + 9, value, NULL), 0);
    }
    REQUIRE_EQ(rangemap_coalesce(fixture.map, 0, 49, NULL, NULL, NULL), 0);
    require_calls(&fixture, value, 4, 0, "five ranges became one");
    CHECK_EQ(owned_count(value), 1);
    teardown(&fixture);
}

static bool always(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    (void)context;
    return left->last < right->start;
}

TEST_CASE(value, coalesce_of_different_values)
{
    struct fixture fixture;
    struct owned_value *left, *right;

    setup(&fixture, 10);
    left = put(&fixture, 0, 9);
    right = put(&fixture, 10, 19);
    REQUIRE_EQ(rangemap_coalesce(fixture.map, 0, 49, always, NULL, NULL), 0);
    require_calls(&fixture, left, 0, 0, "leftmost");
    require_calls(&fixture, right, 1, 0, "joined");
    teardown(&fixture);
}

TEST_CASE(value, load_and_allocate_own)
{
    enum { COUNT = 5000 };
    struct fixture fixture;
    struct rangemap_gap_request request = {.length = 3, .high = UINT64_MAX};
    struct entry_list list = {0};
    uint64_t start;

    setup(&fixture, COUNT + 1);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct rangemap_entry entry = {i * 4, i * 4 + 2, owned_new(&fixture.table)};

        entry_list_append(&list, &entry);
    }
    REQUIRE_EQ(rangemap_load(fixture.map, list.entry, list.count, NULL), 0);
    REQUIRE_EQ(rangemap_gap_allocate(fixture.map, &request, owned_new(&fixture.table), &start), 0);
    REQUIRE_EQ(rangemap_domain_barrier(fixture.domain), 0);
    for (size_t i = 0; i < COUNT + 1; i++) {
        REQUIRE_EQ(owned_count(&fixture.table.value[i]), 1);
    }
    teardown(&fixture);
    entry_list_free(&list);
}

/* While a section that saw the value is open, it has an owner. */
TEST_CASE(value, release_waits_for_the_section)
{
    struct fixture fixture;
    struct owned_value *value;
    void *seen;

    setup(&fixture, 50000);
    value = put(&fixture, 0, 9);
    REQUIRE_EQ(rangemap_read_begin(fixture.map), 0);
    REQUIRE_EQ(rangemap_lookup(fixture.map, 5, &seen), 0);
    REQUIRE_EQ(seen, value);
    REQUIRE_EQ(rangemap_erase(fixture.map, 5, NULL), 0);
    for (unsigned i = 0; i < 20000; i++) {
        put(&fixture, 100, 109);
        rangemap_domain_poll(fixture.domain);
        REQUIRE_EQ(value->released, 0u, "after %u more updates", i);
    }
    rangemap_read_end(fixture.map);
    require_calls(&fixture, value, 1, 0, "the section is over");
    teardown(&fixture);
}

/* Another thread in a section, with a value that the map still has. */
struct reader {
    struct fixture fixture;
    struct owned_value *value;
    sem_t inside;
};

static void hold_for_a_while(unsigned index, void *context)
{
    struct reader *reader = context;
    void *seen = NULL;

    (void)index;
    REQUIRE_EQ(rangemap_domain_read_begin(reader->fixture.domain), 0);
    CHECK_EQ(rangemap_lookup(reader->fixture.map, 5, &seen), 0);
    CHECK_EQ(seen, reader->value);
    (void)sem_post(&reader->inside);
    for (unsigned i = 0; i < 30; i++) {
        CHECK_EQ(reader->value->released, 0u, "%u ms inside the section", i);
        sleep_milliseconds(1);
    }
    rangemap_domain_read_end(reader->fixture.domain);
}

/* Also where nothing else in the domain waits for a grace period. */
TEST_CASE(value, release_by_destroy_waits_for_the_section)
{
    struct reader reader;
    struct crew crew;

    setup(&reader.fixture, 1);
    REQUIRE_EQ(sem_init(&reader.inside, 0, 0), 0);
    reader.value = put(&reader.fixture, 0, 9);
    REQUIRE_EQ(rangemap_domain_barrier(reader.fixture.domain), 0);
    crew_start(&crew, 1, hold_for_a_while, &reader);
    while (sem_wait(&reader.inside) != 0) {
    }
    CHECK_EQ(rangemap_destroy(reader.fixture.map), 0);
    CHECK_EQ(reader.value->released, 1u);
    crew_join(&crew);
    CHECK_EQ(rangemap_domain_destroy(reader.fixture.domain), 0);
    owned_table_free(&reader.fixture.table);
}

/* Whole subtrees go at once, by each way of dropping them. */
static void drop_many(unsigned way)
{
    enum { COUNT = 60000 };
    struct fixture fixture;
    size_t mismatches;

    setup(&fixture, COUNT + 1);
    for (uint64_t i = 0; i < COUNT; i++) {
        put(&fixture, i * 8, i * 8 + 5);
    }
    if (way == 0) {
        REQUIRE_EQ(rangemap_carve(fixture.map, 0, UINT64_MAX, NULL, NULL), 0);
    } else if (way == 1) {
        REQUIRE_EQ(rangemap_carve(fixture.map, 3, (COUNT - 1) * 8 + 3, NULL, NULL), 0);
    } else if (way == 2) {
        put(&fixture, 8, (COUNT - 1) * 8 - 1);
    }
    if (way < 3) {
        struct entry_list rest = {0};

        REQUIRE_EQ(rangemap_domain_barrier(fixture.domain), 0);
        collect(fixture.map, 0, UINT64_MAX, &rest);
        mismatches = owned_mismatches(&fixture.table, rest.entry, rest.count);
        CHECK_EQ(mismatches, 0u, "way %u", way);
        CHECK_LE(rest.count, 3u);
        entry_list_free(&rest);
    }
    teardown(&fixture);
}

TEST_CASE(value, dropped_subtrees)
{
    for (unsigned way = 0; way < 4; way++) {
        drop_many(way);
    }
}

/* With a split callback: words are number * 1000 + offset, and calls are counted by word. */
enum { WORDS = 4000 };

struct words {
    unsigned released[WORDS], retained[WORDS];
};

static void *split_word(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    (void)last;
    (void)context;
    return (void *)((uintptr_t)whole->value + (start - whole->start));
}

static void release_word(void *value, void *context)
{
    ((struct words *)context)->released[(uintptr_t)value]++;
}

static void retain_word(void *value, void *context)
{
    ((struct words *)context)->retained[(uintptr_t)value]++;
}

TEST_CASE(value, split_words)
{
    static struct words words;
    const struct rangemap_options options = {
        .split = split_word, .release = release_word, .retain = retain_word, .context = &words};
    struct rangemap *map;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uintptr_t i = 1; i < 4; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 100, i * 100 + 99, (void *)(i * 1000), NULL), 0);
    }
    REQUIRE_EQ(rangemap_carve(map, 100, 109, NULL, NULL), 0); /* the tail is 1010 */
    REQUIRE_EQ(rangemap_carve(map, 290, 299, NULL, NULL), 0); /* the head keeps 2000 */
    REQUIRE_EQ(rangemap_carve(map, 340, 349, NULL, NULL), 0); /* 3000 and 3050 */
    REQUIRE_EQ(rangemap_domain_barrier(NULL), 0);
    CHECK(words.released[1000] == 1 && words.released[1010] == 0);
    CHECK(words.released[2000] == 0 && words.released[3000] == 0);
    REQUIRE_EQ(rangemap_destroy(map), 0);
    for (unsigned i = 0; i < WORDS; i++) {
        bool owned = i == 1000 || i == 1010 || i == 2000 || i == 3000 || i == 3050;

        CHECK_EQ(words.released[i], owned, "word %u", i);
        CHECK_EQ(words.retained[i], 0u, "word %u", i);
    }
}
