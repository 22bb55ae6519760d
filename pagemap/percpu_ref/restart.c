// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/percpu_ref/restart.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/pagemap.h"
#include "rangemap/rangemap.h"

bool pm_restart_is_used;

static bool membarrier_does(int command)
{
    return syscall(SYS_membarrier, command, 0, 0) == 0;
}

static bool is_registered(void)
{
    return membarrier_does(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ);
}

#if PM_HAS_RESTART
/*
 * Whether rangemap uses membarrier(2): it has not been asked to do without, nor been refused. That is settled once a
 * thread has attached; before, to ask would be to forgo it.
 */
static bool rangemap_uses_membarrier(void)
{
    if (pagemap_read_lock() != 0) {
        return false;
    }
    pagemap_read_unlock();
    return rangemap_forgo_membarrier() == -EBUSY;
}

void pm_restart_prepare(void)
{
    pm_restart_is_used = __rseq_size > 0 && rangemap_uses_membarrier() && is_registered();
}
#else
void pm_restart_prepare(void)
{
}
#endif

bool pm_restart_all(void)
{
    /* A child of a fork may have to register anew. */
    return !pm_restart_is_used || membarrier_does(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) ||
           (is_registered() && membarrier_does(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ));
}
