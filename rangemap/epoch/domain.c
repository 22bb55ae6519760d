// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "rangemap/epoch/domain.h"

#include <errno.h>
#include <sys/mman.h>

#include "rangemap/epoch/grace.h"
#include "rangemap/epoch/reclaim.h"
#include "rangemap/epoch/section.h"

enum { POLL_BUDGET = 256 };

static rm_word default_domain;

static struct rangemap_domain *new_domain(const struct rangemap_domain_options *options)
{
    static const struct rangemap_domain_options none;
    struct rangemap_domain *domain =
        mmap(NULL, sizeof *domain, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (domain == MAP_FAILED) {
        return NULL;
    }
    if (options == NULL) {
        options = &none;
    }
    rm_leak_root_add(domain, sizeof *domain); /* its shards lead to deferred objects of the caller */
    ck_epoch_init(&domain->epoch);
    rm_pool_init(&domain->pool, options->chunks);
    domain->soft_limit_bytes = options->soft_limit_bytes;
    domain->hard_limit_bytes = options->hard_limit_bytes;
    domain->pressure = options->pressure;
    domain->context = options->context;
    ck_epoch_register(&domain->epoch, &domain->poller.record, NULL);
    for (unsigned i = 0; i < RM_SHARDS; i++) {
        rm_shard_init(&domain->shard[i], domain);
    }
    return domain;
}

static void free_domain(struct rangemap_domain *domain)
{
    rm_pool_destroy(&domain->pool);
    rm_leak_root_remove(domain, sizeof *domain);
    (void)munmap(domain, sizeof *domain);
}

/* Racing first users each make one; the losers free theirs. */
static RM_NOINLINE struct rangemap_domain *make_default(void)
{
    struct rangemap_domain *domain = new_domain(NULL);

    if (domain != NULL && !rm_cas_full(&default_domain, 0, rm_pointer_bits(domain))) {
        free_domain(domain);
    }
    return rm_load_pointer(&default_domain);
}

uint64_t rm_pending_bytes(const struct rangemap_domain *domain)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < RM_SHARDS; i++) {
        sum += rm_load_relaxed(&domain->shard[i].pending_bytes);
    }
    return sum;
}

struct rangemap_domain *rm_domain_or_default(struct rangemap_domain *domain)
{
    if (domain == NULL) {
        domain = rm_load_pointer(&default_domain);
    }
    return domain != NULL ? domain : make_default();
}

int rangemap_domain_create(const struct rangemap_domain_options *options, struct rangemap_domain **domain)
{
    const struct rangemap_chunk_allocator *chunks = options != NULL ? options->chunks : NULL;
    struct rangemap_domain *made;

    if (domain == NULL || (chunks != NULL && (chunks->alloc == NULL || chunks->free == NULL))) {
        return -EINVAL;
    }
    made = new_domain(options);
    if (made == NULL) {
        return -ENOMEM;
    }
    *domain = made;
    return 0;
}

int rangemap_domain_destroy(struct rangemap_domain *domain)
{
    int result;

    if (domain == NULL || domain == rm_load_pointer(&default_domain)) {
        return -EINVAL;
    }
    if (rm_load_acquire(&domain->maps) != 0) {
        return -EBUSY;
    }
    do { /* callbacks may have deferred again */
        result = rangemap_domain_barrier(domain);
    } while (result == 0 && !rm_reclaim_is_empty(domain));
    if (result != 0) {
        return result;
    }
    rm_thread_release_all(domain);
    free_domain(domain);
    return 0;
}

/* The calling thread's record in *domain, which NULL makes the default; NULL if out of memory. */
static struct rm_thread *enter_domain(struct rangemap_domain *domain)
{
    domain = rm_domain_or_default(domain);
    return domain != NULL ? rm_thread_current(domain) : NULL;
}

int rangemap_domain_attach(struct rangemap_domain *domain)
{
    return enter_domain(domain) != NULL ? 0 : -ENOMEM;
}

int rangemap_domain_detach(struct rangemap_domain *domain)
{
    domain = rm_domain_or_default(domain);
    return domain != NULL ? rm_thread_detach(domain) : -ENOMEM;
}

int rangemap_domain_read_begin(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    rm_section_enter(thread);
    return 0;
}

void rangemap_domain_read_end(struct rangemap_domain *domain)
{
    domain = rm_domain_or_default(domain);
    if (domain != NULL) {
        rm_section_end_checked(rm_thread_existing(domain));
    }
}

/* What struct rangemap_deferred is inside. */
struct deferred {
    struct rm_garbage garbage;
    rangemap_deferred_fn *run;
};

_Static_assert(sizeof(struct deferred) <= sizeof(struct rangemap_deferred), "deferred must fit");

static bool dispose_deferred(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct deferred *deferred = RM_CONTAINER_OF(garbage, struct deferred, garbage);

    (void)thread;
    *budget -= 1;
    deferred->run((struct rangemap_deferred *)(void *)deferred);
    return true;
}

int rangemap_domain_defer(struct rangemap_domain *domain, struct rangemap_deferred *deferred,
                          rangemap_deferred_fn *run)
{
    struct deferred *object = (struct deferred *)(void *)deferred;
    struct rm_thread *thread;

    if (deferred == NULL || run == NULL) {
        return -EINVAL;
    }
    thread = enter_domain(domain);
    if (thread == NULL) {
        return -ENOMEM;
    }
    object->garbage.dispose = dispose_deferred;
    object->run = run;
    rm_reclaim_submit(thread, &object->garbage, 1);
    rm_reclaim_share(thread);
    return 0;
}

static void close_bag(struct rm_thread *thread)
{
    rm_busy_enter(thread);
    rm_retire_close(thread);
    rm_busy_leave(thread);
}

int rangemap_domain_poll(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    if (thread->busy == 0) {
        close_bag(thread);
    }
    return rm_reclaim_poll(thread, POLL_BUDGET);
}

static bool may_not_wait(const struct rm_thread *thread)
{
    return rm_section_is_open(thread) || thread->reclaiming;
}

int rangemap_domain_synchronize(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    if (may_not_wait(thread)) {
        return -EDEADLK;
    }
    return rm_grace_wait(thread->domain);
}

int rangemap_domain_barrier(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    if (may_not_wait(thread)) {
        return -EDEADLK;
    }
    close_bag(thread);
    return rm_reclaim_barrier(thread);
}
