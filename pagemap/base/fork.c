// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/fork.h"

#include <pthread.h>
#include <sys/mman.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void hold(void)
{
    (void)pthread_mutex_lock(&lock);
}

static void release(void)
{
    (void)pthread_mutex_unlock(&lock);
}

static void add_handlers(void)
{
    (void)pm_warn_on(pthread_atfork(hold, release, release) != 0,
                     "no memory for pthread_atfork(): a child may have views");
}

/* When it is loaded: a fork that is under way when handlers are added does not wait for them. */
__attribute__((constructor)) static void install_fork_handlers(void)
{
    (void)pthread_once(&once, add_handlers);
}

void pm_fork_hold(void)
{
    install_fork_handlers(); /* for a program that uses the library in a constructor of its own */
    hold();
}

void pm_fork_release(void)
{
    release();
}

bool pm_fork_exclude(void *address, size_t bytes)
{
    const int reserved = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;

    if (!pm_fault_here() && madvise(address, bytes, MADV_DONTFORK) == 0) {
        return true;
    }
    if (mmap(address, bytes, PROT_NONE, reserved, -1, 0) == MAP_FAILED) {
        (void)pm_warn_on(mprotect(address, bytes, PROT_NONE) != 0, "a child may have a view");
    }
    return false;
}
