// SPDX-License-Identifier: BSD-2-Clause
/* What drivers have in common when they are removed. */
#ifndef PAGEMAP_TEST_DRIVER_RIG_H
#define PAGEMAP_TEST_DRIVER_RIG_H

#include "test/pagemap/file_rig.h"

/* For waiter_start(). */
static inline void remove_driver(void *dev)
{
    (void)devres_release_all(dev);
}

/* A devm action of a driver with a file, added after the mapping. What kill_dev_dax() does: views go first. */
static inline void revoke_views(void *file)
{
    unmap_mapping_range(file, 0, 0, 1);
    CHECK_EQ(truncate_inode_pages(file, 0), 0);
}

#endif
