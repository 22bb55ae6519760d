// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* syscall */
#include "rangemap/checked/thread.h"
#include "rangemap/checked/callbacks.h"
#include "rangemap/checked/value.h"

#if defined(RM_IS_CHECKED)
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic(struct rm_checked_thread *) checked_threads;
static _Atomic(const struct rangemap_domain *) checked_default;
static __thread struct rm_checked_thread *checked_self;
static pthread_key_t checked_leaving;

uint64_t rm_checked_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* A destructor may still end what the thread began: only the last round of destructors tells. */
static void leave_checked(void *its_record)
{
    struct rm_checked_thread *thread = its_record;

    if (++thread->destructor_rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
        (void)pthread_setspecific(checked_leaving, thread);
        return;
    }
    if (atomic_load(&thread->open) > 0) {
        rm_checked_stop(&(struct rm_checked_fault){.thread = thread,
                                                   .advice = "End every section before the thread ends: "
                                                             "it holds up all reclamation of its domain."},
                        "thread %d exits inside a read section", atomic_load(&thread->tid));
    }
    checked_self = NULL;
    atomic_store(&thread->taken, false);
}

/* In the child of a fork, where the calling thread is the only one. */
static void begin_fork_child(void)
{
    struct rm_checked_thread *thread = atomic_load(&checked_threads);

    for (; thread != NULL; thread = atomic_load(&thread->next)) {
        atomic_store(&thread->taken, thread == checked_self);
    }
    if (checked_self != NULL) {
        atomic_store(&checked_self->tid, (int)syscall(SYS_gettid));
    }
    rm_checked_values_fork_child();
    rm_checked_kept_fork_child();
}

/* Early, so that the key is one of those for which pthread_setspecific() needs no malloc. */
__attribute__((constructor)) static void begin_checked_mode(void)
{
    (void)pthread_key_create(&checked_leaving, leave_checked);
    (void)pthread_atfork(NULL, NULL, begin_fork_child);
    rm_checked_settings_read();
}

static struct rm_checked_thread *free_checked_thread(void)
{
    struct rm_checked_thread *thread = atomic_load(&checked_threads);

    for (; thread != NULL; thread = atomic_load(&thread->next)) {
        bool expected = false;

        if (atomic_compare_exchange_strong(&thread->taken, &expected, true)) {
            return thread;
        }
    }
    return NULL;
}

static struct rm_checked_thread *new_checked_thread(void)
{
    struct rm_checked_thread *thread, *first = atomic_load(&checked_threads);
    /* Not mmap(), which may be a function of the program's that uses a map. */
    long pages =
        syscall(SYS_mmap, NULL, sizeof *thread, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);

    if (pages == -1) {
        abort();
    }
    thread = (struct rm_checked_thread *)(uintptr_t)pages;
    atomic_init(&thread->taken, true);
    do {
        atomic_store(&thread->next, first);
    } while (!atomic_compare_exchange_weak(&checked_threads, &first, thread));
    return thread;
}

/* Takes the record over for the calling thread. */
static void adopt(struct rm_checked_thread *thread)
{
    atomic_store(&thread->open, 0);
    for (unsigned i = 0; i < RM_CHECKED_SECTIONS; i++) {
        atomic_store(&thread->section[i].map, NULL);
        atomic_store(&thread->section[i].begun_ns, 0);
    }
    atomic_store(&thread->tid, (int)syscall(SYS_gettid));
    atomic_store(&thread->inside_of, NULL);
    atomic_store(&thread->pure, 0);
    thread->destructor_rounds = 0;
    thread->seen_count = 0;
    thread->reserved_map = NULL;
}

struct rm_checked_thread *rm_checked_self(void)
{
    if (checked_self == NULL) {
        struct rm_checked_thread *thread = free_checked_thread();

        thread = thread != NULL ? thread : new_checked_thread();
        adopt(thread);
        checked_self = thread;
        (void)pthread_setspecific(checked_leaving, thread);
    }
    return checked_self;
}

/* Whether the thread lives: not so in the child of a fork, by whatever call, that the others have not come to. */
static bool is_there(const struct rm_checked_thread *thread)
{
    int error = errno;
    bool there =
        atomic_load(&thread->taken) && syscall(SYS_tgkill, getpid(), atomic_load(&thread->tid), 0) == 0;

    errno = error;
    return there;
}

static struct rm_checked_thread *taken_from(struct rm_checked_thread *thread)
{
    while (thread != NULL && !is_there(thread)) {
        thread = atomic_load(&thread->next);
    }
    return thread;
}

struct rm_checked_thread *rm_checked_first_thread(void)
{
    return taken_from(atomic_load(&checked_threads));
}

struct rm_checked_thread *rm_checked_next_thread(struct rm_checked_thread *thread)
{
    return taken_from(atomic_load(&thread->next));
}

void rm_checked_learn_default(const struct rangemap_domain *domain)
{
    atomic_store(&checked_default, domain);
}

const struct rangemap_domain *rm_checked_domain(const struct rangemap_domain *domain)
{
    return domain == atomic_load(&checked_default) ? NULL : domain;
}
#endif
