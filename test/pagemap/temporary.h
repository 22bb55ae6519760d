// SPDX-License-Identifier: BSD-2-Clause
/* Files for a test alone, which removes them. */
#ifndef PAGEMAP_TEST_TEMPORARY_H
#define PAGEMAP_TEST_TEMPORARY_H

#include <stdlib.h>
#include <unistd.h>

#include "test/shim/ctest.h"

/* Makes one of so many bytes; `path` ends in XXXXXX, in place of which it gets its name. */
static inline void file_of(char *path, off_t bytes)
{
    int fd = mkstemp(path);

    REQUIRE_GE(fd, 0);
    REQUIRE_EQ(ftruncate(fd, bytes), 0);
    (void)close(fd);
}

#endif
