// SPDX-License-Identifier: BSD-2-Clause
/*
 * The explorer's hooks (base/explorer.h), for sources of the library that a test compiles anew: at each access to a
 * shared word another thread may come in and do all of its own. One program has them once.
 */
#ifndef TEST_MEMORY_HOOKS_H
#define TEST_MEMORY_HOOKS_H

#include "rangemap/base/atomic.h"
#include "test/shim/ctest.h"

static struct meeting {
    void (*interfere)(void);
    unsigned at, count;
    bool armed, has_met;
} meeting;

static void (*before_access)(void), (*before_update)(const rm_word *word);

void rm_explorer_point(const void *word)
{
    (void)word;
    if (before_access != NULL) {
        before_access();
    }
    if (meeting.armed && meeting.count++ == meeting.at) {
        meeting.armed = false;
        meeting.has_met = true;
        meeting.interfere();
    }
}

void rm_explorer_update(const void *word)
{
    rm_explorer_point(word);
    if (before_update != NULL) {
        before_update(word);
    }
}

void rm_explorer_delay(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_fence(void)
{
}

bool rm_explorer_membarrier(void)
{
    return true;
}

void rm_explorer_section(bool begins)
{
    (void)begins;
}

void rm_explorer_retired(uint64_t word, uint64_t values)
{
    (void)word;
    (void)values;
}

bool rm_explorer_keeps(const void *node)
{
    (void)node;
    return false;
}

void rm_explorer_poison(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_unpoison(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_books(const void *address, size_t bytes, bool open)
{
    (void)address;
    (void)bytes;
    (void)open;
}

uint64_t rm_explorer_tick(void)
{
    return 1000000000;
}

/*
 * Before each access of `act` another thread does what it does, all of it: each time on what `prepare` has made.
 * `check` looks at what came of it, and ends it.
 */
static inline void meet(void (*prepare)(void), void (*act)(void), void (*interfere)(void),
                        void (*check)(void))
{
    enum { NO_END = 10000 };
    unsigned at = 0;

    do {
        prepare();
        meeting = (struct meeting){.interfere = interfere, .at = at++, .armed = true};
        act();
        meeting.armed = false;
        check();
        REQUIRE_LE(at, (unsigned)NO_END);
    } while (meeting.has_met);
    CHECK_GT(at, 1u);
}

#endif
