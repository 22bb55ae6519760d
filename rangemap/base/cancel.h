// SPDX-License-Identifier: BSD-2-Clause
/*
 * Around the caller's own functions that are called in the midst of an update. They may be cancellation points, and a
 * thread that ended there would leave an owner uncounted, and all that it had in hand (epoch/record.h).
 */
#ifndef RANGEMAP_BASE_CANCEL_H
#define RANGEMAP_BASE_CANCEL_H

#include <pthread.h>

/* Cancellation is off from then on; what it was before. */
static inline int rm_cancel_hold(void)
{
    int before = PTHREAD_CANCEL_ENABLE;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void rm_cancel_let_through(int before)
{
    (void)pthread_setcancelstate(before, NULL);
}

#endif
