// SPDX-License-Identifier: BSD-2-Clause
/* What each kernel does to one node, on every shape of a leaf, beside plain arithmetic. */
#include <string.h>

#include "rangemap/node/splice.h"
#include "rangemap/rangemap.h"
#include "test/check/kernels.h"
#include "test/shim/ctest.h"

enum { WORDS = RM_LINES_MAX * RM_CACHE_LINE / sizeof(uint64_t), GUARD = 0x5a };

/* A leaf with lines of somebody else before and behind it. */
struct guarded {
    unsigned char before[RM_CACHE_LINE];
    uint64_t word[WORDS];
    unsigned char behind[RM_CACHE_LINE];
} RM_LINE_ALIGNED;

static struct rm_leaf *leaf_in(struct guarded *guarded)
{
    memset(guarded, GUARD, sizeof *guarded);
    return rm_leaf((struct rm_node *)(void *)guarded->word);
}

static void fill(struct rm_leaf *leaf, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        rm_node_keys(&leaf->node)[i] = 1000 + 10 * i;
        rm_leaf_pairs(leaf, count)[i] = (struct rm_pair){1005 + 10 * i, (void *)(uintptr_t)(7000 + i)};
    }
}

/* Behind the last line that has pairs; kernels that copy by half lines may write one pair more (node/splice.h). */
static const unsigned char *end_of_writes(const struct guarded *guarded, const struct rm_leaf *made,
                                          unsigned count)
{
    size_t lines = (count * sizeof(struct rm_pair) + RM_CACHE_LINE - 1) / RM_CACHE_LINE;

    if (strcmp(rangemap_kernel(), "avx512") == 0) {
        return (const unsigned char *)rm_leaf_pairs(made, count) + lines * RM_CACHE_LINE;
    }
    return (const unsigned char *)guarded->word + (size_t)rm_leaf_lines(count) * RM_CACHE_LINE;
}

static void check_guards(const struct guarded *guarded, const struct rm_leaf *made, unsigned count)
{
    const unsigned char *from = (const unsigned char *)guarded, *end = end_of_writes(guarded, made, count);

    for (size_t i = 0; i < RM_CACHE_LINE; i++) {
        REQUIRE_EQ(from[i], GUARD);
    }
    for (; end < (const unsigned char *)(guarded + 1); end++) {
        REQUIRE_EQ(*end, GUARD);
    }
}

static void check_entry(const struct rm_leaf *made, unsigned count, unsigned at, unsigned i)
{
    const struct rm_pair *pair = &rm_leaf_pairs(made, count)[at];

    REQUIRE_EQ(rm_node_keys(&made->node)[at], 1000 + 10 * i);
    REQUIRE_EQ(pair->last, 1005 + 10 * i);
    REQUIRE_EQ((uintptr_t)pair->value, 7000 + i);
}

static void check_splice(unsigned old_count, unsigned from, unsigned to, unsigned puts)
{
    static struct guarded old, new;
    struct rm_leaf *leaf = leaf_in(&old), *made = leaf_in(&new);
    unsigned count = rm_spliced_count(old_count, from, to, puts), at = from + puts;

    fill(leaf, old_count);
    rm_splice(made, leaf, old_count, from, to, puts);
    for (unsigned i = 0; i < from; i++) {
        check_entry(made, count, i, i);
    }
    for (unsigned i = to; i < old_count; i++, at++) {
        check_entry(made, count, at, i);
    }
    REQUIRE_EQ(at, count);
    REQUIRE(memcmp(&made->node, &old.before, sizeof made->node) == 0, "the meta is not the splice's");
    check_guards(&new, made, count);
}

static void splice_all(const void *context)
{
    (void)context;
    for (unsigned count = 0; count <= RM_LEAF_ROOM; count++) {
        for (unsigned to = 0; to <= count; to++) {
            for (unsigned from = 0; from <= to; from++) {
                for (unsigned puts = 0; puts <= 3 && count - (to - from) + puts <= RM_LEAF_ROOM; puts++) {
                    check_splice(count, from, to, puts);
                }
            }
        }
    }
}

/* First, before anybody has selected another one. */
TEST_CASE(kernel, the_best_one_is_chosen_at_start)
{
    CHECK_STR_EQ(rangemap_kernel(), best_kernel());
}

TEST_CASE(kernel, splice_keeps_what_stays)
{
    for_each_kernel(splice_all, NULL);
}

static void check_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    unsigned rank = 0;

    while (rank < count && rm_node_keys(node)[rank] <= key) {
        rank++;
    }
    REQUIRE_EQ(rm_rank(node, count, key), rank, "%u keys, key %llu", count, (unsigned long long)key);
}

/* Keys on both sides of 2^63 too; what is neither key nor count may hold anything. */
static void rank_all(const void *context)
{
    static const uint64_t base[] = {0, 1, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 80, UINT64_MAX - 150};
    static struct guarded node;
    struct rm_leaf *leaf = leaf_in(&node);

    (void)context;
    for (size_t b = 0; b < sizeof base / sizeof base[0]; b++) {
        for (unsigned count = 0; count <= RM_LEAF_ROOM; count++) {
            for (unsigned fence = 0; fence < 2; fence++) {
                memset(node.word, fence == 0 ? 0 : 0xff, sizeof node.word);
                for (unsigned i = 0; i < count; i++) {
                    rm_node_keys(&leaf->node)[i] = base[b] + 10 * i;
                }
                for (uint64_t key = base[b] - 3; key != base[b] + 152; key++) {
                    check_rank(&leaf->node, count, key);
                }
                check_rank(&leaf->node, count, 0);
                check_rank(&leaf->node, count, UINT64_MAX);
            }
        }
    }
}

TEST_CASE(kernel, rank_counts_keys_at_or_below)
{
    for_each_kernel(rank_all, NULL);
}
