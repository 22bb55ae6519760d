// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each kind of memory sets in its description, where its bytes lie, and the descriptor that it has: any number,
 * also 0, for programs alone that do not run others. fopen() and fstatfs() are ours here: device-dax and huge pages
 * where there are none.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "pagemap/backend/backend.h"
#include "pagemap/export.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/temporary.h"

#define BYTES (4 * RIG_MB)

static bool is_devdax, is_huge;

/* /dev/zero as a device-dax. */
FILE *fopen(const char *restrict path, const char *restrict mode)
{
    FILE *(*next)(const char *, const char *);

    if (is_devdax && strncmp(path, "/sys/dev/char/1:5/", 18) == 0) {
        static char size[] = "4194304", align[] = "2097152";

        return strcmp(path + 18, "size") == 0 ? fmemopen(size, 7, "r") : fmemopen(align, 7, "r");
    }
    *(void **)&next = dlsym(RTLD_NEXT, "fopen");
    return next(path, mode);
}

int fstatfs(int fd, struct statfs *system)
{
    int (*next)(int, struct statfs *), result;

    *(void **)&next = dlsym(RTLD_NEXT, "fstatfs");
    result = next(fd, system);
    if (is_huge) {
        system->f_type = 0x958458f6;
        system->f_bsize = 2 << 20;
    }
    return result;
}

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    REQUIRE_GE(fd, 0);
    (void)close(fd);
    return fd;
}

static int memfd_of(uint64_t bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    REQUIRE_GE(fd, 0);
    REQUIRE_EQ(ftruncate(fd, (off_t)bytes), 0);
    return fd;
}

/* ---- each kind ---- */

static char path[] = "/tmp/pagemap_test_XXXXXX";
static int file;

static struct kind {
    struct pagemap_memory_options options;
    uint64_t granule;
    bool is_sync, is_sealed;
    const char *report;
} kinds[] = {
    {{.kind = PAGEMAP_MEMFD, .bytes = BYTES}, PAGE_SIZE, false, true, "memfd"},
    {{.kind = PAGEMAP_HUGETLB, .bytes = BYTES}, 2 * RIG_MB, false, true, "hugetlb"},
    {{.kind = PAGEMAP_FILE, .path = path}, PAGE_SIZE, false, false, "file: MAP_SYNC refused (errno "},
    {{.kind = PAGEMAP_DEVDAX, .path = "/dev/zero"}, 2 * RIG_MB, true, true, "devdax"},
    {{.kind = PAGEMAP_FD}, PAGE_SIZE, false, false, "fd: not sealed"},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void prepare(void)
{
    memcpy(path, "/tmp/pagemap_test_XXXXXX", sizeof path);
    file_of(path, BYTES);
    file = memfd_of(BYTES);
    kinds[PAGEMAP_FD].options.fd = file;
    is_devdax = true;
}

static void clean_up(void)
{
    is_devdax = false;
    (void)unlink(path);
    (void)close(file);
}

/* Huge pages may be none or all in use: then 0 is told by the message alone. */
static struct pagemap_memory *create(const struct kind *kind)
{
    struct pagemap_memory *memory = NULL;
    int error = pagemap_memory_create(&kind->options, &memory);

    CHECK(error == 0 || kind->options.kind == PAGEMAP_HUGETLB, "%s: %d", kind->report, error);
    return memory;
}

TEST_CASE(backend, what_each_kind_says_of_itself)
{
    prepare();
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++) {
        int expected = lowest_free();
        struct pagemap_memory *memory = create(kind);

        if (memory != NULL) {
            CHECK_EQ(memory->fd, expected);
            CHECK_EQ(fcntl(memory->fd, F_GETFD), FD_CLOEXEC, "%s", kind->report);
            CHECK_EQ(fcntl(memory->fd, F_GETFL) & O_ACCMODE, O_RDWR, "%s", kind->report);
            CHECK_EQ(memory->map_flags, MAP_SHARED);
            CHECK_EQ(memory->offset, 0);
            CHECK_EQ(memory->bytes, BYTES);
            CHECK_EQ(memory->granule, kind->granule);
            CHECK_EQ(memory->is_sync, kind->is_sync, "%s", kind->report);
            CHECK_EQ(memory->is_sealed, kind->is_sealed, "%s", kind->report);
            CHECK_EQ(strncmp(memory->report, kind->report, strlen(kind->report)), 0, "%s", memory->report);
            CHECK_EQ(pagemap_memory_destroy(memory), 0);
        }
        CHECK_EQ(lowest_free(), expected, "%s", kind->report);
    }
    clean_up();
}

