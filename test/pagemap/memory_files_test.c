// SPDX-License-Identifier: BSD-2-Clause
/* Files as memory: how large they become, and whose they are. */
#include <errno.h>
#include <sys/stat.h>

#include "test/pagemap/file_rig.h"
#include "test/pagemap/temporary.h"

static off_t length_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t length = lseek(fd, 0, SEEK_END);

    REQUIRE_GE(fd, 0);
    (void)close(fd);
    return length;
}

/* A file becomes as large as is wanted, never smaller. */
TEST_CASE(memory_files, files_grow_and_do_not_shrink)
{
    static const uint64_t sizes[][3] = {{0, 0, 0}, /* wanted, of the file before, and after */
                                        {0, 100, 0},
                                        {0, PAGE_SIZE, PAGE_SIZE},
                                        {PAGE_SIZE, 0, PAGE_SIZE},
                                        {2 * PAGE_SIZE, 2 * PAGE_SIZE - 1, 2 * PAGE_SIZE},
                                        {2 * PAGE_SIZE, 2 * PAGE_SIZE, 2 * PAGE_SIZE},
                                        {2 * PAGE_SIZE, 2 * PAGE_SIZE + 1, 2 * PAGE_SIZE + 1}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[] = "/tmp/pagemap_test_XXXXXX";
        struct pagemap_memory_options options = {.kind = PAGEMAP_FILE, .path = path, .bytes = sizes[i][0]};
        struct pagemap_memory *memory = NULL;
        int error;

        file_of(path, (off_t)sizes[i][1]);
        error = pagemap_memory_create(&options, &memory);
        CHECK_EQ(error, sizes[i][2] == 0 ? -EINVAL : 0, "case %zu", i);
        if (error == 0) {
            CHECK_EQ(pagemap_memory_bytes(memory), options.bytes > 0 ? options.bytes : sizes[i][1]);
            CHECK_EQ(length_of(path), sizes[i][2], "case %zu", i);
            CHECK_EQ(pagemap_memory_destroy(memory), 0);
        }
        (void)unlink(path);
    }
}

/* One that is made is its owner's alone, and is not made where no size is given. */
TEST_CASE(memory_files, files_that_are_made)
{
    char path[] = "/tmp/pagemap_test_XXXXXX";
    struct pagemap_memory_options options = {.kind = PAGEMAP_FILE, .path = path};
    struct pagemap_memory *memory = NULL;
    struct stat status;

    file_of(path, 0);
    (void)unlink(path);
    CHECK_EQ(pagemap_memory_create(&options, &memory), -ENOENT);
    options.bytes = RIG_MB;
    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    CHECK_EQ(length_of(path), RIG_MB);
    REQUIRE_EQ(stat(path, &status), 0);
    CHECK_EQ(status.st_mode & 0177, 0);
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    CHECK_EQ(unlink(path), 0);
}
