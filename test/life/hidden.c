// SPDX-License-Identifier: BSD-2-Clause
/* Sees what a call of the library does behind the caller's back: calls of malloc, a changed errno. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "test/life/life.h"

enum { ERRNO_MARK = 4711 };

static _Thread_local bool inside, was_inside;
static _Thread_local int errno_before;
static atomic_uint hidden_calls;

unsigned life_hidden_calls(void)
{
    return hidden_calls;
}

void life_enter(void)
{
    life_callbacks = 0;
    errno = ERRNO_MARK;
    inside = true;
}

void life_leave(struct life *life)
{
    inside = false;
    if (errno != ERRNO_MARK) {
        life_fault(life, "a call changed errno");
    }
}

void life_callback_enter(void)
{
    was_inside = inside;
    inside = false;
    errno_before = errno;
}

void life_callback_leave(void)
{
    inside = was_inside;
    errno = errno_before;
}

/* The sanitizers have a malloc of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void __libc_free(void *memory);

static void note(void)
{
    hidden_calls += inside;
}

void *malloc(size_t bytes)
{
    note();
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    note();
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    note();
    return __libc_realloc(memory, bytes);
}

void free(void *memory)
{
    note();
    __libc_free(memory);
}
#endif
