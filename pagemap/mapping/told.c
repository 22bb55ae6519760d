// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/mapping/told.h"

void pm_told_end(struct address_space *mapping, struct pm_told *told)
{
    if (!told->is_active) {
        return;
    }
    told->is_active = false;
    if (told->is_quiet) {
        pm_invalidate_end(&told->range); /* no client is called */
        return;
    }
    pm_mapping_unlock(mapping);
    pm_invalidate_end(&told->range);
    pm_mapping_lock(mapping);
}

bool pm_tell(struct address_space *mapping, struct pm_told *told, uint64_t start, uint64_t end)
{
    if (told->is_active && told->range.start <= start && end <= told->range.end) {
        return true;
    }
    if (told->is_active && !told->is_quiet) {
        pm_told_end(mapping, told);
        return false;
    }
    pm_told_end(mapping, told);
    mmu_notifier_range_init(&told->range, MMU_NOTIFY_CLEAR, 0, NULL, NULL, start, end);
    told->is_quiet = pm_invalidate_quietly(told->space, &told->range);
    if (!told->is_quiet) {
        pm_mapping_unlock(mapping);
        pm_invalidate_start(told->space, &told->range);
        pm_mapping_lock(mapping);
    }
    told->is_active = true;
    return told->is_quiet;
}
