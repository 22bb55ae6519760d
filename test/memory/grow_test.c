// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that find nothing at the same time: each asks for a chunk, and those that get one when another thread's is
 * there already give it back, as whole as they got it. Whoever is refused has a part of that thread's, too.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rangemap/memory/pool.h"
#include "test/check/chunk_source.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

enum { OWNER_BYTES = 4096, THREADS = 4, HOME_SLABS = 4096, FULL_CHUNKS = 11 };

static struct together {
    struct chunk_source source;
    struct rangemap_chunk_allocator allocator; /* the source's, for threads that wait for each other in it */
    struct rm_pool *pool;
    bool is_gathering, refuses;
    pthread_barrier_t all_ask;
    atomic_uint asking;
    sem_t first_is_done;
    struct rm_slab *home[HOME_SLABS], *slab[THREADS];
    unsigned home_slabs;
} together;

static _Thread_local bool has_asked, is_first;

/* All ask before one gets something; and the others get nothing before that one is done. */
static void *take_together(size_t bytes, size_t alignment, void *context)
{
    struct rangemap_chunk_allocator *source = &together.source.allocator;

    (void)context;
    if (!together.is_gathering || has_asked) {
        return source->alloc(bytes, alignment, source->context);
    }
    has_asked = true;
    is_first = atomic_fetch_add(&together.asking, 1) == 0;
    (void)pthread_barrier_wait(&together.all_ask);
    if (!is_first) {
        sem_wait(&together.first_is_done);
    }
    return is_first || !together.refuses ? source->alloc(bytes, alignment, source->context) : NULL;
}

static void give_back(void *chunk, size_t bytes, void *context)
{
    struct rangemap_chunk_allocator *source = &together.source.allocator;

    (void)context;
    source->free(chunk, bytes, source->context);
}

/* A pool without an idle slab, of so many chunks. */
static void begin(bool refuses, unsigned chunks)
{
    void *home;

    chunk_source_init(&together.source);
    together.allocator = (struct rangemap_chunk_allocator){take_together, give_back, NULL};
    together.is_gathering = false;
    together.refuses = refuses;
    together.asking = 0;
    home = rm_pool_home(&together.allocator, OWNER_BYTES);
    REQUIRE(home != NULL);
    together.pool = home;
    rm_pool_init(together.pool, &together.allocator, home, OWNER_BYTES);
    together.home_slabs = 0;
    for (unsigned i = 0; i < chunks; i++) {
        together.home[together.home_slabs] = i == 0 ? NULL : rm_pool_take_slab(together.pool, 0);
        together.home_slabs += i > 0;
        while ((together.home[together.home_slabs] = rm_pool_take_idle(together.pool)) != NULL) {
            together.home_slabs++;
            REQUIRE_LT(together.home_slabs, (unsigned)HOME_SLABS);
        }
    }
    REQUIRE_EQ(pthread_barrier_init(&together.all_ask, NULL, THREADS), 0);
    REQUIRE_EQ(sem_init(&together.first_is_done, 0, 0), 0);
    together.is_gathering = true;
}

static void take_one(unsigned index, void *context)
{
    (void)context;
    together.slab[index] = rm_pool_take_slab(together.pool, 0);
    for (unsigned i = 1; is_first && i < THREADS; i++) {
        sem_post(&together.first_is_done);
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        rm_pool_give_slab(together.pool, together.slab[i]);
    }
    for (unsigned i = 0; i < together.home_slabs; i++) {
        rm_pool_give_slab(together.pool, together.home[i]);
    }
    rm_pool_destroy(together.pool);
    CHECK_EQ(together.source.live, 0u);
    CHECK_EQ(together.source.breaches, 0u);
    (void)pthread_barrier_destroy(&together.all_ask);
    (void)sem_destroy(&together.first_is_done);
}

/* `news`: chunks for all, and tables. */
static void take_together_and_check(bool refuses, unsigned chunks, unsigned news)
{
    unsigned live;

    begin(refuses, chunks);
    live = together.source.live;
    crew_run(THREADS, take_one, NULL);
    CHECK_EQ(together.source.live, live + news, "one for all");
    CHECK_EQ(rm_pool_measure(together.pool).chunk_bytes, together.source.bytes);
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE(together.slab[i] != NULL, "thread %u has nothing, although there is a chunk", i);
        for (unsigned j = 0; j < i; j++) {
            CHECK(together.slab[i] != together.slab[j], "threads %u and %u have the same slab", i, j);
        }
    }
    finish();
}

TEST_CASE(grow, one_chunk_for_all_that_ask_at_once)
{
    take_together_and_check(false, 1, 1);
}

TEST_CASE(grow, refused_but_another_thread_was_not)
{
    take_together_and_check(true, 1, 1);
}

/* The home has a table of twelve places; eleven are taken, and the next chunk needs two. */
TEST_CASE(grow, one_table_for_all_that_ask_at_once)
{
    take_together_and_check(false, FULL_CHUNKS, 2);
}
