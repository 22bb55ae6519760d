// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of each kind on a system that says something else than this one: which options are right, what each refusal
 * says, and what is taken from the process then. sysconf() and mmap() are ours here.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "pagemap/export.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"
#include "test/pagemap/temporary.h"

#if !defined(MAP_SYNC)
#define MAP_SYNC 0x80000
#endif

/* 0: the system's own. */
static long page_bytes;

long sysconf(int name)
{
    long (*next)(int);

    if (page_bytes != 0 && name == _SC_PAGESIZE) {
        return page_bytes;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "sysconf");
    return next(name);
}

#if !SANITIZED
/* Whether MAP_SYNC is granted, as on fsdax, or no file mapped at all; and how many mappings were made with it. */
static bool grants_sync, maps_no_file;
static unsigned sync_mappings;

void *mmap(void *address, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    long result;

    if (maps_no_file && fd >= 0) {
        errno = EACCES;
        return MAP_FAILED;
    }
    if ((flags & MAP_SYNC) != 0 && fd >= 0) {
        if (!grants_sync) {
            errno = EOPNOTSUPP;
            return MAP_FAILED;
        }
        sync_mappings++;
        flags = (flags & ~(MAP_SYNC | MAP_TYPE)) | MAP_SHARED;
    }
    result = syscall(SYS_mmap, address, bytes, prot, flags, fd, offset);
    return result == -1 ? MAP_FAILED : (void *)(uintptr_t)result;
}
#endif

static char message[160];

static int create(struct pagemap_memory_options options, struct pagemap_memory **memory)
{
    (void)snprintf(message, sizeof message, "from before");
    options.message = message;
    options.message_size = sizeof message;
    *memory = NULL;
    return pagemap_memory_create(&options, memory);
}

/* It fails like this, says so, and makes nothing. */
static void check_refused(struct pagemap_memory_options options, int error, const char *expected)
{
    struct pagemap_memory *memory;

    CHECK_EQ(create(options, &memory), error, "%s", expected);
    CHECK_EQ(memory, NULL);
    CHECK_STR_EQ(message, expected);
}

/* ---- options ---- */

static bool is_right(const struct pagemap_memory_options *options)
{
    bool has_path = options->kind == PAGEMAP_FILE || options->kind == PAGEMAP_DEVDAX;
    bool may_be_empty = has_path || options->kind == PAGEMAP_FD;

    return options->kind <= PAGEMAP_FD && has_path == (options->path != NULL) &&
           (options->bytes > 0 || may_be_empty) && (options->offset == 0 || options->kind == PAGEMAP_FD) &&
           (options->huge_page_bytes == 0 || options->kind == PAGEMAP_HUGETLB) &&
           options->bytes % PAGE_SIZE == 0 && options->bytes <= PHYSMEM_END;
}

/* What is right may be refused by the system, which then says why; a wrong one is -EINVAL, with nothing to say. */
static void check_options(const struct pagemap_memory_options *options)
{
    struct pagemap_memory *memory;
    int error = create(*options, &memory);

    if (!is_right(options)) {
        CHECK_EQ(error, -EINVAL, "kind %d, path %s, %lu bytes, offset %lu, huge %lu", (int)options->kind,
                 options->path, (unsigned long)options->bytes, (unsigned long)options->offset,
                 (unsigned long)options->huge_page_bytes);
        CHECK_STR_EQ(message, "");
    } else if (error == 0) {
        CHECK_STR_EQ(message, "");
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
    } else {
        CHECK_NE(error, -EINVAL, "kind %d", (int)options->kind);
        CHECK_NE(message[0], 0);
    }
}

