// SPDX-License-Identifier: BSD-2-Clause
#ifndef RANGEMAP_TREE_MAKE_H
#define RANGEMAP_TREE_MAKE_H

#include "rangemap/epoch/record.h"
#include "rangemap/node/layout.h"

/* A node that is not published, with room for `count`, without a stamp or a predecessor. NULL: out of memory. */
static inline struct rm_node *rm_node_make(struct rm_thread *thread, unsigned count, unsigned level)
{
    struct rm_node *node = rm_thread_alloc(thread, rm_node_lines(count, level));

    if (node != NULL) {
        rm_word_set_private(&node->meta, rm_meta(count, level, 0));
        rm_word_set_private(rm_node_prev(node, rm_meta(count, level, 0)), 0);
    }
    return node;
}

#endif
