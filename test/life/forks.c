// SPDX-License-Identifier: BSD-2-Clause
/* The process forks, alone or beside threads at work; its children go on with the maps, or do not care. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/life/life.h"
#include "test/shim/ctest.h"

enum { HANGS_AFTER_SECONDS = 30 };

/*
 * Whatever others had in hand is not its concern. `may_wait`: what waits may be ended, of which some needs malloc's
 * locks.
 */
static int go_on(struct life *life, bool may_wait)
{
    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(HANGS_AFTER_SECONDS);
    for (unsigned i = 0; i < 100; i++) {
        life_store(life, 0, i, i + 3);
    }
    life_may_call_back = true;
    if (may_wait && rangemap_domain_barrier(life->domain) != 0) {
        return 2;
    }
    return rangemap_validate(life->map[0], NULL, 0) == 0 && atomic_load(&life->first_fault) == NULL ? 0 : 1;
}

static pid_t fork_and_go_on(struct life *life)
{
    pid_t child = fork();

    if (child == 0) {
        _exit(go_on(life, true));
    }
    return child;
}

static pid_t fork_and_say_so_again(struct life *life)
{
    pid_t child = fork();

    if (child == 0) {
        rangemap_after_fork_in_child();
        _exit(go_on(life, true));
    }
    return child;
}

static pid_t fork_and_exit(struct life *life)
{
    pid_t child = fork();

    (void)life;
    if (child == 0) {
        _exit(0);
    }
    return child;
}

/*
 * Not through libc: no handler runs. Nor are malloc's locks taken care of. ThreadSanitizer is not told either, and
 * takes what threads of the parent did for races.
 */
static pid_t clone_and_go_on(struct life *life)
{
#if defined(__SANITIZE_THREAD__)
    pid_t child = fork();
#else
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L, 0L);
#endif

    if (child == 0) {
        life_frees_nothing = true;
        rangemap_after_fork_in_child();
        _exit(go_on(life, false));
    }
    return child;
}

/* It shares the memory: what is a child's duty elsewhere must do nothing here. */
static pid_t vfork_and_say_so(struct life *life)
{
    pid_t child = vfork();

    (void)life;
    if (child == 0) {
        rangemap_after_fork_in_child();
        _exit(0);
    }
    return child;
}

static void one_fork(struct life *life)
{
    static pid_t (*const ways[])(struct life *) = {fork_and_go_on, fork_and_say_so_again, fork_and_exit,
                                                   clone_and_go_on, vfork_and_say_so};
    pid_t child = ways[prng_below(&life->prng, sizeof ways / sizeof ways[0])](life);
    int status = 0;

    REQUIRE_GT(child, 0);
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    if (status != 0) {
        life_fault(life, "the child of a fork did not get on");
    }
}

struct busy {
    struct life *life;
    uint64_t seed;
    atomic_bool is_over;
};

static void *be_busy(void *context)
{
    struct busy *busy = context;
    struct prng prng = prng_stream(busy->seed, 0);

    while (!busy->is_over) {
        life_act(busy->life, &prng);
    }
    return NULL;
}

/* Until one of the busy threads is in a callback, or for a while: some lives have none. */
static void hold_a_callback(struct life *life)
{
    unsigned wanted = LIFE_HOLD_WANTED;

    life->hold = wanted;
    for (unsigned i = 0; i < 100 && life->hold != LIFE_HOLD_HOLDS; i++) {
        (void)usleep(500);
    }
    (void)atomic_compare_exchange_strong(&life->hold, &wanted, LIFE_HOLD_NONE);
}

void life_fork(struct life *life)
{
    unsigned count = (unsigned)prng_below(&life->prng, LIFE_CREW);
    struct busy busy[LIFE_CREW];
    pthread_t thread[LIFE_CREW];

    for (unsigned i = 0; i < count; i++) {
        busy[i] = (struct busy){.life = life, .seed = prng_next(&life->prng)};
        REQUIRE_EQ(pthread_create(&thread[i], NULL, be_busy, &busy[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        if (count > 0 && i % 2 == 0) {
            hold_a_callback(life);
        }
        one_fork(life);
        life->hold = LIFE_HOLD_NONE;
        (void)usleep((unsigned)prng_below(&life->prng, 500));
    }
    for (unsigned i = 0; i < count; i++) {
        busy[i].is_over = true;
        (void)pthread_join(thread[i], NULL);
    }
    life->most_threads = life->most_threads > count ? life->most_threads : count;
}
