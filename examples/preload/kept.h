// SPDX-License-Identifier: BSD-2-Clause
/*
 * A descriptor that is opened at the start, for when the process can open none any more, and moved out of the way.
 * Programs close what they do not know, and their own files get the number then; so it is looked at before each use.
 */
#ifndef EXAMPLES_PRELOAD_KEPT_H
#define EXAMPLES_PRELOAD_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/preload/sys.h"

struct kept {
    long fd; /* negative: none */
    uint64_t device, inode;
    bool is_stream; /* a pipe or socket, at whose other end somebody may wait for the last writer to go */
};

#define KEPT_NONE ((struct kept){-1, 0, 0, false})

/* Keeps a descriptor itself (a failure of openat gives none), or a copy of it that is closed by exec. */
struct kept kept_take(long fd);
struct kept kept_copy(long fd);

/* Another number for what is kept, if it stands there. */
bool kept_is(const struct kept *kept, long fd);
bool kept_is_there(const struct kept *kept);

void kept_close(struct kept *kept);

#endif
