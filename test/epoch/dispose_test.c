// SPDX-License-Identifier: BSD-2-Clause
/*
 * Trees, nodes and values that are disposed of part by part: how far each budget goes, what a part leaves, and that in
 * the end every node is free and every value released once.
 */
#include "rangemap/epoch/defer.h"
#include "rangemap/epoch/dispose.h"
#include "rangemap/tree/make.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { VALUES_MAX = 4096 };

static struct rig rig;
static unsigned released[VALUES_MAX], releases;

static void release(void *value, void *context)
{
    CHECK_EQ(context, &rig);
    released[(uintptr_t)value]++;
    releases++;
}

static struct rm_values values = {.release = release, .context = &rig};

/* What a tree has, or what is gone of it. */
struct size {
    unsigned nodes, values;
};

/* Of a height, each inner node with so many children, each leaf with so many ranges. */
static struct rm_node *new_tree(unsigned level, unsigned children, unsigned ranges, struct size *size)
{
    unsigned count = level > 0 ? children : ranges;
    struct rm_node *node = rm_node_make(rig.own, count, level);

    REQUIRE_NE(node, NULL);
    size->nodes++;
    if (level > 0) {
        rm_word_set_private(&rm_inner(node)->prev, 0xdead00); /* some older version, which is none of ours */
    }
    for (unsigned i = 0; i < count; i++) {
        if (level > 0) {
            struct rm_node *child = new_tree(level - 1, children, ranges, size);

            rm_word_set_private(&rm_inner(node)->slot[i], rm_pointer_bits(child) | RM_FROZEN);
        } else {
            rm_leaf_pairs(rm_leaf(node), count)[i].value = (void *)(uintptr_t)size->values++;
        }
    }
    return node;
}

static uint64_t live_bytes(void)
{
    return rm_load_relaxed(&rig.own->cache.live_bytes);
}

static void check_released(unsigned count)
{
    CHECK_EQ(releases, count);
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(released[i], 1u, "value %u", i);
        released[i] = 0;
    }
    releases = 0;
}

/* Nodes and values go by turns; a leaf's go together, so that a budget may be passed by some. */
static void check_tree(unsigned level, unsigned children, unsigned ranges, bool releases_values,
                       unsigned budget)
{
    uint64_t before = live_bytes();
    struct size size = {0, 0};
    struct rm_retired retired =
        rm_dispose_whole(new_tree(level, children, ranges, &size), releases_values ? &values : NULL);
    unsigned all = size.nodes + (releases_values ? size.values : 0), calls = 0, left = budget;

    while (left = budget, !rm_dispose_retired(&retired, rig.own, &left)) {
        CHECK_EQ(left, 0u);
        REQUIRE_LT(calls++, all, "level %u", level);
    }
    if (!releases_values) {
        CHECK_EQ(calls, (all - 1) / budget, "%u nodes, %u at a time", all, budget);
        CHECK_EQ(budget - left, all - calls * budget);
    } else if (budget >= all) {
        CHECK_EQ(budget - left, all);
    } else {
        CHECK_GE((calls + 1) * (budget + ranges), all);
    }
    CHECK_EQ(live_bytes(), before);
    check_released(releases_values ? size.values : 0);
}

TEST_CASE(dispose, trees_by_every_budget)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned level = 0; level < 4; level++) {
        for (unsigned children = 1; children <= 4; children++) {
            for (unsigned ranges = 1; ranges <= RM_LEAF_MAX; ranges += 7) {
                for (unsigned budget = 1; budget <= 2048; budget += budget < 20 ? 1 : budget) {
                    check_tree(level, children, ranges, false, budget);
                    check_tree(level, children, ranges, true, budget);
                }
            }
        }
    }
    rig_end(&rig);
}

/* As a destroyed map goes. */
TEST_CASE(dispose, a_tree_that_nobody_sees)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned level = 0; level < 4; level++) {
        for (unsigned with_values = 0; with_values < 2; with_values++) {
            uint64_t before = live_bytes();
            struct size size = {0, 0};

            rm_dispose_tree(new_tree(level, 6, 15, &size), with_values ? &values : NULL, rig.own);
            CHECK_EQ(live_bytes(), before);
            check_released(with_values ? size.values : 0);
        }
    }
    rig_end(&rig);
}

/* Each size, and each word as a value; a value's tag is told from a subtree's by the other word. */
TEST_CASE(dispose, nodes_and_values)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned budget = 0; budget < 3; budget++) {
        for (unsigned lines = RM_LINES_MIN; lines <= RM_LINES_MAX; lines++) {
            uint64_t before = live_bytes();
            struct rm_retired node = {rm_pointer_bits(rm_thread_alloc(rig.own, lines)) | lines, 0};
            unsigned left = budget;

            CHECK_EQ(live_bytes(), before + lines * RM_CACHE_LINE);
            CHECK(rm_retired_is_node(&node));
            CHECK(rm_dispose_retired(&node, rig.own, &left));
            CHECK_EQ(left, budget > 0 ? budget - 1 : 0);
            CHECK_EQ(live_bytes(), before);
        }
        for (uint64_t word = 0; word < 130; word++) {
            struct rm_retired value = {word, rm_pointer_bits(&values) | RM_RETIRED_VALUE};
            unsigned left = budget;

            CHECK(!rm_retired_is_node(&value));
            CHECK(rm_dispose_retired(&value, rig.own, &left));
            CHECK_EQ(left, budget > 0 ? budget - 1 : 0);
        }
        check_released(130);
    }
    rig_end(&rig);
}

static void count_run(struct rangemap_deferred *deferred, void *context)
{
    (void)deferred;
    ++*(unsigned *)context;
}

/* A deferred call is one thing of a budget, too. */
TEST_CASE(dispose, deferred_calls)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned budget = 0; budget < 4; budget++) {
        struct rangemap_deferred deferred;
        unsigned left = budget, runs = 0;
        struct rm_garbage *garbage = rm_defer_prepare(&deferred, count_run, &runs);

        CHECK(garbage->kind->dispose(garbage, rig.own, &left));
        CHECK_EQ(left, budget > 0 ? budget - 1 : 0);
        CHECK_EQ(runs, 1u);
    }
    rig_end(&rig);
}

TEST_CASE(dispose, tags_of_nodes)
{
    for (unsigned tag = 0; tag < RM_CACHE_LINE; tag++) {
        struct rm_retired retired = {0x10000 + tag, 0};

        CHECK_EQ(rm_retired_is_node(&retired), tag >= RM_LINES_MIN && tag <= RM_LINES_MAX, "tag %u", tag);
        retired.values = rm_pointer_bits(&values);
        CHECK(!rm_retired_is_node(&retired));
    }
}
