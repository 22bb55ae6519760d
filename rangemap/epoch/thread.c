// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* syscall */
#include "rangemap/epoch/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/epoch/retire.h"
#include "rangemap/epoch/section.h"

/* Belongs to no domain: what threads without a record have as their last one. */
static struct rm_thread no_thread;

_Thread_local struct rm_thread *rm_thread_last __attribute__((tls_model("initial-exec"))) = &no_thread;

/* This thread's records. Written by single stores, so that its signal handlers can walk it. */
static _Thread_local struct rm_thread *own_records __attribute__((tls_model("initial-exec")));

struct rm_stack rm_thread_all;

static struct rm_stack free_records; /* rm_thread.of_domain, which no domain uses then */
static rm_word exit_key;             /* pthread key + 1; 0: not made yet */
static rm_word fork_handled;         /* 1: the fork handler is installed, or is being */
static rm_word next_index;

int rm_gettid(void)
{
    return (int)syscall(SYS_gettid);
}

static void forget_record(struct rm_thread *thread)
{
    struct rm_thread **link = &own_records;

    while (*link != NULL && *link != thread) {
        link = &(*link)->next_of_thread;
    }
    if (*link != NULL) {
        *link = thread->next_of_thread;
    }
    if (rm_thread_last == thread) {
        rm_thread_last = &no_thread;
    }
}

static void free_record(struct rm_thread *thread)
{
    rm_store_release(&thread->state, RM_THREAD_FREE);
    rm_stack_push(&free_records, &thread->of_domain);
}

/* The owner gives its record up: garbage goes to a shard, nodes to the pool, the record to the next. */
static void park(struct rm_thread *thread)
{
    forget_record(thread);
    if (!rm_cas_full(&thread->state, RM_THREAD_ATTACHED, RM_THREAD_PARKING)) {
        free_record(thread); /* an orphan: the domain is gone */
        return;
    }
    /* A thread that exits inside a section reads no more. */
    ck_pr_store_uint(&thread->section.active, 0);
    rm_retire_close(thread);
    rm_cache_flush(&thread->cache, &thread->domain->pool);
    rm_store_release(&thread->state, RM_THREAD_PARKED);
}

static void on_thread_exit(void *unused)
{
    (void)unused;
    while (own_records != NULL) {
        park(own_records);
    }
}

/*
 * Makes the key whose destructor parks records, and installs the fork handler, once per process. Not
 * pthread_once: a thread stopped inside would hold up all others. A loser of the race deletes its key.
 */
static bool prepare_process(void)
{
    pthread_key_t key;

    rm_fence_prepare();
    if (rm_load_acquire(&fork_handled) == 0 && rm_cas_full(&fork_handled, 0, 1) &&
        pthread_atfork(NULL, NULL, rm_fork_child) != 0) {
        rm_store_release(&fork_handled, 0);
        return false;
    }
    if (rm_load_acquire(&exit_key) != 0) {
        return true;
    }
    if (pthread_key_create(&key, on_thread_exit) != 0) {
        return false;
    }
    if (!rm_cas_full(&exit_key, 0, (uint64_t)key + 1)) {
        (void)pthread_key_delete(key);
    }
    return true;
}

static struct rm_thread *adopt_parked(struct rangemap_domain *domain)
{
    struct rm_link *link = rm_load_pointer(&domain->threads.head);

    for (; link != NULL; link = link->next) {
        struct rm_thread *thread = RM_CONTAINER_OF(link, struct rm_thread, of_domain);

        if (rm_load_relaxed(&thread->state) == RM_THREAD_PARKED &&
            rm_cas_full(&thread->state, RM_THREAD_PARKED, RM_THREAD_ATTACHED)) {
            return thread;
        }
    }
    return NULL;
}

static struct rm_thread *map_record(void)
{
    struct rm_thread *thread =
        mmap(NULL, sizeof *thread, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (thread == MAP_FAILED) {
        return NULL;
    }
    rm_stack_push(&rm_thread_all, &thread->of_process);
    return thread;
}

static struct rm_thread *new_record(struct rangemap_domain *domain)
{
    struct rm_link *link = rm_stack_take_one(&free_records);
    struct rm_thread *thread =
        link != NULL ? RM_CONTAINER_OF(link, struct rm_thread, of_domain) : map_record();

