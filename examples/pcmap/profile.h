// SPDX-License-Identifier: BSD-2-Clause
/* The flat profile: samples by function and object. For one thread at a time. */
#ifndef EXAMPLES_PCMAP_PROFILE_H
#define EXAMPLES_PCMAP_PROFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An object_visitor_fn: what was in doubt of an object that went was not its own. */
void profile_add(const char *function, const char *object, uint64_t samples, uint64_t in_doubt, bool gone);

/* Samples at addresses where no object is; `memory` says what is there. */
void profile_add_unknown(const char *memory, uint64_t samples);

uint64_t profile_total(void);

/* The table, most samples first, and what the names in brackets mean. */
void profile_print(FILE *out);

/* Begins anew: the child of a fork. */
void profile_forget(void);

#endif
