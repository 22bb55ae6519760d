// SPDX-License-Identifier: BSD-2-Clause
/*
 * How long a test waits before it calls something a hang. A program, or a whole machine, may stand still for minutes
 * and go on: of the time between two looks only a moment counts.
 */
#ifndef TEST_CHECK_PATIENCE_H
#define TEST_CHECK_PATIENCE_H

#include <stdbool.h>

#include "test/check/crew.h"

struct patience {
    double left_seconds;
    double looked_at; /* on clock_now() */
};

static inline struct patience patience_of(double seconds)
{
    return (struct patience){seconds, clock_now()};
}

/* To be asked again and again while waiting. */
static inline bool patience_is_over(struct patience *patience)
{
    const double moment = 0.1;
    double now = clock_now(), passed = now - patience->looked_at;

    patience->looked_at = now;
    patience->left_seconds -= passed < moment ? passed : moment;
    return patience->left_seconds < 0;
}

#endif
