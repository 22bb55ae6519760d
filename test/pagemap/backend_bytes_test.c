// SPDX-License-Identifier: BSD-2-Clause
/* The bytes of memory: which are mapped, zeroed and counted; where it is plugged in; and that nothing is kept. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pagemap/backend/backend.h"
#include "pagemap/base/map.h"
#include "pagemap/export.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"
#include "test/pagemap/temporary.h"

enum { PAGES = 16, BEFORE = 3 }; /* of a file; of these in front of the memory */

static int file;

/* All but the first pages of a file, the pages of which have their numbers, from 1 on, in each byte. */
static struct pagemap_memory *numbered(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_FD, .offset = BEFORE * PAGE_SIZE};
    struct pagemap_memory *memory = NULL;
    char page[PAGE_SIZE];

    file = memfd_create("test", MFD_CLOEXEC);
    for (int i = 1; i <= PAGES; i++) {
        memset(page, i, sizeof page);
        REQUIRE_EQ(write(file, page, sizeof page), (ssize_t)sizeof page);
    }
    options.fd = file;
    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    return memory;
}

static char byte_of(uint64_t at)
{
    char byte = 0;

    REQUIRE_EQ(pread(file, &byte, 1, (off_t)at), 1);
    return byte;
}

/* That many pages from one on are zero, the others as they were, and the file as long. */
static void check_zeroed(uint64_t first, uint64_t pages)
{
    struct stat status;

    for (uint64_t i = 0; i < PAGES; i++) {
        char expected = i >= first && i < first + pages ? 0 : (char)(i + 1);

        CHECK_EQ(byte_of(i * PAGE_SIZE), expected, "page %lu", (unsigned long)i);
        CHECK_EQ(byte_of(i * PAGE_SIZE + PAGE_SIZE / 2), expected, "page %lu", (unsigned long)i);
        CHECK_EQ(byte_of((i + 1) * PAGE_SIZE - 1), expected, "page %lu", (unsigned long)i);
    }
    REQUIRE_EQ(fstat(file, &status), 0);
    CHECK_EQ(status.st_size, PAGES * (off_t)PAGE_SIZE);
}

static void zero_some(void)
{
    struct pagemap_memory *memory = numbered();
    uint64_t before = mapped_bytes();

    CHECK_EQ(pm_memory_zero(memory, 2 * PAGE_SIZE, 4 * PAGE_SIZE), 0);
    check_zeroed(BEFORE + 2, 4);
    CHECK_EQ(pm_memory_zero(memory, 9 * PAGE_SIZE, 4 * PAGE_SIZE), 0, "to the end");
    CHECK_EQ(byte_of(PAGES * PAGE_SIZE - 1), 0);
    CHECK_EQ(byte_of((BEFORE + 9) * PAGE_SIZE - 1), BEFORE + 9);
    if (!SANITIZED) {
        CHECK_EQ(mapped_bytes(), before);
    }
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    (void)close(file);
}

/* Where the file can have no holes. */
static void zero_without_holes(void)
{
    struct pagemap_memory *memory;

    refuse(SYS_fallocate, EOPNOTSUPP);
    zero_some();
    memory = numbered();
    (void)pm_fault_arm(1);
    CHECK_EQ(pm_memory_zero(memory, 0, PAGE_SIZE), -ENOMEM);
    CHECK_EQ(pm_fault_arm(0), 0);
    check_zeroed(0, 0);
}

TEST_CASE(backend, zeroing_keeps_to_its_bytes)
{
    zero_some();
    child_run(zero_without_holes);
}

