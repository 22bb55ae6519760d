// SPDX-License-Identifier: BSD-2-Clause
/* An input of the fuzzer, read from its front. Behind its end there are zeros. */
#ifndef RANGEMAP_TEST_FUZZ_BYTES_H
#define RANGEMAP_TEST_FUZZ_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *next, *end;
};

static inline bool bytes_are_left(const struct bytes *bytes)
{
    return bytes->next < bytes->end;
}

static inline uint8_t bytes_take(struct bytes *bytes)
{
    return bytes_are_left(bytes) ? *bytes->next++ : 0;
}

/* Little-endian. */
static inline uint64_t bytes_take_word(struct bytes *bytes)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)bytes_take(bytes) << 8 * i;
    }
    return word;
}

#endif
