// SPDX-License-Identifier: BSD-2-Clause
/* The spaces, and forks: a child has no subscriptions. */
#include "pagemap/notifier/space.h"

#include <errno.h>

#include "pagemap/base/fault.h"

struct pm_told_space pm_told_addresses = {.lock = PTHREAD_MUTEX_INITIALIZER, .seq = 1};
struct pm_told_space pm_told_physical = {.lock = PTHREAD_MUTEX_INITIALIZER, .seq = 1};

static void hold_all(void)
{
    pm_told_lock(&pm_told_addresses);
    pm_told_lock(&pm_told_physical);
}

static void release_all(void)
{
    pm_told_unlock(&pm_told_physical);
    pm_told_unlock(&pm_told_addresses);
}

static void empty_space(struct pm_told_space *space)
{
    space->root = NULL;
    space->under_way = NULL;
    space->generation++;
}

static void empty_all(void)
{
    empty_space(&pm_told_addresses);
    empty_space(&pm_told_physical);
    release_all();
}

int pm_told_handle_forks(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool is_installed;
    int error = 0;

    (void)pthread_mutex_lock(&lock);
    if (!is_installed) {
        error = pm_fault_here() ? -ENOMEM : -pthread_atfork(hold_all, release_all, empty_all);
        is_installed = error == 0;
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}

/* When the library is loaded: a fork that has begun before the handlers are there runs none of them. */
__attribute__((constructor)) static void handle_forks_from_the_start(void)
{
    (void)pm_told_handle_forks();
}
