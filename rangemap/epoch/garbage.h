// SPDX-License-Identifier: BSD-2-Clause
/* An object that waits for its grace period, and the queues in which it does. */
#ifndef RANGEMAP_EPOCH_GARBAGE_H
#define RANGEMAP_EPOCH_GARBAGE_H

#include "rangemap/base/stack.h"

struct rm_thread;
struct rm_garbage;

/*
 * Disposes of some of `garbage`, at most about *budget things, which it counts down. True: all is gone, the memory
 * of `garbage` too.
 */
typedef bool rm_dispose_fn(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget);

struct rm_garbage_kind {
    rm_dispose_fn *dispose;
    uint64_t (*bytes)(const struct rm_garbage *garbage); /* of nodes that it keeps; NULL: none */
    bool calls_back;                                     /* disposing of it runs callbacks of the user */
    bool is_map;                                         /* of which domain->ending counts one */
};

struct rm_garbage {
    struct rm_link link; /* in a shard's inbox, then in one of its queues */
    const struct rm_garbage_kind *kind;
};

static inline uint64_t rm_garbage_bytes(const struct rm_garbage *garbage)
{
    return garbage->kind->bytes != NULL ? garbage->kind->bytes(garbage) : 0;
}

/* First in, first out; for one thread at a time. Without elements, `last` means nothing. */
struct rm_queue {
    struct rm_link *first, *last;
};

static inline bool rm_queue_is_empty(const struct rm_queue *queue)
{
    return queue->first == NULL;
}

static inline struct rm_garbage *rm_queue_first(const struct rm_queue *queue)
{
    return RM_CONTAINER_OF(queue->first, struct rm_garbage, link);
}

static inline void rm_queue_drop_first(struct rm_queue *queue)
{
    queue->first = queue->first->next;
}

static inline void rm_queue_append(struct rm_queue *queue, struct rm_link *link)
{
    link->next = NULL;
    if (rm_queue_is_empty(queue)) {
        queue->first = link;
    } else {
        queue->last->next = link;
    }
    queue->last = link;
}

/* Moves all of `from` to the end of `to`. */
static inline void rm_queue_append_all(struct rm_queue *to, struct rm_queue *from)
{
    if (rm_queue_is_empty(from)) {
        return;
    }
    if (rm_queue_is_empty(to)) {
        to->first = from->first;
    } else {
        to->last->next = from->first;
    }
    to->last = from->last;
    from->first = NULL;
}

#endif
