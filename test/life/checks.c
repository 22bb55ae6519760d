// SPDX-License-Identifier: BSD-2-Clause
/* What must be true between two steps, when no thread but the caller is in the domain. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "test/life/life.h"
#include "test/shim/ctest.h"

/* All maps together. */
static struct rangemap_statistics count_maps(const struct life *life)
{
    struct rangemap_statistics all = {.ranges = 0};

    for (unsigned i = 0; i < LIFE_MAPS; i++) {
        struct rangemap_statistics one;

        REQUIRE_EQ(rangemap_stats(life->map[i], &one), 0);
        all.ranges += one.ranges;
        all.bytes += one.bytes;
    }
    return all;
}

static uint64_t count_ranges(const struct life *life)
{
    return count_maps(life).ranges;
}

/*
 * The most that was needed when memory was asked for. What a thread has reserved is in use, too; and what lies free
 * beside survivors in slabs of another size.
 */
void life_note_peak(void)
{
    struct life *life = life_present;
    struct rangemap_domain_statistics now;
    unsigned long long used, peak;

    if (life == NULL || rangemap_domain_stats(life->domain, &now) != 0) {
        return;
    }
    used = now.node_bytes + now.cached_bytes + now.pinned_bytes;
    peak = life->peak_bytes;
    while (used > peak && !atomic_compare_exchange_weak(&life->peak_bytes, &peak, used)) {
    }
}

/* A chunk that is added when so much is in use: a quarter of all there is, or the next size, from 64 KiB to 2 MiB. */
static uint64_t new_chunk_bytes(uint64_t used_bytes)
{
    uint64_t bytes = 64 << 10;

    while (bytes < 2 << 20 && bytes < used_bytes / 2) {
        bytes *= 2;
    }
    return bytes;
}

/* Whether the domain's requests are seen here, and with them what is in use then. Under sanitizers mappings are not. */
static bool has_peak(const struct life *life)
{
    return life->has_chunks || life_mapped_bytes() > 0;
}

/*
 * What a domain takes may not exceed what lives, by docs/memory.md, "Chunks, and what is bounded": a new chunk a
 * thread.
 */
static const char *check_chunks(struct life *life, const struct rangemap_domain_statistics *now)
{
    uint64_t books_bytes = 128 << 10, per_thread_bytes = 128 << 10, threads = life->most_threads + 1, peak;

    life_note_peak();
    peak = life->peak_bytes;
    if (has_peak(life) && now->chunk_bytes > peak + peak / 40 + books_bytes +
                                                 threads * (per_thread_bytes + new_chunk_bytes(peak))) {
        printf("chunks %" PRIu64 ", peak %" PRIu64 ", threads %u, pinned %" PRIu64 ", idle %" PRIu64 "\n",
               now->chunk_bytes, peak, life->most_threads, now->pinned_bytes, now->idle_bytes);
        return "more chunks than the most that was in use, and what threads may keep";
    }
    if (life->has_chunks && now->chunk_bytes != life_chunk_bytes()) {
        return "the chunk allocator has given another number of bytes than the domain has";
    }
    return NULL;
}

/*
 * When nothing is pending and one thread is attached: bytes by what is alive. Nodes are of maps, or lists of
 * records; free ones are known to the pool, or in the cache of that thread.
 */
static const char *check_bytes(const struct life *life, const struct rangemap_domain_statistics *now)
{
    /*
     * The domain, two tables; others, of 64 KiB for 64 chunks of 64 KiB or more, stay; headers, what no node fits in.
     */
    uint64_t cache_bytes = 128 << 10, map_bytes = 512, record_bytes = 16,
             books_bytes = (128 << 10) + life->peak_bytes / 64 + now->chunk_bytes / 40,
             parts = now->node_bytes + now->pooled_bytes + now->idle_bytes;

    if (now->node_bytes > count_maps(life).bytes + LIFE_MAPS * map_bytes + now->records * record_bytes) {
        return "nodes in use that are no map's";
    }
    if (now->cached_bytes > cache_bytes) {
        return "threads that have ended keep free nodes";
    }
    if (parts > now->chunk_bytes) {
        return "the parts of the chunks are more than the whole";
    }
    if (parts + books_bytes < now->chunk_bytes) {
        printf("chunks %" PRIu64 ", nodes %" PRIu64 ", pooled %" PRIu64 ", idle %" PRIu64 ", peak %" PRIu64
               "\n",
               now->chunk_bytes, now->node_bytes, now->pooled_bytes, now->idle_bytes,
               (uint64_t)life->peak_bytes);
        return "the parts of the chunks are less than the whole";
    }
    return NULL;
}

