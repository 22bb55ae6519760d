// SPDX-License-Identifier: BSD-2-Clause
/* What a process tells of its maps: JSON, the domains in the order of their first maps. */
#ifndef EXAMPLES_TOP_REPORT_H
#define EXAMPLES_TOP_REPORT_H

#include "examples/top/publish.h"

/* A published map; a list of them. */
struct top_shown {
    const struct rangemap *map;
    struct top_shown *next;
    char name[TOP_NAME_MAX + 1];
};

/* What others add, in the order in which they did. One without a name ends them. */
struct top_member {
    const char *name;
    top_member_fn *write;
};

/*
 * {"format": 1, "pid": N, "domains": [{"id": "0x...", "threads": N, ..., "blocker": {"tid": N, "behind": N}, "maps":
 * [{"name": "...", "ranges": N, ...}]}]} and what was added, with the members of rangemap.h's structures under their
 * names. The numbers of a map are of one instant; those of a domain nearly so. What cannot be read is {"error": N},
 * an errno.
 */
void top_report(const struct top_shown *shown, const struct top_member *members, FILE *out);

#endif
