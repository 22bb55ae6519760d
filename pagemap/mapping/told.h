// SPDX-License-Identifier: BSD-2-Clause
/*
 * Announcing what is known under a file's lock only (docs/pagemap.md, section 14): the lock is let go for callbacks,
 * after which what was known must be looked at again.
 */
#ifndef PAGEMAP_MAPPING_TOLD_H
#define PAGEMAP_MAPPING_TOLD_H

#include "pagemap/mapping/mapping.h"
#include "pagemap/notifier/notifier.h"

/* At most one invalidation, begun and not ended. */
struct pm_told {
    struct pm_told_space *space;
    struct mmu_notifier_range range;
    bool is_active, is_quiet;
};

static inline struct pm_told pm_told_none(struct pm_told_space *space)
{
    struct pm_told told = {.space = space, .is_active = false};

    return told;
}

/*
 * Whether [start, end) is announced, with the file locked all the time. False: it may be now, but the file was not
 * locked meanwhile. Ends what was announced before. Not to be ended out of order: innermost first.
 */
PM_INTERNAL bool pm_tell(struct address_space *mapping, struct pm_told *told, uint64_t start, uint64_t end);

/* Ends it, if it is active. With the file locked, which is let go if a client was told. */
PM_INTERNAL void pm_told_end(struct address_space *mapping, struct pm_told *told);

#endif
