// SPDX-License-Identifier: BSD-2-Clause
/* Plugins that have the library inside are opened, used by threads, and closed: nothing of them stays mapped. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/base/compiler.h"
#include "test/life/plugin.h"
#include "test/shim/ctest.h"

/* Noise of the C library: stacks that it keeps, its own arenas. */
enum { CYCLES = 1000, SETTLES = 50, THREADS = 3, NOISE_BYTES = 1 << 20 };

struct user {
    struct plugin *plugin;
    uint64_t seed;
    const char *fault;
    sem_t used, may_end;
};

static void *use(void *context)
{
    struct user *user = context;

    user->fault = user->plugin->use(user->seed);
    return NULL;
}

/* Threads that use the plugin and end: at the same time, or each before the next. Then the caller uses it, too. */
static void use_and_close(uint64_t seed, enum rm_rule broken)
{
    struct user user[THREADS];
    pthread_t thread[THREADS];
    struct plugin plugin;

    plugin_open(&plugin, broken);
    for (unsigned i = 0; i < THREADS; i++) {
        user[i] = (struct user){.plugin = &plugin, .seed = seed * THREADS + i};
        REQUIRE_EQ(pthread_create(&thread[i], NULL, use, &user[i]), 0);
        if (seed % 2 == 0) {
            (void)pthread_join(thread[i], NULL);
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        if (seed % 2 != 0) {
            (void)pthread_join(thread[i], NULL);
        }
        CHECK_STR_EQ(user[i].fault, NULL);
    }
    if (seed % 3 == 0) {
        CHECK_STR_EQ(plugin.use(seed), NULL);
    }
    plugin_close(&plugin);
}

/* How much more is mapped after so many cycles. */
static uint64_t growth(unsigned cycles, enum rm_rule broken)
{
    uint64_t before, after;

    for (unsigned i = 0; i < SETTLES; i++) {
        use_and_close(test_seed() + i, RM_NO_RULE);
    }
    before = plugin_mapped_bytes();
    for (unsigned i = 0; i < cycles; i++) {
        use_and_close(test_seed() + i, broken);
    }
    after = plugin_mapped_bytes();
    return after > before ? after - before : 0;
}

/* The sanitizers map memory of their own. */
static void skip_if_sanitized(void)
{
#if defined(RM_ASAN) || defined(RM_TSAN)
    TEST_SKIP("what is mapped is the sanitizer's");
#endif
}

TEST_CASE(plugin, a_thousand_times_open_and_closed)
{
    skip_if_sanitized();
    CHECK_LE(growth(CYCLES * test_scale(), RM_NO_RULE), (uint64_t)NOISE_BYTES);
}

#if defined(RANGEMAP_MUTANTS)
TEST_CASE(plugin, what_stays_mapped_would_be_noticed)
{
    skip_if_sanitized();
    CHECK_GT(growth(CYCLES / 10, RM_LIFE_UNLOAD), (uint64_t)NOISE_BYTES);
}
#endif

static void *use_for_ever(void *context)
{
    struct user *user = context;

    for (;;) {
        (void)user->plugin->use(user->seed++);
        user->plugin->detach();
    }
    return NULL;
}

/* At exit nothing is taken from threads that are still at work. */
TEST_CASE(plugin, exit_beside_its_threads)
{
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();
        int status = 0;

        REQUIRE_GE(child, 0);
        if (child == 0) {
            static struct plugin plugin;
            static struct user user = {.plugin = &plugin};
            pthread_t thread;

            plugin_open(&plugin, RM_NO_RULE);
            REQUIRE_EQ(pthread_create(&thread, NULL, use_for_ever, &user), 0);
            (void)usleep(1000 + i * 100);
            exit(0);
        }
        REQUIRE_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
}

#if defined(RANGEMAP_MUTANTS)
static void *use_and_stay(void *context)
{
    struct user *user = context;

    user->fault = user->plugin->use(user->seed);
    (void)sem_post(&user->used);
    (void)sem_wait(&user->may_end);
    return NULL;
}

/* A thread that lives on is in the way, unless the caller knows better. */
TEST_CASE(plugin, a_thread_that_stays)
{
    struct plugin plugin;
    struct user user = {.plugin = &plugin, .seed = test_seed()};
    pthread_t thread;

    plugin_open(&plugin, RM_NO_RULE);
    REQUIRE_EQ(sem_init(&user.used, 0, 0), 0);
    REQUIRE_EQ(sem_init(&user.may_end, 0, 0), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, use_and_stay, &user), 0);
    (void)sem_wait(&user.used);
    CHECK_STR_EQ(user.fault, NULL);
    CHECK_STR_EQ(plugin.use(test_seed()), NULL);
    CHECK_EQ(plugin.unload(false), -EBUSY);
    CHECK_EQ(plugin.unload(true), 0);
    CHECK_STR_EQ(plugin.use(test_seed()), NULL, "the library works again");
    CHECK_EQ(plugin.unload(false), 0);
    plugin_close(&plugin);
    (void)sem_post(&user.may_end);
    (void)pthread_join(thread, NULL);
}
#endif
