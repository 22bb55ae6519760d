// SPDX-License-Identifier: BSD-2-Clause
/*
 * A lock-free stack of numbered elements that are never unmapped. Its head is one word: the number of the first
 * element plus 1 (0: none), and a tag that changes with every operation, so that a pop that was interrupted between
 * its load and its compare-and-swap fails although the same element is first again. The tag has 32 bits: it repeats
 * after four thousand million operations during one interruption.
 */
#ifndef RANGEMAP_BASE_TAGGED_H
#define RANGEMAP_BASE_TAGGED_H

#include "rangemap/base/atomic.h"

struct rm_tagged {
    rm_word head;
};

/* The word of an element, by its number, that leads to the next one. */
typedef rm_word *rm_tagged_link_fn(uint32_t number);

static inline uint64_t rm_tagged_head(uint64_t before, uint64_t first)
{
    return ((before >> 32) + 1) << 32 | first;
}

/*
 * Release: what the pusher did to the element, its link included, is visible to its reader in the head. Also when
 * others have popped and pushed since: the head is written by read-modify-writes alone, which go on with what they
 * read.
 */
static inline void rm_tagged_push(struct rm_tagged *stack, uint32_t number, rm_word *link)
{
    uint64_t head;

    do {
        head = rm_load_relaxed(&stack->head);
        rm_store_relaxed(link, (uint32_t)head);
    } while (!rm_cas_full(&stack->head, head, rm_tagged_head(head, (uint64_t)number + 1)));
}

/* In the child of a fork: elements that others were pushing or popping are in no stack, and are pushed again. */
static inline void rm_tagged_clear(struct rm_tagged *stack)
{
    rm_store_relaxed(&stack->head, rm_tagged_head(rm_load_relaxed(&stack->head), 0));
}

/*
 * False: empty. The link that it reads may be a newer one already: then the tag has changed, too. Acquire: the head
 * before the link, and before what the pusher did; so the compare-and-swap, which succeeds from the same head, orders
 * nothing.
 */
static inline bool rm_tagged_pop(struct rm_tagged *stack, rm_tagged_link_fn *link, uint32_t *number)
{
    uint64_t head, next;

    do {
        head = rm_load_acquire(&stack->head);
        if ((uint32_t)head == 0) {
            return false;
        }
        *number = (uint32_t)head - 1;
        next = rm_load_relaxed(link(*number));
    } while (!rm_cas_relaxed(&stack->head, head, rm_tagged_head(head, next)));
    return true;
}

#endif
