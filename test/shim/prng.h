// SPDX-License-Identifier: BSD-2-Clause
/*
 * SplitMix64 (Steele, Lea, Flood 2014): random numbers that a seed repeats exactly. Not for threads to share:
 * each takes a stream of its own.
 */
#ifndef RANGEMAP_TEST_SHIM_PRNG_H
#define RANGEMAP_TEST_SHIM_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state;
};

static inline uint64_t prng_mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

/* The generator of one stream (say, a thread's number) of a seed. */
static inline struct prng prng_stream(uint64_t seed, uint64_t stream)
{
    struct prng prng = {prng_mix(seed ^ prng_mix(stream + UINT64_C(0x9e3779b97f4a7c15)))};

    return prng;
}

static inline uint64_t prng_next(struct prng *prng)
{
    prng->state += UINT64_C(0x9e3779b97f4a7c15);
    return prng_mix(prng->state);
}

/* Uniform in 0..bound-1, for bound > 0. The bias is below bound / 2^64. */
static inline uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)prng_next(prng) * bound) >> 64);
}

/* Uniform in low..high, both inclusive; the full 64 bits work too. */
static inline uint64_t prng_between(struct prng *prng, uint64_t low, uint64_t high)
{
    uint64_t span = high - low;

    return span == UINT64_MAX ? prng_next(prng) : low + prng_below(prng, span + 1);
}

#endif
