// SPDX-License-Identifier: BSD-2-Clause
/* Nodes by themselves, beside plain loops: their words, sizes and slots, ranges that overlap, and free stretches. */
#include <stdlib.h>
#include <string.h>

#include "rangemap/kernel/kernel.h"
#include "rangemap/node/entry.h"
#include "rangemap/node/gap_class.h"
#include "test/check/kernels.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { ROUNDS = 20000 };

static struct {
    uint64_t word[RM_LINES_MAX * RM_CACHE_LINE / sizeof(uint64_t)];
} memory RM_LINE_ALIGNED;

static struct rm_node *node_here(void)
{
    return (struct rm_node *)(void *)memory.word;
}

/* ---- words ---- */

TEST_CASE(layout, meta_holds_each_part)
{
    static const uint64_t stamp[] = {0, 1, 77, RM_STAMP_NONE - 1, RM_STAMP_NONE};

    for (unsigned count = 0; count < 32; count++) {
        for (unsigned level = 0; level < 32; level++) {
            for (unsigned i = 0; i < sizeof stamp / sizeof *stamp; i++) {
                uint64_t meta = rm_meta(count, level, stamp[i]);

                REQUIRE_EQ(rm_meta_count(meta), count);
                REQUIRE_EQ(rm_meta_level(meta), level);
                REQUIRE_EQ(rm_meta_stamp(meta), stamp[i]);
                REQUIRE_EQ(rm_meta_is_stamped(meta), stamp[i] != RM_STAMP_NONE);
                REQUIRE_EQ(rm_meta_with_stamp(meta, 5), rm_meta(count, level, 5));
                rm_word_set_private(&node_here()->meta, meta);
                REQUIRE(rm_node_count(node_here()) == count && rm_node_level(node_here()) == level);
            }
        }
    }
}

TEST_CASE(layout, is_as_large_as_it_must_be)
{
    static const unsigned lines_of[RM_LEAF_ROOM + 1] = {2, 2, 2, 2, 3, 3, 3, 3, 5, 5, 5, 5, 6, 6, 6, 6};
    const char *start = (const char *)memory.word;

    for (unsigned count = 0; count <= RM_LEAF_ROOM; count++) {
        const char *end = start + (size_t)lines_of[count] * RM_CACHE_LINE;
        const char *pairs = (const char *)rm_leaf_pairs(rm_leaf(node_here()), count);

        CHECK_EQ(rm_leaf_lines(count), lines_of[count], "%u", count);
        CHECK_EQ(rm_node_lines(count, 0), lines_of[count]);
        CHECK_EQ(pairs - start, count <= 7 ? 64 : 128);
        CHECK_LE(pairs + count * sizeof(struct rm_pair), end - sizeof(rm_word), "%u", count);
        CHECK_EQ((const char *)rm_prev_of(node_here(), count, 0), end - sizeof(rm_word));
        CHECK_EQ(rm_node_prev(node_here(), rm_meta(count, 0, 9)), rm_prev_of(node_here(), count, 0));
        rm_word_set_private(&node_here()->meta, rm_meta(count, 0, 1));
        CHECK_EQ(rm_node_bytes(node_here()), (uint64_t)(end - start));
    }
    for (unsigned level = 1; level <= RM_HEIGHT_MAX; level++) {
        CHECK_EQ(rm_node_lines(9, level), 4u);
        CHECK_EQ(rm_prev_of(node_here(), 9, level), &rm_inner(node_here())->prev);
        rm_word_set_private(&node_here()->meta, rm_meta(9, level, 1));
        CHECK_EQ(rm_node_bytes(node_here()), 256u);
    }
    CHECK_EQ(rm_node_keys(node_here()), memory.word + 1);
    CHECK_EQ(rm_prev_node(rm_pointer_bits(node_here()) | RM_UNSETTLED), node_here());
    CHECK_EQ(rm_prev_node(rm_pointer_bits(node_here())), node_here());
}

/* But for its class; address and FROZEN count, each bit of them. */
TEST_CASE(layout, slots_are_the_same_or_not)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t word = UINT64_C(0x0123456789abcdc0) ^ UINT64_C(1) << bit;
        bool is_class = bit < 5 || bit >= 57;

        CHECK_EQ(rm_slot_is_same(word, UINT64_C(0x0123456789abcdc0)), is_class, "bit %u", bit);
        CHECK_EQ(rm_slot_is_frozen(UINT64_C(1) << bit), bit == 5);
    }
    for (unsigned bit = 0; bit < RM_CLASS_BITS; bit++) {
        uint64_t word = rm_slot_word(node_here(), 1u << bit);

        CHECK_EQ(word & (RM_SLOT_ADDRESS | RM_FROZEN), rm_pointer_bits(node_here()));
        CHECK_EQ(rm_slot_class(word), 1u << bit);
    }
}

/* ---- leaves of any ranges ---- */

static uint64_t low, high;

