// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread that is cancelled inside the library would leave locks and half-made things behind. The waits are no
 * cancellation points; where the C library has some (input and output, sleeping), cancellation is put off.
 */
#ifndef PAGEMAP_BASE_CANCEL_H
#define PAGEMAP_BASE_CANCEL_H

#include <pthread.h>

/* Returns what pm_cancel_restore() is to be given. */
static inline int pm_cancel_off(void)
{
    int before = PTHREAD_CANCEL_ENABLE;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void pm_cancel_restore(int before)
{
    (void)pthread_setcancelstate(before, &before);
}

#endif
