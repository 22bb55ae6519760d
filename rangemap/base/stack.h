// SPDX-License-Identifier: BSD-2-Clause
/*
 * A lock-free stack of intrusive links, taken only as a whole, so that no link of a shared element is ever
 * read and nothing can be ABA'd. ck_stack's mpmc pop and batch pop must not be mixed (0.7.1), and its inline
 * assembly hides from ThreadSanitizer; this needs neither.
 */
#ifndef RANGEMAP_BASE_STACK_H
#define RANGEMAP_BASE_STACK_H

#include <stddef.h>

#include "rangemap/base/atomic.h"

struct rm_link {
    struct rm_link *next;
};

struct rm_stack {
    rm_word head;
};

/* Pushes the chain first..last. Lock-free. Release: what the links describe is visible to the taker. */
static inline void rm_stack_push_chain(struct rm_stack *stack, struct rm_link *first, struct rm_link *last)
{
    uint64_t head;

    do {
        head = rm_load_relaxed(&stack->head);
        last->next = (struct rm_link *)(uintptr_t)head;
    } while (!rm_cas_full(&stack->head, head, rm_pointer_bits(first)));
}

static inline void rm_stack_push(struct rm_stack *stack, struct rm_link *link)
{
    rm_stack_push_chain(stack, link, link);
}

static inline bool rm_stack_is_empty(const struct rm_stack *stack)
{
    return rm_load_relaxed(&stack->head) == 0;
}

/* Takes everything; NULL if empty. Wait-free. */
static inline struct rm_link *rm_stack_take_all(struct rm_stack *stack)
{
    if (rm_stack_is_empty(stack)) {
        return NULL;
    }
    return (struct rm_link *)(uintptr_t)rm_swap_full(&stack->head, 0);
}

#endif
