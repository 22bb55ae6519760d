// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "test/stop/subject.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/stop/operate.h"

enum { CHILD_OPERATIONS = 3000, CHILD_SECONDS = 60 };

static struct subject *shared;
static struct rangemap_domain *domain;
static struct rangemap *map;
static atomic_int released;

static void release(void *value, void *context)
{
    (void)value;
    (void)context;
    atomic_fetch_add_explicit(&released, 1, memory_order_relaxed);
}

/* ---- the child, in which the other threads do not exist ---- */

static bool child_operates(unsigned round)
{
    struct prng random = prng_stream(shared->seed, 1000 + round);

    for (unsigned i = 0; i < CHILD_OPERATIONS; i++) {
        if (operate(map, &random) != 0) {
            return false;
        }
    }
    return rangemap_validate(map, NULL, 0) == 0;
}

static void *second_thread(void *round)
{
    return child_operates(1 + *(const unsigned *)round) ? round : NULL;
}

/* SIG_BLOCK or SIG_UNBLOCK. A thread that is traced would stop at a signal, the end of its child among them. */
static void mask_signals(int how)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(how, &all, NULL);
}

/* It has the maps left that the other threads were just making or destroying. */
static bool end_domain(void)
{
    struct rangemap_domain_statistics statistics;
    int wanted;

    if (rangemap_domain_stats(domain, &statistics) != 0 || statistics.maps >= SUBJECT_THREADS) {
        return false;
    }
    wanted = statistics.maps == 0 ? 0 : -EBUSY;
    return rangemap_domain_destroy(domain) == wanted;
}

/* Everything, down to the end of the domain. The number of the step that failed. */
static int child_main(unsigned round)
{
    pthread_t thread;
    void *result;

    mask_signals(SIG_UNBLOCK);
    alarm(CHILD_SECONDS);
    if (!child_operates(round)) {
        return 1;
    }
    if (rangemap_domain_synchronize(domain) != 0) {
        return 2;
    }
    if (pthread_create(&thread, NULL, second_thread, &round) || pthread_join(thread, &result) || !result) {
        return 3;
    }
    if (rangemap_domain_barrier(domain) != 0) {
        return 4;
    }
    if (rangemap_destroy(map) != 0) {
        return 5;
    }
    return end_domain() ? 0 : 6;
}

static void fork_child(unsigned round)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        _exit(child_main(round));
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        atomic_store(&shared->child_step, 100);
    } else if (status != 0) {
        atomic_store(&shared->child_step, WIFEXITED(status) ? WEXITSTATUS(status) : 200 + WTERMSIG(status));
    }
}

/* ---- threads ---- */

static void *thread_main(void *argument)
{
    struct subject_thread *self = argument;
    unsigned index = (unsigned)(self - shared->thread);
    struct prng random = prng_stream(shared->seed, index);
    unsigned forks;
    int bad;

    self->tid = (int)syscall(SYS_gettid);
    while (!shared->leave) {
        atomic_store_explicit(&self->inside, true, memory_order_release);
        if ((bad = operate(map, &random)) != 0) {
            shared->bad = bad;
        }
        atomic_store_explicit(&self->inside, false, memory_order_release);
        atomic_fetch_add_explicit(&self->done, 1, memory_order_relaxed);
        if (index == 0 && (forks = shared->forks_done) != shared->forks_wanted) {
            fork_child(forks);
            shared->forks_done = forks + 1;
        }
    }
    return NULL;
}

static int subject_main(void)
{
    struct rangemap_options options = {.release = release, .track_gaps = shared->tracks_gaps};
    pthread_t thread[SUBJECT_THREADS];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    mask_signals(SIG_BLOCK);
    if (rangemap_domain_create(NULL, &domain) != 0) {
        return 10;
    }
    options.domain = domain;
    if (rangemap_create(&options, &map) != 0) {
        return 11;
    }
    for (unsigned i = 0; i < SUBJECT_THREADS; i++) {
        if (pthread_create(&thread[i], NULL, thread_main, &shared->thread[i]) != 0) {
            return 12;
        }
    }
    for (unsigned i = 0; i < SUBJECT_THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    if (rangemap_validate(map, NULL, 0) != 0) {
        return 13;
    }
    return rangemap_destroy(map) != 0 || rangemap_domain_destroy(domain) != 0 ? 14 : 0;
}

/* ---- its parent's side ---- */

struct subject *subject_start(uint64_t seed, bool tracks_gaps)
{
    pid_t process;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return NULL;
    }
    shared->seed = seed;
    shared->tracks_gaps = tracks_gaps;
    (void)fflush(NULL);
    process = fork();
    if (process == 0) {
        _exit(subject_main());
    }
    shared->process = process;
    for (unsigned i = 0; process > 0 && i < SUBJECT_THREADS; i++) {
        while (shared->thread[i].done < 10) {
            usleep(1000);
            if (waitpid(process, NULL, WNOHANG) != 0) {
                return NULL;
            }
        }
    }
    return process > 0 ? shared : NULL;
}

int subject_end(struct subject *subject)
{
    int status = -1;

    subject->leave = true;
    if (waitpid(subject->process, &status, 0) != subject->process) {
        return -1;
    }
    munmap(subject, sizeof *subject);
    return status;
}

void subject_kill(struct subject *subject)
{
    pid_t ended;

    kill(subject->process, SIGKILL);
    do { /* threads that are traced end one by one, for their tracer */
        ended = waitpid(-1, NULL, __WALL);
    } while (ended > 0 && ended != subject->process);
}
