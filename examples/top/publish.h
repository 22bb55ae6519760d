// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lets `top` see the maps of this process. A thread of its own waits at a Unix socket and takes a look only when
 * somebody asks, so that nothing is paid for otherwise. A look at a map costs O(ranges), in a read section; nobody
 * waits for it but top_withdraw() and fork().
 *
 * Not for signal handlers. A child of fork() publishes nothing until it calls top_publish() itself.
 */
#ifndef EXAMPLES_TOP_PUBLISH_H
#define EXAMPLES_TOP_PUBLISH_H

#include <stdio.h>

#include "rangemap/rangemap.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TOP_NAME_MAX = 47 };

/*
 * Shows `map` under `name`, of which a copy is kept, until top_withdraw(). -EINVAL: no map, or a name that is empty,
 * longer than TOP_NAME_MAX or has other characters than printable ASCII without " and \. -EEXIST: the map is
 * published. -ENOMEM. At the first map also why the socket could not be made: top_folder() and what open(2) and
 * bind(2) say, with their sign turned.
 */
int top_publish(const struct rangemap *map, const char *name);

/* Writes a JSON value to `out`, on the thread that answers; quickly, and without calling top_*. */
typedef void top_member_fn(FILE *out);

/*
 * Adds `"NAME": VALUE` to what this process tells, from now on: for what is layered on rangemap, such as
 * publish_pagemap.h. `name` as above, kept by address. Errors as of top_publish(); -ENOMEM: there are four.
 */
int top_publish_member(const char *name, top_member_fn *write);

/* Before the map is destroyed; waits for a look that is being taken. Of a map that is not published: nothing. */
void top_withdraw(const struct rangemap *map);

#ifdef __cplusplus
}
#endif

#endif
