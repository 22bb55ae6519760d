// SPDX-License-Identifier: BSD-2-Clause
/*
 * The books' own steps, beside plain loops: bits of sets, places of nodes in slabs, extents side by side, and what a
 * search finds in tables of any contents.
 */
#include <stdlib.h>
#include <string.h>

#include "test/memory/pool_rig.h"
#include "test/shim/prng.h"

enum { ROUNDS = 20000 };

/* ---- bits ---- */

/* Sets of few bits and of many. */
static uint64_t any_set(struct prng *random)
{
    uint64_t bits = prng_next(random);

    for (uint64_t i = prng_below(random, 5); i > 0; i--) {
        bits &= prng_next(random);
    }
    return prng_below(random, 2) ? bits : ~bits;
}

TEST_CASE(table, bits_of_sets)
{
    struct prng random = prng_stream(test_seed(), 1);

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t bits = round == 0 ? ~UINT64_C(0) : any_set(&random), lowest = 0;
        unsigned count = 0, wanted = (unsigned)prng_below(&random, 66);

        for (unsigned i = 0; i < 64; i++) {
            if ((bits >> i & 1) != 0) {
                REQUIRE_EQ(rm_bits_nth(bits, count), i);
                REQUIRE_EQ(rm_bits_nth(bits, count + rm_bits_count(bits)), i, "round and round");
                lowest |= count < wanted ? UINT64_C(1) << i : 0;
                count++;
            }
        }
        REQUIRE_EQ(rm_bits_count(bits), count);
        REQUIRE_EQ(rm_bits_lowest(bits, wanted), lowest);
        REQUIRE(bits == 0 || rm_bits_first(bits) == rm_bits_nth(bits, 0));
    }
}

/* As many as fit behind the header, one behind the other. */
TEST_CASE(table, nodes_of_slabs)
{
    static struct rm_slab slab[RM_SLAB_BYTES / sizeof(struct rm_slab)]
        __attribute__((aligned(RM_SLAB_BYTES)));

    for (unsigned lines = 1; lines <= RM_LINES_MAX; lines++) {
        const char *at = (const char *)(slab + 1), *end = (const char *)slab + RM_SLAB_BYTES;
        unsigned count = 0;

        for (; at + (size_t)lines * RM_CACHE_LINE <= end; at += (size_t)lines * RM_CACHE_LINE, count++) {
            REQUIRE_EQ((const char *)rm_slab_node(slab, count, lines), at);
            REQUIRE_EQ(rm_slab_index_of(slab, at, lines), count);
            REQUIRE_EQ(rm_slab_of(at), slab);
        }
        CHECK_EQ(rm_slab_nodes(lines), count);
        if (lines >= RM_LINES_MIN) {
            CHECK_EQ(rm_bits_count(rm_slab_all(lines)), count);
            CHECK_EQ(rm_slab_all(lines) >> (count - 1), 1u);
        }
    }
}

/* ---- extents ---- */

static struct rm_table *new_table(unsigned extents)
{
    size_t bytes = (rm_table_bytes(extents + 1) + 4095) & ~(size_t)4095; /* one more, which is nobody's */
    struct rm_table *table = aligned_alloc(4096, bytes);

    REQUIRE(table != NULL);
    memset(table, 0, bytes);
    rm_table_init(table, extents);
    CHECK_EQ(table->extents, extents);
    CHECK_EQ(rm_load_relaxed(&table->unused), extents == 64 ? ~UINT64_C(0) : (UINT64_C(1) << extents) - 1);
    return table;
}

/* How many extents were told which table they are in, since they were asked last. */
static unsigned count_joined(struct rm_table *table)
{
    unsigned count = 0;

    for (unsigned i = 0; i <= table->extents; i++) {
        count += rm_load_relaxed(&table->extent[i].table) != 0;
        rm_store_relaxed(&table->extent[i].table, 0);
    }
    return count;
}

/* The lowest aligned run of extents of the first table that has one; -1: none. */
static int lowest_run(uint64_t unused, unsigned count)
{
    uint64_t run = (UINT64_C(1) << count) - 1;

    for (unsigned at = 0; at < 64; at += count) {
        if ((unused >> at & run) == run) {
            return (int)at;
        }
    }
    return -1;
}

TEST_CASE(table, extents_side_by_side)
{
    struct rm_table *table[2] = {new_table(12), new_table(RM_TABLE_EXTENTS)};
    struct prng random = prng_stream(test_seed(), 2);

    rm_store_relaxed(&table[0]->next, rm_pointer_bits(table[1]));
    CHECK_EQ(rm_table_next(table[0]), table[1]);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t unused[2] = {any_set(&random) & 0xfff, any_set(&random)};
        unsigned count = 1u << prng_below(&random, 3);
        int at[2] = {lowest_run(unused[0], count), lowest_run(unused[1], count)};
        unsigned which = at[0] >= 0 ? 0 : 1;
        struct rm_extent *extent;

        rm_store_relaxed(&table[0]->unused, unused[0]);
        rm_store_relaxed(&table[1]->unused, unused[1]);
        extent = rm_table_claim(table[0], count);
        REQUIRE_EQ(extent != NULL, at[which] >= 0);
        if (extent != NULL) {
            REQUIRE_EQ(extent, &table[which]->extent[at[which]]);
            for (unsigned i = 0; i < count; i++) {
                REQUIRE_EQ(rm_load_relaxed(&extent[i].table), rm_pointer_bits(table[which]));
            }
            REQUIRE_EQ(rm_load_relaxed(&table[which]->unused),
                       unused[which] & ~(((UINT64_C(1) << count) - 1) << at[which]));
            rm_table_unclaim(extent, count);
        }
        REQUIRE_EQ(count_joined(table[0]) + count_joined(table[1]), extent != NULL ? count : 0);
        REQUIRE_EQ(rm_load_relaxed(&table[0]->unused), unused[0]);
        REQUIRE_EQ(rm_load_relaxed(&table[1]->unused), unused[1]);
    }
    free(table[1]);
    free(table[0]);
}

