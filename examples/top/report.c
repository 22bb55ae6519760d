// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/report.h"

#include <inttypes.h>
#include <unistd.h>

static void report_map(const struct top_shown *shown, FILE *out)
{
    struct rangemap_statistics statistics;
    int error = rangemap_stats(shown->map, &statistics);

    (void)fprintf(out, "{\"name\": \"%s\", ", shown->name);
    if (error != 0) {
        (void)fprintf(out, "\"error\": %d}", -error);
        return;
    }
    (void)fprintf(out,
                  "\"ranges\": %" PRIu64 ", \"leaves\": %" PRIu64 ", \"inner_nodes\": %" PRIu64
                  ", \"bytes\": %" PRIu64 ", \"height\": %u}",
                  statistics.ranges, statistics.leaves, statistics.inner_nodes, statistics.bytes,
                  statistics.height);
}

/* Before the maps are walked: a section of ours would be among those that block. */
static void report_domain(struct rangemap_domain *domain, FILE *out)
{
    struct rangemap_domain_statistics statistics;
    struct rangemap_blocker blocker;
    int error = rangemap_domain_blocker(domain, &blocker);

    (void)fprintf(out, "\"id\": \"0x%" PRIxPTR "\", ", (uintptr_t)domain);
    if (error == 0) {
        error = rangemap_domain_stats(domain, &statistics);
    }
    if (error != 0) {
        (void)fprintf(out, "\"error\": %d, ", -error);
        return;
    }
    (void)fprintf(out,
                  "\"threads\": %u, \"records\": %u, \"all_maps\": %u, \"epoch\": %" PRIu64
                  ", \"retries\": %" PRIu64 ", \"chunk_bytes\": %" PRIu64 ", \"node_bytes\": %" PRIu64
                  ", \"pending_bytes\": %" PRIu64 ", \"pooled_bytes\": %" PRIu64
                  ", \"blocker\": {\"tid\": %d, \"behind\": %u}, ",
                  statistics.threads, statistics.records, statistics.maps, statistics.epoch,
                  statistics.retries, statistics.chunk_bytes, statistics.node_bytes, statistics.pending_bytes,
                  statistics.pooled_bytes, blocker.tid, blocker.behind);
}

/* The first published map of its domain stands for the domain. */
static bool is_first(const struct top_shown *all, const struct top_shown *one)
{
    while (rangemap_domain_of(all->map) != rangemap_domain_of(one->map)) {
        all = all->next;
    }
    return all == one;
}

static void report_maps_of(const struct top_shown *first, FILE *out)
{
    for (const struct top_shown *one = first; one != NULL; one = one->next) {
        if (rangemap_domain_of(one->map) == rangemap_domain_of(first->map)) {
            (void)fputs(one != first ? ", " : "", out);
            report_map(one, out);
        }
    }
}

void top_report(const struct top_shown *shown, const struct top_member *members, FILE *out)
{
    (void)fprintf(out, "{\"format\": 1, \"pid\": %ld, \"domains\": [", (long)getpid());
    for (const struct top_shown *one = shown; one != NULL; one = one->next) {
        if (is_first(shown, one)) {
            (void)fputs(one != shown ? ", {" : "{", out);
            report_domain(rangemap_domain_of(one->map), out);
            (void)fputs("\"maps\": [", out);
            report_maps_of(one, out);
            (void)fputs("]}", out);
        }
    }
    (void)fputs("]", out);
    for (; members->name != NULL; members++) {
        (void)fprintf(out, ", \"%s\": ", members->name);
        members->write(out);
    }
    (void)fputs("}\n", out);
}