/* A daemon that has closed its own. */
static void without_standard_input(void)
{
    prepare();
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++) {
        struct pagemap_memory *memory = create(kind);

        if (memory != NULL) {
            CHECK_EQ(memory->fd, STDIN_FILENO, "%s", kind->report);
            CHECK_EQ(pagemap_memory_destroy(memory), 0);
        }
        CHECK_EQ(fcntl(STDIN_FILENO, F_GETFD), -1, "%s", kind->report);
    }
    /* And one that is handed over. */
    REQUIRE_EQ(dup(file), STDIN_FILENO);
    kinds[PAGEMAP_FD].options.fd = STDIN_FILENO;
    CHECK_EQ(pagemap_memory_destroy(create(&kinds[PAGEMAP_FD])), 0);
    clean_up();
}

static void export_without_standard_input(void)
{
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    for (unsigned flags = 0; flags <= PAGEMAP_EXPORT_READ_ONLY; flags += PAGEMAP_EXPORT_READ_ONLY) {
        struct pagemap_export exported = {.fd = -7};

        CHECK_EQ(pagemap_export(PAGE_SIZE, PAGE_SIZE, flags, &exported), 0);
        CHECK_EQ(exported.fd, STDIN_FILENO);
        CHECK_EQ(exported.bytes, PAGE_SIZE);
        CHECK_EQ(fcntl(exported.fd, F_GETFD), FD_CLOEXEC);
        (void)close(exported.fd);
        pagemap_export_end(&exported);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(backend, descriptor_0_is_one_like_others)
{
    child_run(without_standard_input);
    child_run(export_without_standard_input);
}

/* ---- refusals ---- */

/* What fails before anything is open closes nothing. */
TEST_CASE(backend, no_descriptor_is_closed_that_was_not_opened)
{
    struct pagemap_memory_options huge = {
        .kind = PAGEMAP_HUGETLB, .bytes = PAGE_SIZE, .huge_page_bytes = 3 * PAGE_SIZE};
    struct pagemap_memory_options one = {.kind = PAGEMAP_HUGETLB, .bytes = 2 * RIG_MB, .huge_page_bytes = 1};
    struct pagemap_memory_options memfd = {.kind = PAGEMAP_MEMFD, .bytes = BYTES};
    int is_open = dup(STDERR_FILENO), zero = lowest_free() == 0 ? dup2(is_open, 0) : 0;
    struct pagemap_memory *memory = NULL;

    CHECK_EQ(zero, 0);
    CHECK_EQ(pagemap_memory_create(&huge, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&one, &memory), -EINVAL);
    for (unsigned step = 1; step <= 2; step++) {
        (void)pm_fault_arm(step);
        CHECK_EQ(pagemap_memory_create(&memfd, &memory), -ENOMEM, "step %u", step);
        CHECK_EQ(pm_fault_arm(0), 0);
    }
    CHECK_EQ(memory, NULL);
    CHECK_GE(fcntl(0, F_GETFD), 0);
    (void)close(is_open);
}

static void check_refused(const struct pagemap_memory_options *options, int error, const char *expected)
{
    struct pagemap_memory_options with_message = *options;
    struct pagemap_memory *memory = NULL;
    char message[160] = "from before";
    int free_fd = lowest_free();

    with_message.message = message;
    with_message.message_size = sizeof message;
    CHECK_EQ(pagemap_memory_create(&with_message, &memory), error, "%s", expected);
    CHECK_STR_EQ(message, expected);
    CHECK_EQ(lowest_free(), free_fd);
    CHECK_EQ(memory, NULL);
}

/* Of a file, a character device that is none, and a pipe. */
TEST_CASE(backend, what_is_no_device_dax)
{
    struct pagemap_memory_options dax = {.kind = PAGEMAP_DEVDAX}, handed = {.kind = PAGEMAP_FD};
    int ends[2];

    prepare();
    dax.path = path;
    check_refused(&dax, -ENODEV, "devdax: the path is no device-dax instance");
    dax.path = "/dev/null";
    check_refused(&dax, -ENODEV, "devdax: the path is no device-dax instance");
    dax.path = "/nonexistent";
    check_refused(&dax, -ENOENT, "devdax: the system refused /nonexistent (errno 2)");
    REQUIRE_EQ(pipe(ends), 0);
    handed.fd = ends[0];
    check_refused(&handed, -ENODEV, "fd: neither a file nor a device-dax instance");
    (void)close(ends[0]);
    (void)close(ends[1]);
    clean_up();
}

static const long refused_stat =
#if defined(SYS_newfstatat)
    SYS_newfstatat;
#else
    SYS_fstat;
#endif

/* Where nothing can be asked of an open file. */
static void without_fstat(void)
{
    struct pagemap_memory *memory = create(&kinds[PAGEMAP_MEMFD]);
    struct stat status;

    prepare();
    refuse(refused_stat, EIO);
    refuse(SYS_fstat, EIO);
    REQUIRE_EQ(fstat(file, &status), -1);
    for (unsigned kind = PAGEMAP_FILE; kind <= PAGEMAP_FD; kind++) {
        struct pagemap_memory *none = NULL;

        CHECK_EQ(pagemap_memory_create(&kinds[kind].options, &none), -EIO, "%s", kinds[kind].report);
        CHECK_EQ(none, NULL);
    }
    CHECK_EQ(pagemap_memory_resident(memory), 0);
    clean_up();
}

/* A file that is as large as it should be is left as it is; one that cannot grow is refused. */
static void without_ftruncate(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_FILE, .path = path};
    char expected[160];

    prepare();
    (void)snprintf(expected, sizeof expected, "file: the system refused %s (errno 5)", path);
    refuse(SYS_ftruncate, EIO);
    for (uint64_t bytes = BYTES - PAGE_SIZE; bytes <= BYTES; bytes += PAGE_SIZE) {
        struct pagemap_memory *memory = NULL;

        options.bytes = bytes;
        CHECK_EQ(pagemap_memory_create(&options, &memory), 0);
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
    }
    options.bytes = BYTES + PAGE_SIZE;
    check_refused(&options, -EIO, expected);
    clean_up();
}

TEST_CASE(backend, refused_calls)
{
    child_run(without_fstat);
    child_run(without_ftruncate);
}

/* ---- stretches of a file ---- */

static int take(uint64_t offset, uint64_t bytes, struct pagemap_memory **memory)
{
    struct pagemap_memory_options options = {
        .kind = PAGEMAP_FD, .fd = file, .offset = offset, .bytes = bytes};

    *memory = NULL;
    return pagemap_memory_create(&options, memory);
}

static void check_stretch(uint64_t offset, uint64_t bytes, uint64_t size, uint64_t granule)
{
    const bool fits = offset % granule == 0 && bytes % granule == 0 && offset < size &&
                      bytes <= size - offset && (bytes != 0 || (size - offset) % granule == 0);
    struct pagemap_memory *memory;

    CHECK_EQ(take(offset, bytes, &memory), fits ? 0 : -EINVAL, "%#lx from %#lx on", (unsigned long)bytes,
             (unsigned long)offset);
    if (memory != NULL) {
        CHECK_EQ(memory->offset, offset);
        CHECK_EQ(memory->bytes, bytes != 0 ? bytes : size - offset);
        CHECK_EQ(memory->granule, granule);
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
    }
}

/* In pages, and in huge pages where the file has those. */
TEST_CASE(backend, stretches)
{
    const uint64_t size = 8 * RIG_MB;

    file = memfd_of(size);
    for (unsigned huge = 0; huge <= 1; huge++) {
        is_huge = huge != 0;
        for (uint64_t offset = 0; offset <= size + 2 * RIG_MB; offset += RIG_MB) {
            for (uint64_t bytes = 0; bytes <= size + 2 * RIG_MB; bytes += RIG_MB) {
                check_stretch(offset, bytes, size, is_huge ? 2 * RIG_MB : PAGE_SIZE);
            }
        }
        check_stretch(PAGE_SIZE, 2 * RIG_MB, size, is_huge ? 2 * RIG_MB : PAGE_SIZE);
        check_stretch(2 * RIG_MB, PAGE_SIZE, size, is_huge ? 2 * RIG_MB : PAGE_SIZE);
    }
    is_huge = false;
    (void)close(file);
}

/* Neither all of a file, nor a part, is more than there are addresses. */
TEST_CASE(backend, a_file_of_all_addresses)
{
    struct pagemap_memory *memory;

    file = memfd_of(PHYSMEM_END + 1);
    CHECK_EQ(take(0, 0, &memory), -EINVAL);
    CHECK_EQ(take(PAGE_SIZE, 0, &memory), 0);
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    REQUIRE_EQ(ftruncate(file, 4 * (off_t)(PHYSMEM_END + 1)), 0);
    CHECK_EQ(take(0, 0, &memory), -EINVAL);
    (void)close(file);
}

/* Seals other than that against shrinking leave it as it is. */
TEST_CASE(backend, seals_of_a_file)
{
    static const struct {
        int seals;
        bool is_sealed;
    } cases[] = {
        {0, false}, {F_SEAL_GROW, false}, {F_SEAL_SHRINK, true}, {F_SEAL_GROW | F_SEAL_SHRINK, true}};
    struct pagemap_memory *memory;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file = memfd_of(BYTES);
        REQUIRE_EQ(fcntl(file, F_ADD_SEALS, cases[i].seals), 0);
        REQUIRE_EQ(take(0, 0, &memory), 0);
        CHECK_EQ(memory->is_sealed, cases[i].is_sealed, "case %zu", i);
        CHECK_STR_EQ(memory->report,
                     cases[i].is_sealed
                         ? "fd: nobody can shrink it"
                         : "fd: not sealed: who shrinks the file takes the memory away (SIGBUS)");
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
        (void)close(file);
    }
    file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    REQUIRE_GE(file, 0);
    REQUIRE_EQ(ftruncate(file, BYTES), 0);
    REQUIRE_EQ(take(0, 0, &memory), 0);
    CHECK(!memory->is_sealed, "has no seals at all");
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    (void)close(file);
}
