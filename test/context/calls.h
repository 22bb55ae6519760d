// SPDX-License-Identifier: BSD-2-Clause
/* Every public function, called once as it may be called. */
#ifndef TEST_CONTEXT_CALLS_H
#define TEST_CONTEXT_CALLS_H

#include "test/context/stage.h"

enum call_needs {
    NEEDS_NOTHING,
    NEEDS_SECTION, /* which the caller of run() begins */
    NEEDS_SPARE    /* the domain that a context is one of is to be stage->spare */
};

struct call {
    const char *label;               /* as the manual's table names it, without ` */
    int (*run)(struct stage *stage); /* 0, what the call returned, or -EPROTO for a wrong answer */
    enum call_needs needs;
};

/* NULL if there is none. */
const struct call *call_named(const char *label);

/* All of them; `count` is how many. */
const struct call *calls_all(unsigned *count);

#endif