TEST_CASE(memory_system, all_combinations_of_options)
{
    static const uint64_t sizes[] = {0,           1,
                                     PAGE_SIZE,   PAGE_SIZE + 1,
                                     2 * RIG_MB,  PHYSMEM_END + 1 - 2 * RIG_MB,
                                     PHYSMEM_END, PHYSMEM_END + 1,
                                     UINT64_MAX,  UINT64_MAX - (PAGE_SIZE - 1)};
    struct pagemap_memory_options options;

    for (unsigned kind = PAGEMAP_MEMFD; kind <= PAGEMAP_FD + 1; kind++) {
        for (size_t i = 0; i < 8 * sizeof sizes / sizeof *sizes; i++) {
            options = (struct pagemap_memory_options){.kind = (enum pagemap_memory_kind)kind,
                                                      .bytes = sizes[i / 8],
                                                      .path = i % 2 != 0 ? "/nonexistent/memory" : NULL,
                                                      .offset = i / 2 % 2 != 0 ? PAGE_SIZE : 0,
                                                      .huge_page_bytes = i / 4 % 2 != 0 ? 2 * RIG_MB : 0,
                                                      .fd = -1};
            if (kind != PAGEMAP_HUGETLB || options.bytes % (2 * RIG_MB) == 0) {
                check_options(&options);
            }
        }
    }
}

/* Into what room there is, and none where there is none. */
TEST_CASE(memory_system, messages_fit)
{
    struct pagemap_memory_options options = {
        .kind = PAGEMAP_FILE, .path = "/nonexistent/memory", .message = message};
    struct pagemap_memory *memory = NULL;

    for (size_t room = 0; room < 12; room++) {
        memset(message, 'x', sizeof message);
        options.message_size = room;
        CHECK_EQ(pagemap_memory_create(&options, &memory), -ENOENT);
        CHECK_EQ(message[room], 'x');
        if (room > 0) {
            CHECK_EQ(strlen(message), room - 1);
            CHECK_EQ(strncmp(message, "file: the system refused", room - 1), 0);
        }
    }
    options.message = NULL;
    options.message_size = 5;
    CHECK_EQ(pagemap_memory_create(&options, &memory), -ENOENT);
    CHECK_EQ(pagemap_memory_create(&options, NULL), -EINVAL);
}

TEST_CASE(memory_system, the_largest)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = PHYSMEM_END + 1 - PAGE_SIZE};
    struct pagemap_memory *memory;

    REQUIRE_EQ(create(options, &memory), 0);
    CHECK_EQ(pagemap_memory_bytes(memory), options.bytes);
    CHECK_EQ(pagemap_memory_plug(memory, 2 * PAGE_SIZE), -EINVAL, "beyond the end");
    CHECK_EQ(pagemap_memory_plug(memory, PAGE_SIZE), 0, "up to the end");
    CHECK_EQ(pagemap_memory_unplug(memory), 0);
    CHECK_EQ(pagemap_memory_plug(memory, PAGE_SIZE / 2), -EINVAL);
    CHECK_EQ(pagemap_memory_plug(memory, PHYSMEM_END + 1), -EINVAL);
    CHECK_EQ(pagemap_memory_plug(memory, 0), 0);
    CHECK_EQ(pagemap_memory_plug(memory, 0), -EBUSY);
    CHECK_EQ(pagemap_memory_destroy(memory), -EBUSY);
    CHECK_EQ(pagemap_memory_unplug(memory), 0);
    CHECK_EQ(pagemap_memory_unplug(memory), -EINVAL);
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
}

/* ---- what the system refuses ---- */

TEST_CASE(memory_system, pages_of_another_size)
{
    page_bytes = 65536;
    check_refused((struct pagemap_memory_options){.kind = PAGEMAP_MEMFD, .bytes = RIG_MB}, -EOPNOTSUPP,
                  "memfd: pages of this system have 65536 bytes, not 4096");
    page_bytes = 0;
}

/* Huge pages that no system has are named as it would name them. */
static void check_no_huge_pages(uint64_t bytes, uint64_t pages, const char *expected)
{
    struct pagemap_memory_options options = {
        .kind = PAGEMAP_HUGETLB, .huge_page_bytes = bytes, .bytes = pages * bytes};
    struct pagemap_memory *memory;
    char all[160];

    (void)snprintf(all, sizeof all, " %lu huge pages of %s", (unsigned long)pages, expected);
    if (create(options, &memory) == 0) {
        CHECK_EQ(pagemap_memory_granule(memory), bytes);
        CHECK_EQ(pagemap_memory_bytes(memory), pages * bytes);
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
        return;
    }
    CHECK_NE(strstr(message, all), NULL, "%s", message);
    CHECK_NE(strstr(message, strstr(message, "pool") != NULL ? "hugetlb: the pool lacks "
                                                             : "hugetlb: this system has no "),
             NULL, "%s", message);
}

