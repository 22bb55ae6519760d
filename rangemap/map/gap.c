// SPDX-License-Identifier: BSD-2-Clause
/* Gaps: found, and taken. */
#include "rangemap/epoch/upkeep.h"
#include "rangemap/map/enter.h"
#include "rangemap/map/gap_search.h"
#include "rangemap/tree/gaps.h"

int rangemap_gap_find(const struct rangemap *map, const struct rangemap_gap_request *request, uint64_t *start)
{
    struct rm_gap_search search;
    int result;

    if (start == NULL || !rm_gap_search_init(&search, map, request)) {
        return -EINVAL;
    }
    result = rm_gap_search_exact(&search);
    if (result == 0) {
        *start = search.start;
    }
    return result;
}

/* One that may be there: in the tree as it is, if that is quick. That there is none takes a snapshot. */
static int find_candidate(struct rm_gap_search *search)
{
    if (search->map->tracks_gaps && rm_gap_search_current(search) == 0) {
        return 0;
    }
    return rm_gap_search_exact(search);
}

/* The repairs that an allocation makes when it is done, of what its search came across. */
static void tighten_seen(struct rangemap *map, const struct rm_gap_search *search)
{
    struct rm_thread *thread = search->loose_count > 0 ? rm_map_thread(map) : NULL;

    if (thread == NULL || rm_domain_is_over_hard_limit(map->domain)) {
        return;
    }
    for (unsigned i = 0; i < search->loose_count; i++) {
        rm_gaps_tighten(map, thread, search->loose[i].key, search->loose[i].level);
    }
    rm_upkeep(thread);
}

/* By a thread that has a record: it has just updated. */
static bool count_retry(struct rangemap *map)
{
    rm_count_own(&rm_map_thread(map)->retries, 1);
    return true;
}

int rangemap_gap_allocate(struct rangemap *map, const struct rangemap_gap_request *request, void *value,
                          uint64_t *start)
{
    struct rm_gap_search search;
    int result;

    /* -EEXIST: another thread took it, which is progress of that thread. */
    do {
        if (start == NULL || !rm_gap_search_init(&search, map, request)) {
            return -EINVAL;
        }
        result = find_candidate(&search);
        if (result == 0) {
            uint64_t last = search.start + (request->length - 1);

            result = rangemap_insert(map, search.start, last, value, NULL);
        }
    } while (result == -EEXIST && count_retry(map));
    if (result == 0) {
        *start = search.start;
    }
    if (result == 0 || result == -ENOSPC) {
        tighten_seen(map, &search);
    }
    return result;
}
