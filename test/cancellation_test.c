// SPDX-License-Identifier: BSD-2-Clause
/* A thread that is cancelled in the caller's own functions ends after the update that calls them, not in its midst. */
#include <pthread.h>
#include <stdatomic.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/shim/ctest.h"

/* ---- in callbacks ---- */

struct cancelled {
    struct rangemap *map;
    atomic_uint calls, ends;
};

static void test_cancel_displaced(const struct rangemap_entry *entry, void *context)
{
    struct cancelled *cancelled = context;

    (void)entry;
    cancelled->calls++;
    pthread_testcancel();
}

static void test_cancel(void *value, void *context)
{
    struct cancelled *cancelled = context;

    (void)value;
    cancelled->calls++;
    pthread_testcancel();
}

/* Each way to `displaced` and `retain`: an edit of one leaf, of several, a window, a clone. */
static void update_cancelled(struct cancelled *cancelled)
{
    struct rangemap *map = cancelled->map;
    struct rangemap_snapshot snapshot;

    CHECK_EQ(rangemap_store(map, 5, 6, NULL, test_cancel_displaced, cancelled), 0);
    CHECK_EQ(rangemap_carve(map, 30, 40, test_cancel_displaced, cancelled), 0);
    CHECK_EQ(rangemap_carve(map, 1005, 4005, test_cancel_displaced, cancelled), 0);
    CHECK_EQ(rangemap_evict(map, 6000, 6099, test_cancel_displaced, cancelled), 0);
    CHECK_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    CHECK_EQ(rangemap_clone(map, &snapshot, 7003, 7097, test_cancel_displaced, cancelled), 0);
    rangemap_snapshot_end(&snapshot);
}

static void *be_cancelled(void *context)
{
    struct cancelled *cancelled = context;
    int before;

    REQUIRE_EQ(pthread_cancel(pthread_self()), 0);
    update_cancelled(cancelled);
    cancelled->ends++;
    CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before), 0);
    CHECK_EQ(before, PTHREAD_CANCEL_ENABLE, "as it was");
    pthread_testcancel();
    cancelled->ends++;
    return NULL;
}

/* A thread that is cancelled meanwhile ends after the update, and not in the midst of it. */
TEST_CASE(cancellation, no_thread_ends_inside_of_an_update)
{
    struct cancelled cancelled = {.calls = 0};
    const struct rangemap_options options = {
        .retain = test_cancel, .release = test_cancel, .context = &cancelled};
    pthread_t thread;

    REQUIRE_EQ(rangemap_create(&options, &cancelled.map), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        REQUIRE_EQ(rangemap_insert(cancelled.map, i * 10, i * 10 + 9, (void *)(uintptr_t)i, NULL), 0);
    }
    REQUIRE_EQ(pthread_create(&thread, NULL, be_cancelled, &cancelled), 0);
    REQUIRE_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(cancelled.ends, 1u, "all updates, and then its end");
    CHECK_GE(cancelled.calls, 300u);
    CHECK_EQ(rangemap_destroy(cancelled.map), 0);
}

/* ---- in the chunk allocator ---- */

static struct chunk_source source;
static atomic_uint frees, allocations;

static void *test_cancel_alloc(size_t bytes, size_t alignment, void *context)
{
    allocations++;
    pthread_testcancel();
    return source.allocator.alloc(bytes, alignment, context);
}

static void test_cancel_free(void *chunk, size_t bytes, void *context)
{
    frees++;
    pthread_testcancel();
    source.allocator.free(chunk, bytes, context);
}

static void *grow_and_shrink(void *context)
{
    struct rangemap *map = context;

    REQUIRE_EQ(pthread_cancel(pthread_self()), 0);
    for (uint64_t i = 0; i < 100000; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 10, i * 10 + 9, NULL, NULL), 0);
    }
    CHECK_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    while (rangemap_domain_poll(rangemap_domain_of(map)) == 1) {
    }
    CHECK_GE(rangemap_domain_trim(rangemap_domain_of(map)), 0);
    CHECK_GE(frees, 1u);
    return map;
}

TEST_CASE(cancellation, no_thread_ends_inside_of_the_chunk_allocator)
{
    struct rangemap_chunk_allocator allocator;
    struct rangemap_options options = {0};
    struct rangemap *map;
    pthread_t thread;
    void *result = NULL;

    chunk_source_init(&source);
    allocator = source.allocator;
    allocator.alloc = test_cancel_alloc;
    allocator.free = test_cancel_free;
    REQUIRE_EQ(
        rangemap_domain_create(&(struct rangemap_domain_options){.chunks = &allocator}, &options.domain), 0);
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    allocations = frees = 0;
    REQUIRE_EQ(pthread_create(&thread, NULL, grow_and_shrink, map), 0);
    REQUIRE_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ(result, map, "it has not been cancelled");
    CHECK_GE(allocations, 1u);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(options.domain), 0);
    CHECK_EQ(source.live, 0u);
}