TEST_CASE(memory_system, huge_pages_by_their_size)
{
    check_no_huge_pages(2 * PAGE_SIZE, 5, "8 KiB (hugepages-8kB)");
    check_no_huge_pages(RIG_MB / 2, 3, "512 KiB (hugepages-512kB)");
    check_no_huge_pages(RIG_MB, 3, "1 MiB (hugepages-1024kB)");
    check_no_huge_pages(RIG_GB / 2, 2, "512 MiB (hugepages-524288kB)");
    check_no_huge_pages(RIG_GB, 4000, "1 GiB (hugepages-1048576kB)");
    check_no_huge_pages(4 * RIG_GB, 3, "4 GiB (hugepages-4194304kB)");
    check_refused((struct pagemap_memory_options){.kind = PAGEMAP_HUGETLB,
                                                  .huge_page_bytes = PAGE_SIZE,
                                                  .bytes = RIG_MB},
                  -EINVAL, "");
    check_refused((struct pagemap_memory_options){.kind = PAGEMAP_HUGETLB,
                                                  .huge_page_bytes = 3 * PAGE_SIZE,
                                                  .bytes = 3 * RIG_MB},
                  -EINVAL, "");
    check_refused((struct pagemap_memory_options){.kind = PAGEMAP_HUGETLB, .bytes = RIG_MB}, -EINVAL, "");
}

/* Each call that a kind makes, refused: the errno is the system's, and no descriptor stays. */
static const struct refusal {
    enum pagemap_memory_kind kind;
    long call;
    int error;
    const char *says;
} refusals[] = {
    {PAGEMAP_MEMFD, SYS_memfd_create, EMFILE, "memfd: the system refused it (errno 24)"},
    {PAGEMAP_MEMFD, SYS_ftruncate, EFBIG, "memfd: the system refused it (errno 27)"},
    {PAGEMAP_HUGETLB, SYS_memfd_create, ENOSYS,
     "hugetlb: this system has no 2 huge pages of 2 MiB (hugepages-2048kB)"},
    {PAGEMAP_FD, SYS_fcntl, EMFILE, "fd: the system refused it (errno 24)"},
    {PAGEMAP_FD, SYS_fstatfs, EIO, "fd: the system refused it (errno 5)"},
};

static const struct refusal *refusal;

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    REQUIRE_GE(fd, 0);
    (void)close(fd);
    return fd;
}

static void refused_call(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC), before;

    REQUIRE_EQ(ftruncate(fd, 4 * (off_t)RIG_MB), 0);
    before = lowest_free();
    refuse(refusal->call, refusal->error);
    for (unsigned i = 0; i < 3; i++) {
        check_refused((struct pagemap_memory_options){.kind = refusal->kind,
                                                      .bytes = 4 * RIG_MB,
                                                      .fd = refusal->kind == PAGEMAP_FD ? fd : 0},
                      -refusal->error, refusal->says);
    }
    CHECK_EQ(lowest_free(), before);
}

TEST_CASE(memory_system, each_refused_call)
{
    for (refusal = refusals; refusal < refusals + sizeof refusals / sizeof *refusals; refusal++) {
        child_run(refused_call);
    }
}

#if !SANITIZED
TEST_CASE(memory_system, refused_mappings)
{
    int fd = memfd_create("test", MFD_CLOEXEC), before;

    REQUIRE_EQ(ftruncate(fd, 4 * (off_t)RIG_MB), 0);
    before = lowest_free();
    maps_no_file = true;
    check_refused((struct pagemap_memory_options){.kind = PAGEMAP_FD, .fd = fd}, -EACCES,
                  "fd: the system refused it (errno 13)");
    maps_no_file = false;
    CHECK_EQ(lowest_free(), before);
    (void)close(fd);
}
#endif

