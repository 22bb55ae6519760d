// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pointers to the selected kernel's functions on nodes: down here, where they are called, so that what calls them
 * need not look up at the kernels. Portable at first: a map may be used by constructors that run before the one that
 * selects.
 */
#include "rangemap/node/splice.h"

rm_rank_fn *rm_rank_selected = rm_portable_rank;
rm_splice_fn *rm_splice_selected = rm_portable_splice;

unsigned rm_portable_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    return rm_rank_portable(node, count, key);
}

void rm_portable_splice(struct rm_leaf *made, const struct rm_leaf *leaf, unsigned count, unsigned from,
                        unsigned to, unsigned puts)
{
    rm_splice_exactly(made, leaf, count, from, to, puts);
}
