// SPDX-License-Identifier: BSD-2-Clause
/* Random operations of every kind that does not wait, for threads that are stopped in the middle of them. */
#ifndef RANGEMAP_TEST_STOP_OPERATE_H
#define RANGEMAP_TEST_STOP_OPERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/shim/prng.h"

enum { OPERATE_KEYS = 3000 };

/* One operation. Not 0: an answer that is never right. */
int operate(struct rangemap *map, struct prng *random);

/* Whether the instruction belongs to operate() itself, and not to the library or what that has called. */
bool operate_contains(uint64_t instruction);

#endif
