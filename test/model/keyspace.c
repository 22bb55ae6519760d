// SPDX-License-Identifier: BSD-2-Clause
#include "test/model/keyspace.h"

enum { CLUSTER_KEYS = 300 };

uint64_t keyspace_key(const struct keyspace *space, struct prng *random)
{
    uint64_t spot, moved;

    if (space->clusters == 0) {
        return prng_between(random, space->low, space->high);
    }
    /* The spots lie evenly from the lowest to the highest key, both of them included. */
    spot =
        space->low + (space->high - space->low) / (space->clusters - 1) * prng_below(random, space->clusters);
    moved = spot + prng_below(random, 2 * CLUSTER_KEYS) - CLUSTER_KEYS;
    return moved < space->low || moved > space->high ? spot : moved;
}

void keyspace_range(const struct keyspace *space, struct prng *random, uint64_t *start, uint64_t *last)
{
    unsigned bits = (unsigned)prng_below(random, space->length_bits + 1u);
    uint64_t extra = prng_below(random, UINT64_C(1) << bits);

    if (prng_below(random, space->wide_one_in) == 0) {
        extra = prng_between(random, 0, space->high - space->low);
    }
    *start = keyspace_key(space, random);
    *last = extra > space->high - *start ? space->high : *start + extra;
}
