// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/path.h"

rm_path_descend_fn *rm_path_descend_selected = rm_portable_descend;

void rm_portable_descend(struct rm_path *path, struct rangemap *map, uint64_t start, uint64_t last)
{
    rm_path_descend_with(rm_rank_portable, path, map, start, last);
}

/* Both from below: mostly the node above has a separator on either side. */

static uint64_t path_low(const struct rm_path *path, const struct rm_step *step)
{
    for (; step > path->step; step--) {
        const struct rm_inner *inner = rm_inner(rm_step_node(step - 1));

        if (step->slot > inner->slot) {
            return inner->separator[step->slot - inner->slot - 1];
        }
    }
    return 0;
}

uint64_t rm_path_high(const struct rm_path *path, const struct rm_step *step)
{
    for (; step > path->step; step--) {
        const struct rm_inner *inner = rm_inner(rm_step_node(step - 1));
        unsigned index = (unsigned)(step->slot - inner->slot);

        if (index + 1 < rm_meta_count(step[-1].meta)) {
            return inner->separator[index] - 1;
        }
    }
    return UINT64_MAX;
}

struct rm_span rm_path_span(const struct rm_path *path, const struct rm_step *step)
{
    return (struct rm_span){path_low(path, step), rm_path_high(path, step)};
}
