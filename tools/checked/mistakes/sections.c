// SPDX-License-Identifier: BSD-2-Clause
/* Sections, snapshots, and what needs them. */
#include <stdatomic.h>
#include <unistd.h>

#include "mistakes.h"

static struct rangemap_entry entry;
static atomic_bool looks;

void end_without_begin(void)
{
    rangemap_read_end(map);
}

void end_twice(void)
{
    demand(rangemap_read_begin(map));
    rangemap_read_end(map);
    rangemap_read_end(map);
}

void end_in_another_domain(void)
{
    struct rangemap_domain *domain;

    demand(rangemap_domain_create(NULL, &domain));
    demand(rangemap_domain_read_begin(domain));
    rangemap_domain_read_end(NULL);
}

static void *end_it(void *unused)
{
    rangemap_read_end(map);
    return unused;
}

void end_in_another_thread(void)
{
    demand(rangemap_read_begin(map));
    run_thread(end_it);
}

void end_of_another_map(void)
{
    struct rangemap_options options = {0};
    struct rangemap *other;

    demand(rangemap_domain_create(NULL, &options.domain));
    demand(rangemap_create(&options, &other));
    demand(rangemap_read_begin(map));
    rangemap_read_end(other);
}

void end_snapshot_twice(void)
{
    struct rangemap_snapshot snapshot;

    demand(rangemap_snapshot_begin(map, &snapshot));
    rangemap_snapshot_end(&snapshot);
    rangemap_snapshot_end(&snapshot);
}

void end_snapshot_as_section(void)
{
    struct rangemap_snapshot snapshot;

    demand(rangemap_snapshot_begin(map, &snapshot));
    rangemap_read_end(map);
}

void forgotten_end(void)
{
    demand(rangemap_read_begin(map));
    for (uint64_t i = 0; i < 1000; i++) {
        demand(rangemap_store(map, i, i, a, NULL, NULL));
    }
    regardless(rangemap_domain_synchronize(NULL));
}

void held_outside(void)
{
    regardless(rangemap_find_held(map, 1, &entry));
}

void held_in_another_domain(void)
{
    struct rangemap_domain *domain;

    demand(rangemap_domain_create(NULL, &domain));
    demand(rangemap_domain_read_begin(domain));
    regardless(rangemap_lookup_held(map, 1, NULL));
}

void snapshot_after_end(void)
{
    struct rangemap_snapshot snapshot;

    demand(rangemap_snapshot_begin(map, &snapshot));
    rangemap_snapshot_end(&snapshot);
    regardless(rangemap_snapshot_find(&snapshot, 1, &entry));
}

void cursor_after_end(void)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;

    demand(rangemap_snapshot_begin(map, &snapshot));
    demand(rangemap_cursor_init_at(&cursor, &snapshot, 0, 9));
    rangemap_snapshot_end(&snapshot);
    regardless(rangemap_cursor_next(&cursor, &entry));
}

static void *find_in_it(void *snapshot)
{
    regardless(rangemap_snapshot_find(snapshot, 1, &entry));
    return NULL;
}

void snapshot_of_another_thread(void)
{
    struct rangemap_snapshot snapshot;
    pthread_t thread;

    demand(rangemap_snapshot_begin(map, &snapshot));
    (void)pthread_create(&thread, NULL, find_in_it, &snapshot);
    (void)pthread_join(thread, NULL);
}

void long_section(void)
{
    demand(rangemap_read_begin(map));
    (void)usleep(50000);
    rangemap_read_end(map);
}

static void *hold_it(void *unused)
{
    demand(rangemap_read_begin(map));
    atomic_store(&looks, true);
    for (;;) {
        (void)pause();
    }
    return unused;
}

void wait_for_long_section(void)
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, hold_it, NULL);
    while (!atomic_load(&looks)) {
    }
    regardless(rangemap_domain_synchronize(NULL));
}

static void *begin_and_leave(void *unused)
{
    demand(rangemap_read_begin(map));
    return unused;
}

void exit_in_section(void)
{
    run_thread(begin_and_leave);
}
