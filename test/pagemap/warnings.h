// SPDX-License-Identifier: BSD-2-Clause
/* Counts the library's warnings, so that a test can say which it expects: none, as a rule. */
#ifndef PAGEMAP_TEST_WARNINGS_H
#define PAGEMAP_TEST_WARNINGS_H

#include <stdint.h>
#include <stdio.h>

#include "pagemap/pagemap.h"

static uint64_t warnings_seen;

static inline void warnings_note(const char *message)
{
    (void)message;
    (void)__atomic_fetch_add(&warnings_seen, 1, __ATOMIC_SEQ_CST);
}

/* Call it first: from now on warnings are counted and not printed. */
static inline void warnings_count(void)
{
    (void)pagemap_set_warn_fn(warnings_note);
    (void)pagemap_set_holders_delay(0); /* no rule is broken by a test that was slow */
    (void)__atomic_exchange_n(&warnings_seen, 0, __ATOMIC_SEQ_CST);
}

/* How many since the last call. */
static inline uint64_t warnings_take(void)
{
    return __atomic_exchange_n(&warnings_seen, 0, __ATOMIC_SEQ_CST);
}

#endif
