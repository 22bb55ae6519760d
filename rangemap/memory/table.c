// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/memory/table.h"

void rm_table_init(struct rm_table *table, unsigned extents)
{
    table->extents = extents;
    rm_word_set_private(&table->unused, ~UINT64_C(0) >> (64 - extents));
}

static struct rm_table *table_of(const struct rm_extent *extent)
{
    return (struct rm_table *)(uintptr_t)rm_load_relaxed(&extent->table);
}

static uint64_t bit_of(const struct rm_extent *extent)
{
    return UINT64_C(1) << (extent - table_of(extent)->extent);
}

/* Where runs of 1, 2 or 4 bits begin, aligned to their length. */
static uint64_t runs(uint64_t bits, unsigned count)
{
    if (count >= 2) {
        bits &= bits >> 1 & UINT64_C(0x5555555555555555);
    }
    if (count >= 4) {
        bits &= bits >> 2 & UINT64_C(0x1111111111111111);
    }
    return bits;
}

struct rm_extent *rm_table_claim(struct rm_table *first, unsigned count)
{
    for (struct rm_table *table = first; table != NULL; table = rm_table_next(table)) {
        uint64_t unused;

        while (runs(unused = rm_load_relaxed(&table->unused), count) != 0) {
            unsigned at = rm_bits_first(runs(unused, count));

            if (rm_cas_full(&table->unused, unused, unused & ~(((UINT64_C(1) << count) - 1) << at))) {
                for (unsigned i = 0; i < count; i++) {
                    rm_extent_join(&table->extent[at + i], table);
                }
                return &table->extent[at];
            }
        }
    }
    return NULL;
}

void rm_table_unclaim(struct rm_extent *extent, unsigned count)
{
    rm_or_full(&table_of(extent)->unused, bit_of(extent) * ((UINT64_C(1) << count) - 1));
}

/* The table is looked at first: mostly the bit is there. */
static void show_extent(struct rm_table *table, unsigned index, unsigned set)
{
    uint64_t bit = UINT64_C(1) << index;

    if ((bit & rm_load_relaxed(&table->set[set])) == 0) {
        rm_or_full(&table->set[set], bit);
    }
}

/*
 * The table is left alone if others have put slabs there that are still there: they see to it that it shows the
 * extent. Each of two that go by what a third has taken in between may leave it to the other.
 */
void rm_set_add(struct rm_extent *extent, unsigned set, uint64_t slabs)
{
    struct rm_table *table = table_of(extent);
    uint64_t others = rm_load_relaxed(&extent->set[set]);

    if ((slabs & ~others) != 0) {
        rm_or_full(&extent->set[set], slabs);
        others &= rm_load_relaxed(&extent->set[set]);
    }
    if (others == 0) {
        show_extent(table, (unsigned)(extent - table->extent), set);
    }
}

/*
 * Code that only looks at an extent may not follow its `table`: owners of a part of it see that, while a bit of a set
 * is seen by anyone, maybe sooner.
 */

/* The extent has no slab in the set. */
static void pass_over_extent(struct rm_table *table, unsigned index, unsigned set)
{
    uint64_t bit = UINT64_C(1) << index;

    if ((rm_load_relaxed(&table->set[set]) & bit) == 0) {
        return; /* another thread was faster, and looks again */
    }
    rm_and_full(&table->set[set], ~bit);
    if (rm_load_relaxed(&table->extent[index].set[set]) != 0) {
        rm_or_full(&table->set[set], bit);
    }
}

/*
 * What the table shows. A thread with a place of its own changes the table's word only if none of all the extents has
 * a slab: threads that meet would clear and set the same bits all the time.
 */
static struct rm_extent *find_in(struct rm_table *table, unsigned set, unsigned place)
{
    uint64_t shown = rm_load_relaxed(&table->set[set]);

    for (uint64_t left = shown; left != 0;) {
        unsigned index = rm_bits_nth(left, place);

        if (rm_load_relaxed(&table->extent[index].set[set]) != 0) {
            return &table->extent[index];
        }
        left &= ~(UINT64_C(1) << index);
        if (place == 0) {
            pass_over_extent(table, index, set);
        }
    }
    for (; place != 0 && shown != 0; shown &= shown - 1) {
        pass_over_extent(table, rm_bits_first(shown), set);
    }
    return NULL;
}

/*
 * What the table does not show. Only the table's bit is set again: the slabs that were seen may have owners by now,
 * and an idle one's bit is a fact.
 */
static struct rm_extent *find_hidden(struct rm_table *table, unsigned set)
{
    for (unsigned i = 0; i < table->extents; i++) {
        struct rm_extent *extent = &table->extent[i];
        uint64_t slabs = rm_load_relaxed(&extent->set[set]);

        if (slabs != 0) {
            show_extent(table, i, set);
            return extent;
        }
    }
    return NULL;
}

struct rm_extent *rm_set_find(struct rm_table *first, unsigned set, bool thorough, unsigned place)
{
    struct rm_extent *extent = NULL;

    for (struct rm_table *table = first; table != NULL && extent == NULL; table = rm_table_next(table)) {
        extent = thorough ? find_hidden(table, set) : find_in(table, set, place);
    }
    return extent;
}

struct rm_extent *rm_set_find_among(struct rm_table *first, unsigned set, uint64_t slabs, unsigned place)
{
    unsigned looks = RM_FIND_EXTENTS;

    for (struct rm_table *table = first; table != NULL; table = rm_table_next(table)) {
        uint64_t shown = rm_load_relaxed(&table->set[set]);

        for (; shown != 0; looks--) {
            struct rm_extent *extent = &table->extent[rm_bits_nth(shown, place)];

            if (looks == 0 || (rm_load_relaxed(&extent->set[set]) & slabs) != 0) {
                return looks == 0 ? NULL : extent;
            }
            shown &= ~(UINT64_C(1) << (extent - table->extent));
        }
    }
    return NULL;
}