/* In place of what is there, at once or before it is touched. */
static void check_mapping(int (*map)(const struct pagemap_memory *, void *, uint64_t, uint64_t, int))
{
    struct pagemap_memory *memory = numbered();
    unsigned char *area = pm_area_reserve(8 * PAGE_SIZE, PAGE_SIZE);

    REQUIRE_NE(area, NULL);
    CHECK_EQ(map(memory, area, 0, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(map(memory, area + 2 * PAGE_SIZE, 5 * PAGE_SIZE, 3 * PAGE_SIZE, PROT_READ), 0);
    for (unsigned i = 0; i < 8; i++) {
        unsigned page = i >= 2 && i < 5 ? i + 3 : i;

        CHECK_EQ(area[i * PAGE_SIZE], BEFORE + page + 1, "page %u", i);
        CHECK_EQ(touch_write(area + i * PAGE_SIZE, area[i * PAGE_SIZE]), i >= 2 && i < 5 ? SIGSEGV : 0);
    }
    area[0] = 99;
    CHECK_EQ(byte_of(BEFORE * PAGE_SIZE), 99, "shared");
    (void)pm_fault_arm(1);
    CHECK_EQ(map(memory, area, 0, PAGE_SIZE, PROT_READ), -ENOMEM);
    CHECK_EQ(pm_fault_arm(0), 0);
    CHECK(pm_area_release(area, 8 * PAGE_SIZE));
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    (void)close(file);
}

TEST_CASE(backend, mappings_lie_at_their_offset)
{
    touch_install();
    check_mapping(pm_memory_map);
    check_mapping(pm_memory_map_lazily);
}

/* As many bytes as the system counts. */
TEST_CASE(backend, resident_bytes)
{
    struct pagemap_memory *memory = numbered();
    struct stat status;

    for (unsigned holes = 0; holes < 3; holes++) {
        REQUIRE_EQ(fstat(file, &status), 0);
        CHECK_EQ(pagemap_memory_resident(memory), (uint64_t)status.st_blocks * 512);
        CHECK_EQ(pagemap_memory_resident(memory), (PAGES - holes) * PAGE_SIZE);
        CHECK_EQ(pm_memory_zero(memory, holes * PAGE_SIZE, PAGE_SIZE), 0);
    }
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    (void)close(file);
}

/* ---- places ---- */

static struct pagemap_memory *memory_of(uint64_t pages)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = pages * PAGE_SIZE};
    struct pagemap_memory *memory = NULL;

    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    return memory;
}

/* Beside two of 4 and 2 pages, one of 1 to 3: at every page around them. */
TEST_CASE(backend, places_do_not_overlap)
{
    struct pagemap_memory *first = memory_of(4), *second = memory_of(2), *third;

    REQUIRE_EQ(pagemap_memory_plug(first, 8 * PAGE_SIZE), 0);
    REQUIRE_EQ(pagemap_memory_plug(second, 14 * PAGE_SIZE), 0);
    for (uint64_t pages = 1; pages <= 3; pages++) {
        third = memory_of(pages);
        for (uint64_t start = 0; start < 20; start++) {
            bool is_free = (start + pages <= 8 || start >= 12) && (start + pages <= 14 || start >= 16);

            CHECK_EQ(pagemap_memory_plug(third, start * PAGE_SIZE), is_free ? 0 : -EEXIST, "%lu pages at %lu",
                     (unsigned long)pages, (unsigned long)start);
            CHECK_EQ(pagemap_memory_unplug(third), is_free ? 0 : -EINVAL);
        }
        CHECK_EQ(pagemap_memory_destroy(third), 0);
    }
    rig_unplug(first);
    rig_unplug(second);
}

/* Up to PHYSMEM_END; numbers that wrap are none. */
TEST_CASE(backend, places_end_where_addresses_do)
{
    const phys_addr_t end = PHYSMEM_END + 1;
    struct pagemap_memory *memory = memory_of(3);
    const struct {
        phys_addr_t start;
        int error;
    } cases[] = {{0, 0},
                 {PAGE_SIZE, 0},
                 {PAGE_SIZE - 1, -EINVAL},
                 {1, -EINVAL},
                 {end - 4 * PAGE_SIZE, 0},
                 {end - 3 * PAGE_SIZE, 0},
                 {end - 2 * PAGE_SIZE, -EINVAL},
                 {end - PAGE_SIZE, -EINVAL},
                 {end, -EINVAL},
                 {2 * end - PAGE_SIZE, -EINVAL},
                 {2 * end, -EINVAL},
                 {UINT64_MAX - (PAGE_SIZE - 1), -EINVAL},
                 {UINT64_MAX - (3 * PAGE_SIZE - 1), -EINVAL},
                 {UINT64_MAX, -EINVAL}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_EQ(pagemap_memory_plug(memory, cases[i].start), cases[i].error, "case %zu", i);
        CHECK_EQ(pagemap_memory_unplug(memory), cases[i].error == 0 ? 0 : -EINVAL, "case %zu", i);
    }
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
}