/* What the library has mapped for the process: records, twice as many as are in use at most, and chunks of its own. */
static const char *check_mapped(const struct life *life, const struct rangemap_domain_statistics *now)
{
    uint64_t records_bytes = 192 << 10, chunk_bytes = life->has_chunks ? 0 : now->chunk_bytes;

    return life_mapped_bytes() > records_bytes + chunk_bytes ? "more is mapped than records and chunks take"
                                                             : NULL;
}

static const char *check_threads(const struct life *life, const struct rangemap_domain_statistics *now)
{
    if (now->threads > 1) {
        return "threads that have ended count as attached";
    }
    return now->records > 2 * life->most_threads + 8 ? "more records than threads ever lived at once" : NULL;
}

static uint64_t values_waiting(const struct life *life)
{
    return life->owned - life->released - count_ranges(life);
}

static uint64_t bytes_waiting(const struct life *life)
{
    struct rangemap_domain_statistics now;

    REQUIRE_EQ(rangemap_domain_stats(life->domain, &now), 0);
    return now.pending_bytes;
}

/*
 * Without any call that asks for it, what threads left is ended by the updates of others: some dozens of values or
 * nodes in each tick of the coarse clock, until little is left.
 */
static const char *check_lag(struct life *life)
{
    enum { TICKS = 8, VALUES_A_TICK = 32, BYTES_A_TICK = VALUES_A_TICK * 128, LITTLE = 128 };
    uint64_t before = values_waiting(life), before_bytes = bytes_waiting(life), after;

    if (life->asked || before <= LITTLE) {
        return NULL;
    }
    for (unsigned i = 0; i < TICKS * 8; i++) {
        life_store(life, 0, 0, 0);
        (void)usleep(i % 8 == 0 ? 5000 : 0);
    }
    after = values_waiting(life);
    return after > LITTLE && after + TICKS * VALUES_A_TICK > before &&
                   bytes_waiting(life) + TICKS * BYTES_A_TICK > before_bytes
               ? "what threads that are gone have left is not ended"
               : NULL;
}

static const char *check_settled(struct life *life)
{
    struct rangemap_domain_statistics now;
    const char *fault;

    life_may_call_back = true;
    if (rangemap_domain_barrier(life->domain) != 0) {
        return "a barrier failed";
    }
    while (rangemap_domain_poll(life->domain) == 1) {
    }
    REQUIRE_EQ(rangemap_domain_stats(life->domain, &now), 0);
    if (now.pending_bytes != 0) {
        return "bytes are pending after a barrier";
    }
    if (life->owned - life->released != count_ranges(life)) {
        return "values released too often or not at all";
    }
    if (life->deferred != life->ran) {
        return "deferred calls that did not run, or ran twice";
    }
    fault = check_chunks(life, &now);
    fault = fault != NULL ? fault : check_bytes(life, &now);
    return fault != NULL ? fault : check_mapped(life, &now);
}

const char *life_check(struct life *life)
{
    struct rangemap_domain_statistics now;
    const char *fault;

    if (atomic_load(&life->first_fault) != NULL) {
        return life->first_fault;
    }
    REQUIRE_EQ(rangemap_domain_stats(life->domain, &now), 0);
    fault = check_threads(life, &now);
    fault = fault != NULL ? fault : check_lag(life);
    fault = fault != NULL ? fault : check_settled(life);
    if (fault == NULL && life_hidden_calls() != 0) {
        fault = "malloc was called inside a call of the library";
    }
    return fault != NULL ? fault : atomic_load(&life->first_fault);
}
