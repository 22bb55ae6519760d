// SPDX-License-Identifier: BSD-2-Clause
/* Huge pages for a test: more in the system's pool, where this process may have them, until they are given back. */
#ifndef PAGEMAP_TEST_HUGE_POOL_H
#define PAGEMAP_TEST_HUGE_POOL_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>

#include "test/shim/ctest.h"

/* Adds `change` to the pool of pages of `huge_bytes`; by how much it did change. One process at a time. */
static inline int64_t huge_pool_change(uint64_t huge_bytes, int64_t change)
{
    int64_t before = 0, after = 0;
    char path[96];
    FILE *pool;

    (void)snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages",
                   huge_bytes / 1024);
    pool = fopen(path, "r+e");
    if (pool == NULL) {
        return 0;
    }
    (void)flock(fileno(pool), LOCK_EX);
    if (fscanf(pool, "%" SCNd64, &before) == 1) {
        rewind(pool);
        (void)fprintf(pool, "%" PRId64, before + change);
        (void)fflush(pool);
        rewind(pool);
        if (fscanf(pool, "%" SCNd64, &after) != 1) {
            after = before;
        }
    }
    (void)fclose(pool); /* and unlocks it */
    return after - before;
}

/* Takes what is not enough back. The rest of the test decides by what it gets. */
static inline int64_t huge_pool_add(uint64_t huge_bytes, int64_t pages)
{
    int64_t added = huge_pool_change(huge_bytes, pages);

    if (added > 0 && added < pages) {
        (void)huge_pool_change(huge_bytes, -added);
        added = 0;
    }
    return added;
}

static inline void huge_pool_give_back(uint64_t huge_bytes, int64_t added)
{
    if (added > 0) {
        (void)huge_pool_change(huge_bytes, -added);
    }
}

#endif
