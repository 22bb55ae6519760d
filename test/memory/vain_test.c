// SPDX-License-Identifier: BSD-2-Clause
/* A thread that is alone writes to no word of the pool in vain, whatever it does. */
#include "test/memory/hands.h"
#include "test/shim/prng.h"

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
        for (unsigned i = 0; i < 200; i++) {
            do_something(&random);
        }
        look_at_last_update();
        CHECK_EQ(updates.vain, 0u, "of %u, in round %u", (unsigned)updates.count, round);
        CHECK_GE(updates.count, 500u);
        check();
    }
    is_mapped = false;
}
