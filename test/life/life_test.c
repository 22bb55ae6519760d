// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "test/life/life.h"
#include "test/shim/ctest.h"

enum { LIVES = 12, LIVES_TOLD = 200, STEPS = 12, SECONDS_A_LIFE = 120 };

/* Every life by its seed: the one that failed is run alone by --seed. */
/* For runs of minutes and more. */
static void tell(uint64_t lived, uint64_t all)
{
    if (lived % LIVES_TOLD == 0 && all > LIVES_TOLD) {
        (void)fprintf(stderr, "%" PRIu64 " of %" PRIu64 " lives\n", lived, all);
    }
}

TEST_CASE(life, lives_of_processes)
{
    uint64_t lives = LIVES * (uint64_t)test_scale();

    for (uint64_t i = 0; i < lives; i++) {
        const char *fault;

        (void)alarm(SECONDS_A_LIFE); /* nothing may hang */
        fault = life_run(test_seed() + i, STEPS);
        (void)alarm(0);
        REQUIRE(fault == NULL, "life %" PRIu64 ": %s", test_seed() + i, fault);
        tell(i + 1, lives);
    }
}

enum { DOMAINS = 1000, SETTLED = 50, THREADS = 3 };

static void *store_few(void *map)
{
    for (uint64_t i = 0; i < 30; i++) {
        REQUIRE_EQ(rangemap_store(map, i, i, NULL, NULL, NULL), 0);
    }
    return NULL;
}

static void one_domain(void)
{
    struct rangemap_options options = {.domain = NULL};
    struct rangemap_domain *domain;
    struct rangemap *map;
    pthread_t thread[THREADS];

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    options.domain = domain;
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE_EQ(pthread_create(&thread[i], NULL, store_few, map), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    REQUIRE_EQ(rangemap_destroy(map), 0);
    REQUIRE_EQ(rangemap_domain_destroy(domain), 0);
}

/* What the library has mapped does not grow by a byte over domains and threads that have come and gone. */
TEST_CASE(life, nothing_is_left_of_thousands)
{
    uint64_t settled_bytes = 0;

    if (life_mapped_bytes() == 0) { /* a page is mapped when the library is loaded */
        TEST_SKIP("what is mapped is not seen here");
    }
    for (unsigned i = 0; i < DOMAINS * test_scale(); i++) {
        settled_bytes = i == SETTLED ? life_mapped_bytes() : settled_bytes;
        one_domain();
    }
    CHECK_EQ(life_mapped_bytes(), settled_bytes);
}
