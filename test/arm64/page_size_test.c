// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing of rangemap's depends on the size of a page: it maps 64 KiB and more, aligned to that. pagemap's pages have
 * 4 KiB, and it says so where the system's have more. Run for 4, 16 and 64 KiB by page_size_test.sh; alone, for
 * whatever the machine has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pagemap/memory.h"
#include "pagemap/types.h"
#include "rangemap/memory/chunk.h"
#include "rangemap/node/layout.h"
#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

enum { RANGES = 20000 };

TEST_CASE(page_size, maps_grow_and_go)
{
    long page = sysconf(_SC_PAGESIZE);
    const char *wanted = getenv("WANTED_PAGE_BYTES");
    struct rangemap_domain *domain;
    struct rangemap_options options = {0};
    struct rangemap *map;
    void *value;

    printf("pages of %ld bytes\n", page);
    if (wanted != NULL) {
        REQUIRE_EQ(page, atol(wanted), "qemu gives the pages that it was asked for");
    }
    CHECK_EQ(RM_CHUNK_MIN_BYTES % page, 0, "a chunk is whole pages");
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    options.domain = domain;
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uintptr_t i = 0; i < RANGES; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 10, i * 10 + 4, (void *)i, NULL), 0);
    }
    for (uintptr_t i = 0; i < RANGES; i++) {
        CHECK_EQ(rangemap_lookup(map, i * 10 + 4, &value), 0);
        CHECK_EQ((uintptr_t)value, i);
    }
    CHECK_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_destroy(map), 0);
    REQUIRE_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(page_size, pagemap_refuses_larger_ones)
{
    long page = sysconf(_SC_PAGESIZE);
    char message[128];
    struct pagemap_memory_options options = {
        .kind = PAGEMAP_MEMFD, .bytes = 1 << 20, .message = message, .message_size = sizeof message};
    struct pagemap_memory *memory = NULL;
    int result = pagemap_memory_create(&options, &memory);

    printf("%d: %s\n", result, message);
    if (page == (long)PAGE_SIZE) {
        CHECK_EQ(result, 0);
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
    } else {
        CHECK_EQ(result, -EOPNOTSUPP);
        CHECK(strstr(message, "pages") != NULL, "%s", message);
        CHECK_EQ(memory, NULL);
    }
}