/* Ranges that touch, or do not, from the first key of the leaf on, or not; up to the last one, or not. */
static unsigned any_leaf(struct prng *random)
{
    struct rm_leaf *leaf = rm_leaf(node_here());
    unsigned count = (unsigned)prng_below(random, RM_LEAF_ROOM + 1);
    uint64_t at;

    low = prng_below(random, 3) == 0 ? 0
          : prng_below(random, 2)    ? prng_below(random, 1000)
                                     : prng_next(random) / 2;
    at = low + prng_below(random, 3);
    for (unsigned i = 0; i < count; i++) {
        uint64_t last = at + prng_below(random, 4);

        rm_node_keys(&leaf->node)[i] = at;
        rm_leaf_pairs(leaf, count)[i] = (struct rm_pair){last, (void *)(uintptr_t)(7000 + i)};
        at = last + 1 + prng_below(random, prng_below(random, 4) == 0 ? 200 : 4);
    }
    high = at - (count > 0) + prng_below(random, 3);
    high = prng_below(random, 4) == 0 ? UINT64_MAX : high;
    return count;
}

static struct rangemap_entry entry_of(unsigned count, unsigned i)
{
    return rm_leaf_entry(rm_leaf(node_here()), count, i);
}

static void check_overlap(unsigned count, uint64_t start, uint64_t last)
{
    unsigned from = 0, to, found[2] = {77, 77};

    while (from < count && entry_of(count, from).last < start) {
        from++;
    }
    for (to = from; to < count && entry_of(count, to).start <= last; to++) {
    }
    rm_leaf_overlap(rm_leaf(node_here()), count, start, last, &found[0], &found[1]);
    REQUIRE_EQ(found[0], from, "[%llu, %llu]", (unsigned long long)start, (unsigned long long)last);
    REQUIRE_EQ(found[1], to, "[%llu, %llu]", (unsigned long long)start, (unsigned long long)last);
}

static void overlap_all(const void *context)
{
    struct prng random = prng_stream(test_seed(), 1);

    (void)context;
    for (unsigned round = 0; round < ROUNDS / 20; round++) {
        unsigned count = any_leaf(&random);

        for (uint64_t start = low; start < low + 70; start++) {
            check_overlap(count, start, start);
            check_overlap(count, start, start + prng_below(&random, 20));
        }
        for (unsigned i = 0; i < count; i++) {
            struct rangemap_entry entry = entry_of(count, i);

            REQUIRE_EQ(entry.start, rm_node_keys(node_here())[i]);
            REQUIRE_EQ((uintptr_t)entry.value, 7000 + i);
            check_overlap(count, entry.start, entry.last);
            check_overlap(count, entry.last, UINT64_MAX);
            check_overlap(count, 0, entry.start);
        }
    }
}

TEST_CASE(layout, ranges_that_overlap)
{
    for_each_kernel(overlap_all, NULL);
}

/* The longest run of keys of none; all 2^64 as one less. */
static uint64_t longest_gap(unsigned count)
{
    uint64_t longest = 0, at = low;

    for (unsigned i = 0; i < count; i++) {
        uint64_t gap = entry_of(count, i).start - at;

        longest = gap > longest ? gap : longest;
        at = entry_of(count, i).last + 1;
    }
    if (count > 0 && entry_of(count, count - 1).last == high) {
        return longest;
    }
    return high - at + 1 > longest ? high - at + 1 : at == 0 && high == UINT64_MAX ? UINT64_MAX : longest;
}

/* Six bits behind the first, at most. */
static unsigned class_of(uint64_t length)
{
    unsigned shift = 0;

    while (length >> shift >= 128) {
        shift++;
    }
    return shift * 64 + (unsigned)(length >> shift);
}

TEST_CASE(layout, free_stretches_of_leaves)
{
    struct prng random = prng_stream(test_seed(), 2);

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned count = any_leaf(&random);
        uint64_t longest = longest_gap(count);

        REQUIRE_EQ(rm_leaf_longest_gap(rm_leaf(node_here()), count, low, high), longest, "%u ranges", count);
        REQUIRE_EQ(rm_leaf_class(rm_leaf(node_here()), count, low, high), class_of(longest));
        REQUIRE_EQ(rm_gap_class(longest), class_of(longest));
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        for (uint64_t length = (UINT64_C(1) << bit) - 1; length <= (UINT64_C(1) << bit) + 1; length++) {
            CHECK_EQ(rm_gap_class(length), class_of(length));
        }
    }
    CHECK_EQ(rm_gap_class(UINT64_MAX), class_of(UINT64_MAX));
    CHECK_EQ(rm_leaf_longest_gap(rm_leaf(node_here()), 0, 5, UINT64_MAX - 5), UINT64_MAX - 9);
    for (unsigned i = 0; i < 2; i++) {
        low = i;
        high = UINT64_MAX;
        CHECK_EQ(rm_leaf_longest_gap(rm_leaf(node_here()), 0, low, high), UINT64_MAX);
        CHECK_EQ(rm_leaf_longest_gap(rm_leaf(node_here()), 0, 5, 5 + i), 1 + i);
    }
}

TEST_CASE(layout, the_greatest_class_of_its_slots)
{
    struct prng random = prng_stream(test_seed(), 3);
    struct rm_inner *inner = rm_inner(node_here());

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned count = (unsigned)prng_below(&random, RM_INNER_ROOM + 1), greatest = 0;

        for (unsigned i = 0; i < RM_INNER_ROOM; i++) {
            unsigned gap_class = (unsigned)prng_below(&random, RM_CLASS_END);

            rm_word_set_private(&inner->slot[i],
                                rm_slot_word(node_here(), gap_class) | (i % 2 ? RM_FROZEN : 0));
            greatest = i < count && gap_class > greatest ? gap_class : greatest;
        }
        REQUIRE_EQ(rm_inner_class(inner, count), greatest);
    }
}
