// SPDX-License-Identifier: BSD-2-Clause
/* Where random tests take their keys and ranges from. */
#ifndef TEST_MODEL_KEYSPACE_H
#define TEST_MODEL_KEYSPACE_H

#include <stdint.h>

#include "test/shim/prng.h"

struct keyspace {
    const char *name;
    uint64_t low, high;   /* the domain, inclusive */
    unsigned length_bits; /* lengths go up to 2^length_bits, short ones more often */
    unsigned wide_one_in; /* how many ranges there are to one of any length */
    unsigned preload;     /* ranges to load at the start */
    unsigned clusters;    /* keys gather round so many spots; 0: evenly spread */
};

uint64_t keyspace_key(const struct keyspace *space, struct prng *random);

/* A range inside the domain. */
void keyspace_range(const struct keyspace *space, struct prng *random, uint64_t *start, uint64_t *last);

#endif
