// SPDX-License-Identifier: BSD-2-Clause
/* The lives of maps, and their limits. */
#include <stdatomic.h>
#include <unistd.h>

#include "mistakes.h"

static struct rangemap_entry entry;

void destroy_twice(void)
{
    demand(rangemap_destroy(map));
    (void)rangemap_destroy(map);
}

void use_after_destroy(void)
{
    demand(rangemap_destroy(map));
    regardless(rangemap_find(map, 1, &entry));
}

void update_after_destroy(void)
{
    demand(rangemap_destroy_later(map, NULL, NULL));
    regardless(rangemap_splice(map, 0, 9, NULL, 0, NULL));
}

void destroy_in_section(void)
{
    demand(rangemap_read_begin(map));
    (void)rangemap_destroy(map);
}

static void *destroy_it(void *unused)
{
    (void)rangemap_destroy(map);
    return unused;
}

void destroy_in_use(void)
{
    struct rangemap_snapshot snapshot;

    demand(rangemap_snapshot_begin(map, &snapshot));
    run_thread(destroy_it);
}

static atomic_bool looks;

static void *look_for_ever(void *unused)
{
    for (;;) {
        regardless(rangemap_lookup(map, 5, NULL));
        atomic_store(&looks, true);
    }
    return unused;
}

void destroy_while_looked_up(void)
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, look_for_ever, NULL);
    while (!atomic_load(&looks)) {
    }
    (void)rangemap_destroy(map);
    for (;;) {
        (void)pause(); /* until the other thread notices */
    }
}

void release_without_retain(void)
{
    create(&(struct rangemap_options){.release = do_nothing});
    regardless(rangemap_carve(map, 40, 59, NULL, NULL));
}

void hard_limit_in_section(void)
{
    const struct rangemap_domain_options limited = {.hard_limit_bytes = 1 << 20};
    struct rangemap_options options = {.release = do_nothing};

    demand(rangemap_domain_create(&limited, &options.domain));
    create(&options);
    demand(rangemap_read_begin(map));
    for (uint64_t i = 0; i < 100000; i++) {
        regardless(rangemap_store(map, i % 1000, i % 1000, a, NULL, NULL));
    }
}

static atomic_bool refuses;

static void *alloc_chunk(size_t bytes, size_t alignment, void *context)
{
    void *chunk = NULL;

    (void)context;
    return !atomic_load(&refuses) && posix_memalign(&chunk, alignment, bytes) == 0 ? chunk : NULL;
}

static void free_chunk(void *chunk, size_t bytes, void *context)
{
    (void)bytes, (void)context;
    free(chunk);
}

void reservation_exceeded(void)
{
    const struct rangemap_chunk_allocator chunks = {alloc_chunk, free_chunk, NULL};
    const struct rangemap_domain_options scarce = {.chunks = &chunks};
    struct rangemap_options options = {0};

    demand(rangemap_domain_create(&scarce, &options.domain));
    demand(rangemap_create(&options, &map));
    demand(rangemap_reserve(map, 2));
    atomic_store(&refuses, true);
    for (uint64_t i = 0; i < 10000000; i++) {
        regardless(rangemap_store(map, 2 * i, 2 * i, a, NULL, NULL));
    }
}

void reversed_range(void)
{
    regardless(rangemap_insert(map, 200, 199, a, NULL)); /* [200, 200), half-open */
}

static int keep_it(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                   void *context)
{
    (void)part, (void)whole, (void)value, (void)context;
    return RANGEMAP_KEEP;
}

void reversed_range_of_update(void)
{
    regardless(rangemap_update(map, 200, 199, keep_it, NULL, NULL));
}