/* ---- searches ---- */

/* Extents that have slabs, and those that the table shows, are any. */
static uint64_t fill_set(struct rm_table *table, struct prng *random, uint64_t *shown)
{
    uint64_t all = ~UINT64_C(0) >> (64 - table->extents), has = any_set(random) & all;

    has = prng_below(random, 4) == 0 ? 0 : has;
    *shown = prng_below(random, 4) == 0 ? 0 : any_set(random) & all;
    for (unsigned i = 0; i < table->extents; i++) {
        rm_store_relaxed(&table->extent[i].set[1], (has >> i & 1) != 0 ? UINT64_C(1) << (i % 64) : 0);
    }
    rm_store_relaxed(&table->set[1], *shown);
    return has;
}

/* What a search without a place finds: the lowest that is shown and has any; those below are shown no more. */
static void check_lowest(struct rm_table *first, struct rm_table *const *table, const uint64_t *has,
                         const uint64_t *shown)
{
    struct rm_extent *found = rm_set_find(first, 1, false, 0);
    bool done = false;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t hits = has[i] & shown[i], left = shown[i];

        if (!done) {
            left = hits != 0 ? left & ~((UINT64_C(1) << rm_bits_first(hits)) - 1) : 0;
            REQUIRE(hits == 0 || found == &table[i]->extent[rm_bits_first(hits)]);
        }
        REQUIRE_EQ(rm_load_relaxed(&table[i]->set[1]), left, "table %u", i);
        done = done || hits != 0;
    }
    REQUIRE(done || found == NULL);
}

/* A place of one's own: what is shown and has any, and nothing changes unless there is none. */
static void check_place(struct rm_table *first, struct rm_table *const *table, const uint64_t *has,
                        const uint64_t *shown, unsigned place)
{
    struct rm_extent *found = rm_set_find(first, 1, false, place);
    bool done = false;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t hits = has[i] & shown[i], left = shown[i];

        for (uint64_t rest = shown[i]; !done && hits != 0;) {
            unsigned index = rm_bits_nth(rest, place);

            if ((hits >> index & 1) != 0) {
                REQUIRE_EQ(found, &table[i]->extent[index]);
                break;
            }
            rest &= ~(UINT64_C(1) << index);
        }
        left = done || hits != 0 ? left : 0;
        REQUIRE_EQ(rm_load_relaxed(&table[i]->set[1]), left, "table %u", i);
        done = done || hits != 0;
    }
    REQUIRE(done || found == NULL);
}

/* A thorough one believes no table, and shows again what it finds. */
static void check_thorough(struct rm_table *first, struct rm_table *const *table, const uint64_t *has,
                           const uint64_t *shown)
{
    struct rm_extent *found = rm_set_find(first, 1, true, 0);
    unsigned which = has[0] != 0 ? 0 : 1;

    REQUIRE_EQ(found != NULL, has[which] != 0);
    if (found != NULL) {
        unsigned index = rm_bits_first(has[which]);

        REQUIRE_EQ(found, &table[which]->extent[index]);
        REQUIRE_EQ(rm_load_relaxed(&table[which]->set[1]), shown[which] | UINT64_C(1) << index);
    }
    REQUIRE_EQ(rm_load_relaxed(&table[1 - which]->set[1]), shown[1 - which]);
}

TEST_CASE(table, what_a_search_finds)
{
    struct rm_table *table[2] = {new_table(12), new_table(RM_TABLE_EXTENTS)};
    struct prng random = prng_stream(test_seed(), 3);

    rm_store_relaxed(&table[0]->next, rm_pointer_bits(table[1]));
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t shown[2], has[2];

        for (unsigned i = 0; i < 2; i++) {
            has[i] = fill_set(table[i], &random, &shown[i]);
        }
        if (round % 3 == 0) {
            check_lowest(table[0], table, has, shown);
        } else if (round % 3 == 1) {
            check_place(table[0], table, has, shown, 1 + (unsigned)prng_below(&random, 1000));
        } else {
            check_thorough(table[0], table, has, shown);
        }
    }
    free(table[1]);
    free(table[0]);
}

/* Slabs join those that are there; the first ones are shown by the table: the extent, and no other. */
TEST_CASE(table, what_is_added_is_shown)
{
    struct rm_table *table = new_table(RM_TABLE_EXTENTS);
    struct prng random = prng_stream(test_seed(), 4);

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned index = (unsigned)prng_below(&random, RM_TABLE_EXTENTS),
                 set = (unsigned)prng_below(&random, RM_SETS);
        struct rm_extent *extent = &table->extent[index];
        uint64_t before = round % 4 == 0 ? 0 : any_set(&random), more = any_set(&random);
        uint64_t shown = any_set(&random);

        rm_extent_join(extent, table);
        rm_store_relaxed(&extent->set[set], before);
        rm_store_relaxed(&table->set[set], shown);
        rm_set_add(extent, set, more);
        REQUIRE_EQ(rm_load_relaxed(&extent->set[set]), before | more);
        REQUIRE_EQ(rm_load_relaxed(&table->set[set]), before == 0 ? shown | UINT64_C(1) << index : shown);
    }
    free(table);
}
