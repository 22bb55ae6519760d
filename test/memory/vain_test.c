// SPDX-License-Identifier: BSD-2-Clause
/* A thread that is alone writes to no word of the pool in vain, whatever it does. */
#include "test/memory/hands.h"
#include "test/shim/prng.h"

/* The read-modify-write that came last, and how many have left their word as it was. */
static struct updates {
    const rm_word *word;
    uint64_t before, count, vain;
} updates;

/* Who gives all nodes of a slab at once finds so that no other has any: from none that are free to none. */
static bool may_stay(const rm_word *word)
{
    const struct rm_table *table = pool->tables;

    for (unsigned i = 0; i < table->extents; i++) {
        if (word >= table->extent[i].free && word < table->extent[i].free + RM_EXTENT_SLABS) {
            return updates.before == 0;
        }
    }
    return false;
}

static void look_at_last_update(void)
{
    updates.vain +=
        updates.word != NULL && rm_word_private(updates.word) == updates.before && !may_stay(updates.word);
    updates.word = NULL;
}

static void look_at_update(const rm_word *word)
{
    updates.count++;
    updates.word = word;
    updates.before = rm_word_private(word);
}

static void do_something(struct prng *random)
{
    unsigned lines = (unsigned)prng_between(random, RM_LINES_MIN, RM_LINES_MAX);

    switch (prng_below(random, 8)) {
    case 0:
    case 1:
    case 2:
        if (one.slices < HELD) {
            CHECK(take(&one, lines, (unsigned)prng_between(random, 1, 64)));
        }
        return;
    case 3:
        if (one.slabs < HELD) {
            take_slab(&one, rm_pool_take_slab(pool, 0));
            CHECK_GT(one.slabs, 0u);
        }
        return;
    case 4:
        if (one.slabs > 0) {
            give_slab(&one);
        }
        return;
    case 5:
        empty_hands(&one);
        return;
    case 6:
        (void)rm_pool_trim(pool);
        return;
    default:
        if (one.slices > 0) {
            give(&one);
        }
        return;
    }
}

/* Words that others read are written only to change them: else they would miss them for nothing. */
TEST_CASE(vain, nothing_is_written_in_vain)
{
    for (unsigned round = 0; round < 20; round++) {
        struct prng random = prng_stream(test_seed(), round);

        is_mapped = round % 2 == 0;
        begin();
        updates = (struct updates){.word = NULL};
        before_access = look_at_last_update;
        before_update = look_at_update;
        for (unsigned i = 0; i < 200; i++) {
            do_something(&random);
        }
        look_at_last_update();
        before_access = NULL;
        before_update = NULL;
        CHECK_EQ(updates.vain, 0u, "of %u, in round %u", (unsigned)updates.count, round);
        CHECK_GE(updates.count, 500u);
        check();
    }
    is_mapped = false;
}
