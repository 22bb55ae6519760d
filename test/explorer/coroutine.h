// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that run only when told to. A switch costs a few nanoseconds on x86-64, where it is a handful of
 * instructions; elsewhere it is swapcontext(), with its system call.
 */
#ifndef RANGEMAP_TEST_EXPLORER_COROUTINE_H
#define RANGEMAP_TEST_EXPLORER_COROUTINE_H

#include <stddef.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

struct coroutine {
    void *stack; /* NULL: that of the program's own thread, as far as is known */
    size_t stack_bytes;
#if defined(__x86_64__)
    void *stack_pointer;
#else
    ucontext_t context;
#endif
    void *fake_stack; /* AddressSanitizer's; kept from run to run, else each run would leave one behind */
};

/* Runs on the coroutine's stack; must not return. */
typedef void coroutine_fn(void);

/* Takes a stack, for ever. */
void coroutine_create(struct coroutine *coroutine);

/* Forgets what it did so far; the first switch to it calls `body`. */
void coroutine_prepare(struct coroutine *coroutine, coroutine_fn *body);

/* Returns when something switches back to `from`. */
void coroutine_switch(struct coroutine *from, struct coroutine *to);

/* First thing in a body. */
void coroutine_arrive(struct coroutine *self);

#endif
