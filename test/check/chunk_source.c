// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/chunk_source.h"

#include <stdlib.h>

enum { UNIT = 64 * 1024, MAX_ALIGNMENT = 2 * 1024 * 1024 };

static void lock(struct chunk_source *source)
{
    while (atomic_flag_test_and_set_explicit(&source->lock, memory_order_acquire)) {
        ;
    }
}

static void unlock(struct chunk_source *source)
{
    atomic_flag_clear_explicit(&source->lock, memory_order_release);
}

/* Moves the slot that holds `from` to `to`; false if there is none. */
static bool change_slot(struct chunk_source *source, void *from, size_t from_bytes, void *to, size_t to_bytes)
{
    bool found = false;
    lock(source);
    for (size_t i = 0; !found && i < CHUNK_SOURCE_MAX; i++) {
        if (source->slot[i].chunk == from && source->slot[i].bytes == from_bytes) {
            source->slot[i].chunk = to;
            source->slot[i].bytes = to_bytes;
            found = true;
        }
    }
    unlock(source);
    return found;
}

static bool is_legal(size_t bytes, size_t alignment)
{
    return bytes > 0 && bytes % UNIT == 0 && alignment > 0 && (alignment & (alignment - 1)) == 0 &&
           alignment <= MAX_ALIGNMENT;
}

static void *take(size_t bytes, size_t alignment, void *context)
{
    struct chunk_source *source = context;
    unsigned call = atomic_fetch_add(&source->calls, 1) + 1;
    if (!is_legal(bytes, alignment)) {
        atomic_fetch_add(&source->breaches, 1);
        return NULL;
    }
    if (atomic_load(&source->fail_all) || call == atomic_load(&source->fail_at)) {
        atomic_fetch_add(&source->refused, 1);
        return NULL;
    }
    void *chunk;
    if (posix_memalign(&chunk, alignment < sizeof(void *) ? sizeof(void *) : alignment, bytes)) {
        abort();
    }
    if (!change_slot(source, NULL, 0, chunk, bytes)) {
        abort();
    }
    atomic_fetch_add(&source->live, 1);
    atomic_fetch_add(&source->bytes, bytes);
    return chunk;
}

static void give(void *chunk, size_t bytes, void *context)
{
    struct chunk_source *source = context;
    if (!chunk || !change_slot(source, chunk, bytes, NULL, 0)) {
        atomic_fetch_add(&source->breaches, 1);
        return;
    }
    atomic_fetch_sub(&source->live, 1);
    atomic_fetch_sub(&source->bytes, bytes);
    free(chunk);
}

void chunk_source_init(struct chunk_source *source)
{
    *source = (struct chunk_source){.allocator = {take, give, source}};
    atomic_flag_clear(&source->lock);
}

struct rangemap_domain *chunk_source_domain(struct chunk_source *source)
{
    const struct rangemap_domain_options options = {.chunks = &source->allocator};
    struct rangemap_domain *domain;
    if (rangemap_domain_create(&options, &domain)) {
        abort();
    }
    return domain;
}
