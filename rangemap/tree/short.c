// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/short.h"

rm_short_update_fn *rm_short_update_selected = rm_portable_short_update;

enum rm_outcome rm_portable_short_update(struct rangemap *map, struct rm_thread *thread, struct rm_op *op)
{
    return rm_short_update_with(rm_rank_portable, rm_splice_exactly, map, thread, op);
}