    if (thread == NULL) {
        return NULL;
    }
    thread->domain = domain;
    thread->bag = NULL;
    thread->committed_bag = NULL;
    thread->committed = 0;
    thread->shard = (unsigned)rm_add_relaxed(&next_index, 1) % RM_SHARDS;
    rm_store_relaxed(&thread->retries, 0);
    memset(&thread->cache, 0, sizeof thread->cache);
    rm_store_release(&thread->state, RM_THREAD_ATTACHED);
    ck_epoch_register(&domain->epoch, &thread->section, NULL);
    (void)rm_add_relaxed(&domain->records, 1);
    rm_stack_push(&domain->threads, &thread->of_domain);
    return thread;
}

/* Gives back records whose domain was destroyed since. */
static void drop_orphans(void)
{
    struct rm_thread *thread = own_records;

    while (thread != NULL) {
        struct rm_thread *next = thread->next_of_thread;

        if (rm_load_acquire(&thread->state) == RM_THREAD_ORPHAN) {
            forget_record(thread);
            free_record(thread);
        }
        thread = next;
    }
}

static struct rm_thread *attach(struct rangemap_domain *domain)
{
    struct rm_thread *thread;

    if (!prepare_process()) {
        return NULL;
    }
    drop_orphans();
    thread = adopt_parked(domain);
    if (thread == NULL) {
        thread = new_record(domain);
    }
    if (thread == NULL) {
        return NULL;
    }
    thread->busy = 0;
    thread->reclaiming = false;
    thread->unvisited = 0;
    thread->unpolled = 0;
    rm_light_init(thread);
    rm_store_relaxed(&thread->tid, (uint64_t)rm_gettid());
    thread->next_of_thread = own_records;
    __atomic_signal_fence(__ATOMIC_RELEASE); /* linked before a signal handler can find it */
    own_records = thread;
    rm_thread_last = thread;
    if (pthread_setspecific((pthread_key_t)(rm_load_acquire(&exit_key) - 1), thread) != 0) {
        park(thread); /* nobody would at the thread's exit */
        return NULL;
    }
    return thread;
}

struct rm_thread *rm_thread_existing(struct rangemap_domain *domain)
{
    struct rm_thread *thread = own_records;

    while (thread != NULL && thread->section.global != &domain->epoch) {
        thread = thread->next_of_thread;
    }
    return thread;
}

struct rm_thread *rm_thread_find(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_thread_existing(domain);

    if (thread != NULL) {
        rm_thread_last = thread;
        return thread;
    }
    return attach(domain);
}

bool rm_thread_is_own(const struct rm_thread *thread)
{
    const struct rm_thread *own = own_records;

    while (own != NULL && own != thread) {
        own = own->next_of_thread;
    }
    return own != NULL;
}

int rm_thread_detach(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_thread_existing(domain);

    if (thread == NULL) {
        return 0;
    }
    if (rm_section_is_open(thread) || thread->reclaiming || thread->busy > 0) {
        return -EBUSY;
    }
    park(thread);
    return 0;
}

static void release_record(struct rm_thread *thread)
{
    for (;;) {
        if (rm_cas_full(&thread->state, RM_THREAD_PARKED, RM_THREAD_FREE)) {
            thread->section.global = NULL;
            rm_stack_push(&free_records, &thread->of_domain);
            return;
        }
        if (rm_load_acquire(&thread->state) == RM_THREAD_ATTACHED) {
            /* Its owner compares this pointer only; it never follows it again. */
            ck_pr_store_ptr(&thread->section.global, NULL);
            if (rm_cas_full(&thread->state, RM_THREAD_ATTACHED, RM_THREAD_ORPHAN)) {
                return;
            }
        }
        (void)sched_yield(); /* PARKING: its thread is exiting right now */
    }
}

void rm_thread_release_all(struct rangemap_domain *domain)
{
    struct rm_link *link = rm_stack_take_all(&domain->threads);

    while (link != NULL) {
        struct rm_link *next = link->next;

        release_record(RM_CONTAINER_OF(link, struct rm_thread, of_domain));
        link = next;
    }
}

#if defined(RANGEMAP_EXPLORER)
struct rm_thread *rm_thread_become(struct rm_thread *thread)
{
    struct rm_thread *before = own_records;

    own_records = thread;
    rm_thread_last = thread != NULL ? thread : &no_thread;
    return before;
}
#endif