/* The one that has all of it, of several; how many users it has. */
TEST_CASE(backend, the_memory_behind_a_range)
{
    struct pagemap_memory *first = memory_of(4), *second = memory_of(4);
    uint64_t offset;

    REQUIRE_EQ(pagemap_memory_plug(first, 8 * PAGE_SIZE), 0);
    REQUIRE_EQ(pagemap_memory_plug(second, 12 * PAGE_SIZE), 0);
    for (uint64_t start = 0; start < 20; start++) {
        for (uint64_t end = start + 1; end <= 20; end++) {
            bool in_first = start >= 8 && end <= 12, in_second = start >= 12 && end <= 16;
            struct pagemap_memory *expected = in_first ? first : in_second ? second : NULL, *found;

            offset = 77;
            found = pm_memory_use(start * PAGE_SIZE, (end - start) * PAGE_SIZE, &offset);
            CHECK_EQ(found, expected, "%lu to %lu", (unsigned long)start, (unsigned long)end);
            CHECK_EQ(offset, in_first ? (start - 8) * PAGE_SIZE : in_second ? (start - 12) * PAGE_SIZE : 77);
            if (found != NULL) {
                CHECK_EQ(found->users, 1);
                CHECK_EQ(pm_memory_use(start * PAGE_SIZE, PAGE_SIZE, &offset), found);
                CHECK_EQ(pagemap_memory_unplug(found), -EBUSY);
                pm_memory_unuse(found);
                CHECK_EQ(pagemap_memory_unplug(found), -EBUSY, "one user is left");
            }
            pm_memory_unuse(found);
        }
    }
    rig_unplug(first);
    rig_unplug(second);
}

/* ---- nothing is kept ---- */

static void fail_and_succeed(void)
{
    struct pagemap_memory_options all[] = {
        {.kind = PAGEMAP_MEMFD, .bytes = PAGE_SIZE},
        {.kind = PAGEMAP_FILE, .path = "/nonexistent"},
        {.kind = PAGEMAP_DEVDAX, .path = "/dev/null"},
        {.kind = PAGEMAP_FD, .fd = -1},
        {.kind = PAGEMAP_HUGETLB, .bytes = PAGE_SIZE, .huge_page_bytes = PAGE_SIZE},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct pagemap_memory *memory = NULL;

        (void)pagemap_memory_create(&all[i], &memory);
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
    }
}

/* Of the heap; a sanitizer looks at that itself. */
TEST_CASE(backend, no_memory_is_lost)
{
    size_t before;

    fail_and_succeed();
    before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 100; i++) {
        fail_and_succeed();
    }
    CHECK_LT(mallinfo2().uordblks, before + 8192);
}

/* ---- cancellation ---- */

static struct file_rig rig;
static bool went_through;

static void check_cancellable(void)
{
    int state;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    CHECK_EQ(state, PTHREAD_CANCEL_ENABLE);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
}

/* None of these calls is a cancellation point, and each leaves a thread that can be cancelled. */
static void *call_all(void *path)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_FILE, .path = path};
    struct pagemap_memory *memory = NULL;
    struct pagemap_export exported;

    (void)pthread_cancel(pthread_self());
    CHECK_EQ(pagemap_memory_create(&options, &memory), 0);
    check_cancellable();
    CHECK_EQ(pm_memory_zero(memory, 0, PAGE_SIZE), 0);
    check_cancellable();
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    check_cancellable();
    for (unsigned flags = 0; flags <= PAGEMAP_EXPORT_READ_ONLY; flags += PAGEMAP_EXPORT_READ_ONLY) {
        CHECK_EQ(pagemap_export(0, PAGE_SIZE, flags, &exported), 0);
        check_cancellable();
        (void)syscall(SYS_close, exported.fd);
        pagemap_export_end(&exported);
    }
    went_through = true;
    pthread_testcancel();
    return NULL;
}

TEST_CASE(backend, cancellation_is_put_off)
{
    char path[] = "/tmp/pagemap_test_XXXXXX";
    void *result = NULL;
    pthread_t thread;

    file_of(path, 2 * PAGE_SIZE);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pthread_create(&thread, NULL, call_all, path), 0);
    REQUIRE_EQ(pthread_join(thread, &result), 0);
    CHECK(went_through);
    CHECK_EQ(result, PTHREAD_CANCELED);
    file_rig_tear_down(&rig);
    (void)unlink(path);
}
