// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/publish_pagemap.h"

#include <inttypes.h>
#include <stddef.h>

#include "examples/top/publish.h"
#include "pagemap/pagemap.h"

static const char *type_name(enum memory_type type)
{
    static const char *const names[] = {"?", "PRIVATE", "COHERENT", "FS_DAX", "GENERIC", "P2PDMA"};

    return (unsigned)type < sizeof names / sizeof *names ? names[type] : "?";
}

static void write_devices(FILE *out)
{
    struct pagemap_cursor cursor;
    struct pagemap_entry entry;
    const char *comma = "";

    pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
    while (pagemap_cursor_next(&cursor, &entry, sizeof entry) == 0) {
        (void)fprintf(out,
                      "%s{\"start\": \"0x%" PRIx64 "\", \"end\": \"0x%" PRIx64
                      "\", \"type\": \"%s\", \"range\": %u, \"ranges\": %u, \"references\": %" PRIu64
                      ", \"dying\": %d}",
                      comma, (uint64_t)entry.start, (uint64_t)entry.end, type_name(entry.type), entry.range,
                      entry.nr_range, entry.references, entry.is_dying);
        comma = ", ";
    }
}

/* Under the names of statistics.h. */
static const struct counter {
    const char *name;
    size_t offset;
} counters[] = {
#define COUNTER(member)                                                                                      \
    {                                                                                                        \
#member, offsetof(struct pagemap_statistics, member)                                                 \
    }
    COUNTER(devices_now),
    COUNTER(devices),
    COUNTER(devices_refused),
    COUNTER(pins_now),
    COUNTER(pins),
    COUNTER(exports_now),
    COUNTER(exports),
    COUNTER(waits_now),
    COUNTER(waits),
    COUNTER(longest_wait_ns),
    COUNTER(gup_retries),
    COUNTER(gup_locked),
    COUNTER(gup_migrations),
    COUNTER(refused_no_view),
    COUNTER(refused_absent),
    COUNTER(refused_read_only),
    COUNTER(refused_killed),
    COUNTER(refused_poisoned),
    COUNTER(refused_longterm),
    COUNTER(refused_migration),
    COUNTER(refused_would_wait),
    COUNTER(refused_no_memory),
    COUNTER(refused_invalid),
    COUNTER(revoked_by_uffd),
    COUNTER(revoked_by_overlay),
    COUNTER(revoked_whole_view),
    COUNTER(revoked_by_closing),
    COUNTER(revoked_by_denying),
    COUNTER(views_fallen_back),
    COUNTER(memory_failures),
    COUNTER(sigbus_noted),
    COUNTER(sigbus_not_noted),
    COUNTER(refused_p2pdma),
#undef COUNTER
};

static void write_counters(FILE *out)
{
    struct pagemap_statistics statistics;

    _Static_assert(sizeof statistics / sizeof(uint64_t) == sizeof counters / sizeof *counters,
                   "each counter is told");
    (void)pagemap_stats(&statistics, sizeof statistics);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const char *at = (const char *)&statistics + counters[i].offset;

        (void)fprintf(out, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", counters[i].name,
                      *(const uint64_t *)(const void *)at);
    }
}

static void write_pagemap(FILE *out)
{
    (void)fputs("{\"devices\": [", out);
    write_devices(out);
    (void)fputs("], \"statistics\": {", out);
    write_counters(out);
    (void)fputs("}}", out);
}

int top_publish_pagemap(void)
{
    return top_publish_member("pagemap", write_pagemap);
}
