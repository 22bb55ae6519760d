// SPDX-License-Identifier: BSD-2-Clause
/* How much address space the process has. */
#ifndef PAGEMAP_TEST_MAPPED_H
#define PAGEMAP_TEST_MAPPED_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "pagemap/types.h"
#include "test/shim/ctest.h"

/* Without the C library's files, which allocate. */
static inline uint64_t mapped_bytes(void)
{
    char text[64] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    REQUIRE_GE(file, 0);
    REQUIRE_GT(read(file, text, sizeof text - 1), 0);
    (void)close(file);
    return strtoull(text, NULL, 10) * PAGE_SIZE;
}

#endif
