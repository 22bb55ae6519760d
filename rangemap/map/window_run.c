// SPDX-License-Identifier: BSD-2-Clause
/* Running a rewrite as a public function does. */
#include "rangemap/epoch/upkeep.h"
#include "rangemap/map/admit.h"
#include "rangemap/map/window.h"

int rm_window_rewrite(const struct rm_rewrite *rewrite, const int *error)
{
    int result;
    struct rm_thread *thread = rm_map_admit(rewrite->map, &result);
    enum rm_outcome outcome;

    if (thread == NULL) {
        return result;
    }
    outcome = rm_rewrite(thread, rewrite);
    rm_upkeep_built(thread, rewrite->puts);
    return outcome == RM_NO_MEMORY ? -ENOMEM : outcome == RM_REFUSED ? *error : 0;
}

static enum rm_peek peek_of(const struct rm_window *window)
{
    bool puts = window->fill != NULL || rm_window_asks_gaps(window);

    if (window->how.if_free) {
        return RM_PEEK_FREE;
    }
    return puts || window->how.if_same ? RM_PEEK_NOT : RM_PEEK_HELD;
}

int rm_window_run(struct rangemap *map, struct rm_window *window)
{
    const struct rangemap_rewrite *how = &window->how;
    int result;
    struct rm_rewrite rewrite = {.map = map,
                                 .start = window->start,
                                 .last = window->last,
                                 .looks_around = how->join,
                                 .sees_all = how->if_free || how->if_same || window->function != NULL,
                                 .peek = peek_of(window),
                                 .puts = window->count,
                                 .composer = &rm_window_composer,
                                 .state = window,
                                 .done = window->done,
                                 .displaced = how->displaced,
                                 .displaced_context = how->context};

    window->is_plain = window->function != NULL && !how->join && !how->gaps && !how->if_free && !how->if_same;
    result = rm_window_rewrite(&rewrite, &window->error);
    if (result == -EEXIST && window->in_the_way && how->conflict != NULL) {
        *how->conflict = window->conflict;
    }
    return result;
}
