// SPDX-License-Identifier: BSD-2-Clause
/* Taking pages out of views, and telling of it before. Kernel: unmap_mapping_range(), mm/memory.c (6.1). */
#include "pagemap/mapping/told.h"
#include "pagemap/view/view.h"

/* Which view, beyond the moments when the file is not locked. */
struct place {
    uint64_t first;
    struct pm_interval *node;
    const void *start; /* another view may come to lie where one was */
};

static struct place place_of(struct pm_view *view)
{
    return (struct place){view->interval.first, &view->interval, view->start};
}

static bool is_at(const struct address_space *mapping, const struct pm_view *view, const struct place *place)
{
    return pm_interval_is_in(mapping->_views, place->first, place->node) && view->start == place->start;
}

/* A view's part of [first, last]. If it is gone after a callback, the thread that unmapped it has told of it. */
static void hide_part(struct pm_view *view, uint64_t first, uint64_t last)
{
    struct address_space *mapping = view->mapping;
    struct pm_told told = pm_told_none(&pm_told_addresses);
    const struct place place = place_of(view);
    bool is_there = pm_view_overlap(view, &first, &last);

    while (is_there) {
        uint64_t start = (uint64_t)(uintptr_t)pm_view_address(view, first);

        if (!pm_tell(mapping, &told, start, start + (last - first + 1) * PAGE_SIZE)) {
            is_there = is_at(mapping, view, &place) && pm_view_overlap(view, &first, &last);
        } else if (pm_hide(view, &first, &last)) {
            break;
        }
    }
    pm_mapping_bump(mapping);
    pm_told_end(mapping, &told);
}

static void hide_all_parts(struct address_space *mapping, uint64_t first, uint64_t last)
{
    struct pm_view *view = pm_views_first(mapping, first, last);

    while (view != NULL) {
        const struct place place = place_of(view);

        hide_part(view, first, last);
        view = pm_view_of(pm_interval_after(mapping->_views, place.first, place.node, first, last));
    }
    pm_mapping_bump(mapping);
}

/* A thread that shows pages while the lock is free makes it begin anew. */
void pm_revoke(struct pm_revocation *revocation)
{
    struct address_space *mapping = revocation->mapping;
    uint64_t first = revocation->first, last = revocation->last;

    pm_round_to_granules(mapping, &first, &last);
    while (revocation->shows != mapping->_shows + 1) {
        revocation->shows = mapping->_shows + 1;
        hide_all_parts(mapping, first, last);
    }
}
