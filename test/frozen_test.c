// SPDX-License-Identifier: BSD-2-Clause
/*
 * An update of several leaves that fails for memory leaves them frozen, for whoever comes next to replace. Whatever
 * that is, and whatever it finds there, it answers as in any other leaf.
 */
#include <errno.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/compare.h"
#include "test/shim/ctest.h"

enum { RANGES = 60, STEP = 10, LENGTH = 6, KEYS = RANGES * STEP };

static struct {
    struct chunk_source source;
    struct rangemap_domain *domain;
    struct rangemap *map;
} life;

static void *value_of(uint64_t start)
{
    return (void *)(uintptr_t)(start + 1);
}

static void put_all(bool track_gaps)
{
    struct rangemap_options options = {.track_gaps = track_gaps};

    chunk_source_init(&life.source);
    life.domain = options.domain = chunk_source_domain(&life.source);
    REQUIRE_EQ(rangemap_create(&options, &life.map), 0);
    for (uint64_t start = 0; start < KEYS; start += STEP) {
        REQUIRE_EQ(rangemap_insert(life.map, start, start + LENGTH - 1, value_of(start), NULL), 0);
    }
}

/* Uses up what the domain has of each size; the caller's section keeps what that replaces. */
static void use_up(struct rangemap *large, struct rangemap *small)
{
    for (uint64_t i = 0; rangemap_insert(large, i * 2, i * 2, NULL, NULL) == 0; i++) {
    }
    for (uint64_t i = 0; rangemap_store(small, 0, 0, (void *)(uintptr_t)i, NULL, NULL) == 0; i++) {
    }
}

static void freeze_all(void)
{
    const struct rangemap_options options = {.domain = life.domain};
    struct rangemap *large = NULL, *small = NULL;

    REQUIRE_EQ(rangemap_create(&options, &large), 0);
    REQUIRE_EQ(rangemap_create(&options, &small), 0);
    REQUIRE_EQ(rangemap_domain_read_begin(life.domain), 0);
    life.source.fail_all = true;
    use_up(large, small);
    REQUIRE_EQ(rangemap_carve(life.map, 1, KEYS - STEP, NULL, NULL), -ENOMEM);
    life.source.fail_all = false;
    rangemap_domain_read_end(life.domain);
    CHECK_EQ(rangemap_destroy(large), 0);
    CHECK_EQ(rangemap_destroy(small), 0);
}

/* ---- what is asked of a frozen leaf ---- */

static bool is_free(uint64_t key)
{
    return key % STEP >= LENGTH;
}

static void check_erase(uint64_t key)
{
    struct rangemap_entry erased = {0, 0, NULL};

    CHECK_EQ(rangemap_erase(life.map, key, &erased), is_free(key) ? -ENOENT : 0, "erase %u", (unsigned)key);
    CHECK(rangemap_lookup(life.map, key, NULL) == -ENOENT);
    if (!is_free(key)) {
        CHECK_EQ(erased.start, key - key % STEP);
        CHECK_EQ(erased.value, value_of(erased.start));
    }
}

static void check_erase_exact(uint64_t key)
{
    uint64_t start = key - key % STEP, last = start + LENGTH - 1;

    CHECK_EQ(rangemap_erase_exact(life.map, key, key + 1, NULL), -ENOENT, "%u", (unsigned)key);
    CHECK_EQ(rangemap_erase_value(life.map, start, last, value_of(start + 1), NULL), -ESTALE, "%u",
             (unsigned)key);
    CHECK_EQ(rangemap_erase_value(life.map, start, last - 1, value_of(start), NULL), -ENOENT, "%u",
             (unsigned)key);
}

static void check_replace(uint64_t key)
{
    uint64_t start = key - key % STEP, last = start + LENGTH - 1;
    void *actual = NULL;

    CHECK_EQ(rangemap_replace(life.map, start, last, value_of(start + 1), NULL, &actual), -ESTALE, "%u",
             (unsigned)key);
    CHECK_EQ(actual, value_of(start));
    CHECK_EQ(rangemap_replace(life.map, start, last + 1, value_of(start), NULL, NULL), -ENOENT, "%u",
             (unsigned)key);
}

static void check_insert(uint64_t key)
{
    struct rangemap_entry found = {0, 0, NULL};

    CHECK_EQ(rangemap_insert(life.map, key, key + 1, NULL, &found),
             is_free(key) && is_free(key + 1) ? 0 : -EEXIST, "insert %u", (unsigned)key);
}

static void check_carve(uint64_t key)
{
    CHECK_EQ(rangemap_carve(life.map, key, key, NULL, NULL), 0, "carve %u", (unsigned)key);
    CHECK_EQ(rangemap_lookup(life.map, key, NULL), -ENOENT);
}

static void (*const checks[])(uint64_t key) = {check_erase, check_erase_exact, check_replace, check_insert,
                                               check_carve};

/* ---- */

/* Whether a check that fails, or finds nothing to do, has left all as it was. */
static void check_neighbours(uint64_t key)
{
    char message[256] = "";

    CHECK_EQ(rangemap_validate(life.map, message, sizeof message), 0, "%s", message);
    for (uint64_t start = 0; start < KEYS; start += STEP) {
        void *value = NULL;

        if (start != key - key % STEP) {
            CHECK_EQ(rangemap_lookup(life.map, start, &value), 0, "%u after %u", (unsigned)start,
                     (unsigned)key);
            CHECK_EQ(value, value_of(start));
        }
    }
}

static void check_each(void (*check)(uint64_t key), bool track_gaps)
{
    for (uint64_t key = STEP; key < KEYS - STEP; key++) {
        put_all(track_gaps);
        freeze_all();
        check(key);
        check_neighbours(key);
        CHECK_EQ(rangemap_destroy(life.map), 0);
        CHECK_EQ(rangemap_domain_destroy(life.domain), 0);
        REQUIRE_EQ(life.source.live, 0u);
    }
}

TEST_CASE(frozen, each_answer_is_as_ever)
{
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        check_each(checks[i], false);
        check_each(checks[i], true);
    }
}
