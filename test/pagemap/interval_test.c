// SPDX-License-Identifier: BSD-2-Clause
/* Intervals beside a list of them: any overlaps, any order of insertion and removal. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pagemap/base/interval.h"
#include "pagemap/types.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { INTERVALS = 200, INDEXES = 64 };

static struct pm_interval intervals[INTERVALS];
static bool is_in[INTERVALS];

static bool shows(const struct pm_interval *interval, uint64_t first, uint64_t last)
{
    return interval->first <= last && first <= interval->last;
}

/* Each that shows some of [first, last], once, by order of index. */
static void check_query(struct pm_interval *root, uint64_t first, uint64_t last)
{
    unsigned expected = 0, found = 0;
    uint64_t before = 0;

    for (unsigned i = 0; i < INTERVALS; i++) {
        expected += is_in[i] && shows(&intervals[i], first, last);
    }
    for (struct pm_interval *interval = pm_interval_first(root, first, last); interval != NULL;
         interval = pm_interval_next(interval, first, last)) {
        CHECK(shows(interval, first, last));
        CHECK(is_in[interval - intervals]);
        CHECK_GE(interval->first, before);
        before = interval->first;
        CHECK_EQ(pm_interval_after(root, interval->first, interval, first, last),
                 pm_interval_next(interval, first, last));
        found++;
        REQUIRE_LE(found, expected, "an endless walk");
    }
    CHECK_EQ(found, expected);
}

/* The place of one that was removed serves as well as that of one that is there. */
static void check_after(struct pm_interval *root, const struct pm_interval *place, uint64_t first,
                        uint64_t last)
{
    struct pm_interval *expected = NULL;

    for (struct pm_interval *at = intervals; at < intervals + INTERVALS; at++) {
        bool is_after = at->first > place->first || (at->first == place->first && at > place);

        if (is_in[at - intervals] && shows(at, first, last) && is_after &&
            (expected == NULL || at->first < expected->first)) {
            expected = at; /* of several that begin there the first in the array */
        }
    }
    CHECK_EQ(pm_interval_after(root, place->first, place, first, last), expected);
    CHECK_EQ(pm_interval_is_in(root, place->first, place), is_in[place - intervals]);
}

static unsigned depth_of(const struct pm_interval *interval)
{
    unsigned left, right;

    if (interval == NULL) {
        return 0;
    }
    left = depth_of(interval->child[0]);
    right = depth_of(interval->child[1]);
    return 1 + (left > right ? left : right);
}

TEST_CASE(interval, beside_a_list)
{
    struct prng prng = prng_stream(test_seed(), 1);
    struct pm_interval *root = NULL;

    for (unsigned round = 0; round < 4000 * test_scale(); round++) {
        uint64_t i = prng_below(&prng, INTERVALS), first = prng_below(&prng, INDEXES);

        if (is_in[i]) {
            pm_interval_remove(&root, &intervals[i]);
        } else {
            intervals[i].first = first;
            intervals[i].last = first + prng_below(&prng, prng_below(&prng, 2) == 0 ? 2 : INDEXES);
            pm_interval_insert(&root, &intervals[i]);
        }
        is_in[i] = !is_in[i];
        first = prng_below(&prng, INDEXES);
        check_query(root, first, first + prng_below(&prng, 8));
        check_after(root, &intervals[i], first, first + prng_below(&prng, INDEXES));
    }
    check_query(root, 0, UINT64_MAX);
    for (unsigned i = 0; i < INTERVALS; i++) {
        if (is_in[i]) {
            pm_interval_remove(&root, &intervals[i]);
            is_in[i] = false;
            check_query(root, 0, UINT64_MAX);
        }
    }
    CHECK_EQ(root, NULL);
}

/* As they come when a driver maps one page after the other: no list. */
TEST_CASE(interval, nodes_in_order_make_a_shallow_tree)
{
    enum { MANY = 20000 };
    struct pm_interval *many = calloc(MANY, sizeof *many), *root = NULL;

    REQUIRE_NE(many, NULL);
    for (uint64_t i = 0; i < MANY; i++) {
        many[i].first = many[i].last = i;
        pm_interval_insert(&root, &many[i]);
    }
    CHECK_LE(depth_of(root), 60u, "the logarithm is 15");
    CHECK_EQ(pm_interval_first(root, 777, 777), &many[777]);
    CHECK_EQ(pm_interval_next(&many[777], 777, 777), NULL);
    free(many);
}

