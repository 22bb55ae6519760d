// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/path.h"

struct rm_span rm_path_span(const struct rm_path *path, const struct rm_step *step)
{
    struct rm_span span = RM_WHOLE_DOMAIN;

    for (const struct rm_step *above = path->step; above < step; above++) {
        const struct rm_inner *inner = rm_inner(rm_step_node(above));

        span =
            rm_child_span(inner, rm_meta_count(above->meta), (unsigned)(above[1].slot - inner->slot), span);
    }
    return span;
}
