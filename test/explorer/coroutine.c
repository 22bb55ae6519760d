// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "test/explorer/coroutine.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "rangemap/base/compiler.h"

enum { STACK_BYTES = 256 << 10, GUARD_BYTES = 64 << 10 };

/* Who switched last. */
static struct coroutine *left;

#if defined(RM_ASAN)
#include <sanitizer/asan_interface.h>

void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size);

static void leave(struct coroutine *from, const struct coroutine *to)
{
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_bytes);
}

/* The first to arrive learns where the program's own stack is. */
static void arrive(struct coroutine *self)
{
    const void *bottom;
    size_t bytes;

    __sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &bytes);
    if (left->stack == NULL) {
        left->stack = (void *)(uintptr_t)bottom;
        left->stack_bytes = bytes;
    }
}
#else
static void leave(struct coroutine *from, const struct coroutine *to)
{
    (void)from;
    (void)to;
}

static void arrive(struct coroutine *self)
{
    (void)self;
}
#endif

void coroutine_create(struct coroutine *coroutine)
{
    char *pages = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED || mprotect(pages + GUARD_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE) != 0) {
        abort();
    }
    coroutine->stack = pages + GUARD_BYTES;
    coroutine->stack_bytes = STACK_BYTES;
}

void coroutine_arrive(struct coroutine *self)
{
    arrive(self);
}

/*
 * A parked coroutine's frames leave their poison behind. The compiler counts on clean memory: it spares the first
 * unpoisoning of a variable whose scope nobody has left.
 */
static void clean_stack(struct coroutine *coroutine)
{
#if defined(RM_ASAN)
    __asan_unpoison_memory_region(coroutine->stack, coroutine->stack_bytes);
#endif
    (void)coroutine;
}

#if defined(__x86_64__)

/* Saves what the calling convention keeps across calls, and the stack pointer; then loads the other's. */
void coroutine_swap(void **save, void *load);
__asm__(".text\n"
        ".globl coroutine_swap\n"
        ".type coroutine_swap, @function\n"
        "coroutine_swap:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    ret\n"
        ".size coroutine_swap, .-coroutine_swap\n");

void coroutine_prepare(struct coroutine *coroutine, coroutine_fn *body)
{
    uint64_t *top = (uint64_t *)(void *)((char *)coroutine->stack + coroutine->stack_bytes);

    clean_stack(coroutine);
    /* As if called: the stack pointer is 8 off a multiple of 16 behind the return address. */
    *--top = 0;
    *--top = (uint64_t)(uintptr_t)body;
    for (unsigned i = 0; i < 6; i++) {
        *--top = 0;
    }
    coroutine->stack_pointer = top;
}

static void swap(struct coroutine *from, struct coroutine *to)
{
    coroutine_swap(&from->stack_pointer, to->stack_pointer);
}

#else

void coroutine_prepare(struct coroutine *coroutine, coroutine_fn *body)
{
    clean_stack(coroutine);
    if (getcontext(&coroutine->context) != 0) {
        abort();
    }
    coroutine->context.uc_stack.ss_sp = coroutine->stack;
    coroutine->context.uc_stack.ss_size = coroutine->stack_bytes;
    coroutine->context.uc_link = NULL;
    makecontext(&coroutine->context, body, 0);
}

static void swap(struct coroutine *from, struct coroutine *to)
{
    if (swapcontext(&from->context, &to->context) != 0) {
        abort();
    }
}

#endif

void coroutine_switch(struct coroutine *from, struct coroutine *to)
{
    left = from;
    leave(from, to);
    swap(from, to);
    arrive(from);
}