/* ---- the tree's shape ---- */

static void swap_places(struct pm_interval **a, struct pm_interval **b)
{
    struct pm_interval *kept = *a;

    *a = *b;
    *b = kept;
}

static void shuffle(struct prng *prng, struct pm_interval **all, unsigned count)
{
    for (unsigned i = count; i > 1; i--) {
        swap_places(&all[i - 1], &all[prng_below(prng, i)]);
    }
}

/* Those in `all`, in this order; the first `removed` of them, and they alone, are taken out again. */
static struct pm_interval *make_tree(struct pm_interval **all, unsigned count, unsigned removed)
{
    struct pm_interval *root = NULL;

    for (unsigned i = 0; i < count; i++) {
        pm_interval_insert(&root, all[i]);
    }
    for (unsigned i = 0; i < removed; i++) {
        pm_interval_remove(&root, all[i]);
    }
    return root;
}

/* Whatever was there before: nodes that were never together with those that have gone make the same tree. */
TEST_CASE(interval, the_same_nodes_make_the_same_tree)
{
    struct prng prng = prng_stream(test_seed(), 2);
    struct pm_interval seen[INTERVALS], *all[INTERVALS];

    for (unsigned round = 0; round < 200 * test_scale(); round++) {
        const unsigned removed = (unsigned)prng_below(&prng, INTERVALS), left = INTERVALS - removed;
        struct pm_interval *root;

        for (unsigned i = 0; i < INTERVALS; i++) {
            all[i] = &intervals[i];
            intervals[i].first = prng_below(&prng, INDEXES);
            intervals[i].last = intervals[i].first + prng_below(&prng, INDEXES);
        }
        shuffle(&prng, all, INTERVALS);
        root = make_tree(all, INTERVALS, removed);
        memcpy(seen, intervals, sizeof seen);
        shuffle(&prng, all + removed, left);
        CHECK_EQ(make_tree(all + removed, left, 0), root);
        for (unsigned i = removed; i < INTERVALS; i++) {
            const struct pm_interval *now = all[i], *before = &seen[now - intervals];

            CHECK_EQ(now->parent, before->parent);
            CHECK_EQ(now->child[0], before->child[0]);
            CHECK_EQ(now->child[1], before->child[1]);
            CHECK_EQ(now->last_below, before->last_below);
        }
    }
}

/* Of nodes in an array of larger things, from `memory` on. */
static unsigned depth_at_distance(char *memory, size_t count, size_t distance)
{
    struct pm_interval *root = NULL;

    for (size_t i = 0; i < count; i++) {
        struct pm_interval *interval = (struct pm_interval *)(void *)(memory + i * distance);

        interval->first = interval->last = i;
        pm_interval_insert(&root, interval);
    }
    return depth_of(root);
}

/* At many places of the address space, of things of any size: one multiplication would make lists of some of them. */
TEST_CASE(interval, nodes_at_any_distance_make_a_shallow_tree)
{
    enum { PLACES = 6, MANY = 500, FARTHEST = 4096, STEP = 8, BYTES = MANY * FARTHEST };
    struct prng prng = prng_stream(test_seed(), 3);

    for (unsigned place = 0; place < PLACES; place++) {
        const uint64_t page = prng_between(&prng, UINT64_C(1) << 33, UINT64_C(7) << 32);
        char *memory = mmap((void *)(uintptr_t)(page * PAGE_SIZE), BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        REQUIRE_NE((void *)memory, MAP_FAILED);
        for (size_t distance = sizeof(struct pm_interval); distance <= FARTHEST; distance += STEP) {
            CHECK_LE(depth_at_distance(memory, MANY, distance), 40u, "%zu bytes from each other, at %p",
                     distance, (void *)memory);
        }
        CHECK_EQ(munmap(memory, BYTES), 0);
    }
}
