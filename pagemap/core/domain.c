// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/core/domain.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "pagemap/base/cancel.h"
#include "pagemap/base/warn.h"
#include "pagemap/pagemap.h"

static struct rangemap_domain *domain;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The sections that this thread has open by pagemap_read_lock(), to catch lookups outside of one. */
static _Thread_local unsigned depth;

struct rangemap_domain *pm_domain(void)
{
    struct rangemap_domain *made = __atomic_load_n(&domain, __ATOMIC_ACQUIRE);

    if (PM_LIKELY(made != NULL)) {
        return made;
    }
    (void)pthread_mutex_lock(&lock);
    made = domain;
    if (made == NULL && rangemap_domain_create(NULL, &made) == 0) {
        __atomic_store_n(&domain, made, __ATOMIC_RELEASE);
    }
    (void)pthread_mutex_unlock(&lock);
    return made;
}

/* Neither a teardown nor a put can report that memory is short: they come back when there is some. */
static bool again(int error)
{
    if (error == -ENOMEM) {
        (void)sched_yield();
        return true;
    }
    (void)pm_warn_on(error == -EDEADLK, "waiting for a grace period inside a read section or callback");
    return false;
}

/* pm_domain(), for a caller that cannot do without it. */
static struct rangemap_domain *await_domain(void)
{
    while (pm_domain() == NULL) {
        (void)again(-ENOMEM);
    }
    return pm_domain();
}

int pm_attach(void)
{
    struct rangemap_domain *made = pm_domain();

    return made == NULL ? -ENOMEM : rangemap_domain_attach(made);
}

void pm_attach_surely(void)
{
    while (again(pm_attach())) {
    }
}

/* These sleep, and run callbacks. */
int pm_synchronize(void)
{
    int error, cancel = pm_cancel_off();

    do {
        error = rangemap_domain_synchronize(await_domain());
    } while (again(error));
    pm_cancel_restore(cancel);
    return error;
}

void pm_defer(struct rangemap_deferred *deferred, rangemap_deferred_fn *run)
{
    int cancel = pm_cancel_off();

    while (again(rangemap_domain_defer(await_domain(), deferred, run, NULL))) {
    }
    pm_cancel_restore(cancel);
}

int pm_barrier(void)
{
    int error, cancel = pm_cancel_off();

    do {
        error = rangemap_domain_barrier(await_domain());
    } while (again(error));
    pm_cancel_restore(cancel);
    return error;
}

int pagemap_read_lock(void)
{
    struct rangemap_domain *made = pm_domain();
    int error = made == NULL ? -ENOMEM : rangemap_domain_read_begin(made);

    if (error == 0) {
        depth++;
    }
    return error;
}

void pagemap_read_unlock(void)
{
    if (!pm_warn_on(depth == 0, "pagemap_read_unlock() without pagemap_read_lock()")) {
        depth--;
        rangemap_domain_read_end(pm_domain());
    }
}

bool pagemap_read_lock_held(void)
{
    return depth > 0;
}

int pagemap_synchronize(void)
{
    return pm_synchronize();
}

int pagemap_barrier(void)
{
    return pm_barrier();
}
