// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/mapping/tables.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "pagemap/base/atomic.h"
#include "pagemap/base/fault.h"

static struct pm_tables tables;
static const struct pm_tables *ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

const struct pm_tables *pm_tables(void)
{
    return __atomic_load_n(&ready, __ATOMIC_ACQUIRE);
}

static void retain_association(void *association, void *context)
{
    (void)context;
    (void)pm_add_full(&((struct pm_association *)association)->entries, 1);
}

static void release_association(void *association, void *context)
{
    (void)context;
    if (pm_sub_full(&((struct pm_association *)association)->entries, 1) == 1) {
        free(association);
    }
}

/* What was made before a failure stays for the next attempt. */
static int create(struct rangemap **table, const struct rangemap_options *options)
{
    if (*table != NULL) {
        return 0;
    }
    return pm_fault_here() ? -ENOMEM : rangemap_create(options, table);
}

static int create_all(const struct rangemap_options *owned, const struct rangemap_options *plain)
{
    int error = create(&tables.associations, owned);

    if (error != 0) {
        return error;
    }
    error = create(&tables.views, plain);
    return error != 0 ? error : create(&tables.present, plain);
}

int pm_tables_create(struct rangemap_domain *domain)
{
    struct rangemap_options plain = {.domain = domain}, owned = plain;
    int error;

    owned.release = release_association;
    owned.retain = retain_association;
    (void)pthread_mutex_lock(&lock);
    error = create_all(&owned, &plain);
    if (error == 0) {
        __atomic_store_n(&ready, &tables, __ATOMIC_RELEASE);
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}