/* ---- files ---- */

#if !SANITIZED
/* All mappings of such memory are so, and leave no address space behind. */
static void map_and_view(struct pagemap_memory *memory)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct pagemap_export exported;

    REQUIRE_EQ(pagemap_memory_plug(memory, RIG_GB), 0);
    sync_mappings = 0;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(sync_mappings, grants_sync ? 1 : 0, "the linear map");
    REQUIRE_EQ(pagemap_export(RIG_GB, PAGE_SIZE, 0, &exported), 0);
    CHECK(!exported.is_sealed);
    (void)close(exported.fd);
    pagemap_export_end(&exported);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

static void check_sync(bool granted)
{
    char path[] = "/tmp/pagemap_test_XXXXXX";
    struct pagemap_memory_options options = {.kind = PAGEMAP_FILE, .path = path};
    struct pagemap_memory *memory;

    file_of(path, 2 * (off_t)RIG_MB);
    grants_sync = granted;
    REQUIRE_EQ(create(options, &memory), 0);
    CHECK_EQ(pagemap_memory_is_sync(memory), granted);
    CHECK_STR_EQ(pagemap_memory_report(memory),
                 granted ? "file: with MAP_SYNC"
                         : "file: MAP_SYNC refused (errno 95), stores need msync to be durable");
    map_and_view(memory);
    options = (struct pagemap_memory_options){.kind = PAGEMAP_FD, .fd = open(path, O_RDWR | O_CLOEXEC)};
    REQUIRE_EQ(create(options, &memory), 0);
    CHECK_EQ(pagemap_memory_is_sync(memory), granted);
    CHECK_STR_EQ(
        pagemap_memory_report(memory),
        granted ? "fd: not sealed: who shrinks the file takes the memory away (SIGBUS), stores are durable"
                : "fd: not sealed: who shrinks the file takes the memory away (SIGBUS)");
    map_and_view(memory);
    (void)close(options.fd);
    grants_sync = false;
    (void)unlink(path);
}

TEST_CASE(memory_system, durable_where_the_file_system_can)
{
    check_sync(false);
    check_sync(true);
}
#endif

/* ---- nothing is kept ---- */

static void create_and_destroy(unsigned times)
{
    char path[] = "/tmp/pagemap_test_XXXXXX";
    int fd = memfd_create("test", MFD_CLOEXEC);

    REQUIRE_EQ(ftruncate(fd, 2 * (off_t)RIG_MB), 0);
    file_of(path, 2 * (off_t)RIG_MB);
    for (unsigned i = 0; i < times; i++) {
        struct pagemap_memory_options all[] = {
            {.kind = PAGEMAP_MEMFD, .bytes = 2 * RIG_MB},  {.kind = PAGEMAP_HUGETLB, .bytes = 2 * RIG_MB},
            {.kind = PAGEMAP_FILE, .path = path},          {.kind = PAGEMAP_FD, .fd = fd},
            {.kind = PAGEMAP_DEVDAX, .path = "/dev/null"}, {.kind = PAGEMAP_FD, .fd = fd, .offset = RIG_GB},
        };

        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            struct pagemap_memory *memory;

            (void)create(all[k], &memory);
            CHECK_EQ(pagemap_memory_destroy(memory), 0);
        }
    }
    (void)close(fd);
    (void)unlink(path);
}

TEST_CASE(memory_system, nothing_is_kept_of_hundreds)
{
    uint64_t before;
    int fd;

    create_and_destroy(2);
    before = mapped_bytes() / PAGE_SIZE;
    fd = lowest_free();
#if !SANITIZED
    grants_sync = true;
#endif
    create_and_destroy(100);
    CHECK_EQ(lowest_free(), fd);
    if (!SANITIZED) {
        CHECK_LE(mapped_bytes() / PAGE_SIZE, before + 100);
    }
#if !SANITIZED
    grants_sync = false;
#endif
}
