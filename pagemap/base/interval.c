// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/interval.h"

/*
 * Heap order: a hash of the address that is as good as random also for nodes of an array, and one to one. Each
 * multiplication mixes upward, and the shift brings what is above down between them. The constants are those of
 * MurmurHash3's finalizer.
 */
static uint64_t priority(const struct pm_interval *interval)
{
    uint64_t hash = (uint64_t)(uintptr_t)interval * UINT64_C(0xff51afd7ed558ccd);

    return (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
}

static bool is_before(const struct pm_interval *a, const struct pm_interval *b)
{
    return a->first < b->first || (a->first == b->first && a < b);
}

static void update(struct pm_interval *interval)
{
    uint64_t last = interval->last;

    for (unsigned i = 0; i < 2; i++) {
        last = interval->child[i] != NULL && interval->child[i]->last_below > last
                   ? interval->child[i]->last_below
                   : last;
    }
    interval->last_below = last;
}

static void update_up(struct pm_interval *interval)
{
    for (; interval != NULL; interval = interval->parent) {
        update(interval);
    }
}

/* Where its parent points to it. */
static struct pm_interval **link_to(struct pm_interval **root, const struct pm_interval *interval)
{
    return interval->parent == NULL ? root : &interval->parent->child[interval->parent->child[1] == interval];
}

/* Swaps `interval` with its parent; order stays. */
static void rotate_up(struct pm_interval **root, struct pm_interval *interval)
{
    struct pm_interval *parent = interval->parent, **link = link_to(root, parent);
    unsigned side = parent->child[1] == interval;

    parent->child[side] = interval->child[!side];
    if (parent->child[side] != NULL) {
        parent->child[side]->parent = parent;
    }
    interval->parent = parent->parent;
    interval->child[!side] = parent;
    parent->parent = interval;
    *link = interval;
    update(parent);
    update(interval);
}

void pm_interval_insert(struct pm_interval **root, struct pm_interval *interval)
{
    struct pm_interval *parent = NULL, **link = root;

    while (*link != NULL) {
        parent = *link;
        link = &parent->child[!is_before(interval, parent)];
    }
    interval->parent = parent;
    interval->child[0] = interval->child[1] = NULL;
    *link = interval;
    update_up(interval);
    while (interval->parent != NULL && priority(interval) > priority(interval->parent)) {
        rotate_up(root, interval);
    }
}

/* Down to a leaf, below the higher of its children each time, and off. */
void pm_interval_remove(struct pm_interval **root, struct pm_interval *interval)
{
    while (interval->child[0] != NULL || interval->child[1] != NULL) {
        bool right =
            interval->child[0] == NULL ||
            (interval->child[1] != NULL && priority(interval->child[1]) > priority(interval->child[0]));

        rotate_up(root, interval->child[right]);
    }
    *link_to(root, interval) = NULL;
    update_up(interval->parent);
}

/* The leftmost below `interval` that ends at `first` or later; whether it starts early enough is left to see. */
static struct pm_interval *leftmost(struct pm_interval *interval, uint64_t first)
{
    while (interval != NULL && interval->last_below >= first) {
        if (interval->child[0] != NULL && interval->child[0]->last_below >= first) {
            interval = interval->child[0];
        } else if (interval->last >= first) {
            return interval;
        } else {
            interval = interval->child[1];
        }
    }
    return NULL;
}

struct pm_interval *pm_interval_first(struct pm_interval *root, uint64_t first, uint64_t last)
{
    struct pm_interval *found = leftmost(root, first);

    return found != NULL && found->first <= last ? found : NULL;
}

/* In order: what is right of it, else the nearest ancestor of which it is on the left. */
struct pm_interval *pm_interval_next(struct pm_interval *interval, uint64_t first, uint64_t last)
{
    struct pm_interval *found = leftmost(interval->child[1], first);

    while (found == NULL && interval->parent != NULL) {
        bool was_left = interval->parent->child[0] == interval;

        interval = interval->parent;
        if (was_left) {
            found = interval->last >= first ? interval : leftmost(interval->child[1], first);
        }
    }
    return found != NULL && found->first <= last ? found : NULL;
}

static bool is_behind(const struct pm_interval *at, uint64_t place, const struct pm_interval *node)
{
    return at->first > place || (at->first == place && at > node);
}

struct pm_interval *pm_interval_after(struct pm_interval *root, uint64_t place,
                                      const struct pm_interval *node, uint64_t first, uint64_t last)
{
    struct pm_interval *at = root, *found = NULL;

    while (at != NULL) {
        bool behind = is_behind(at, place, node);

        found = behind ? at : found;
        at = at->child[!behind];
    }
    if (found != NULL && found->last < first) {
        return pm_interval_next(found, first, last);
    }
    return found != NULL && found->first <= last ? found : NULL;
}

bool pm_interval_is_in(const struct pm_interval *root, uint64_t place, const struct pm_interval *node)
{
    while (root != NULL && root != node) {
        root = root->child[!is_behind(root, place, node)];
    }
    return root != NULL;
}
