// SPDX-License-Identifier: BSD-2-Clause
/*
 * The flat profile: samples by function and object. What closed objects had is kept here; a profile of all is gathered
 * in memory that the caller gives, by code that may run in a signal handler.
 */
#ifndef EXAMPLES_PCMAP_PROFILE_H
#define EXAMPLES_PCMAP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/preload/kernel_maps.h"
#include "examples/preload/text.h"

/* What is not in a function, and why. */
enum profile_class {
    PROFILE_NAMED,
    PROFILE_SECTION,
    PROFILE_UNKNOWN,
    PROFILE_CLOSING,
    PROFILE_NO_ROOM,
    PROFILE_CLASSES
};

struct profile_row {
    uint64_t samples;
    const char *function, *object;
};

/* Rows and their names in brackets. The other names are those of the objects: it holds while these are locked. */
struct profile {
    struct profile_row *row;
    size_t count, capacity;
    char *names;
    size_t names_used, names_size;
    uint64_t samples_of[PROFILE_CLASSES];
};

/* An object_visitor_fn: keeps what an object had that goes. What was in doubt of it was not its own. */
void profile_keep(const char *function, const char *object, uint64_t samples, uint64_t in_doubt, bool gone);

/* With the objects locked: how many rows a profile has at the most, and how many bytes of names. */
void profile_measure(size_t *rows, size_t *names_bytes);

/* With the objects locked: gathers all, most samples first. `maps` NULL: memory outside of objects is not looked up. */
void profile_gather(struct profile *profile, struct kernel_maps *maps);

uint64_t profile_total(const struct profile *profile);

/* The table, and what the names in brackets mean. */
void profile_print(const struct profile *profile, struct text *out);

/* Begins anew: the child of a fork. */
void profile_forget(bool may_free);

#endif
