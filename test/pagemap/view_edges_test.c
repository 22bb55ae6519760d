// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a view shows page by page: beside poisoned pages and denied ones, of larger pages, by userfaultfd whose
 * descriptor is 0, and after a signal. And what is left of it in the library's maps: nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "pagemap/backend/backend.h"
#include "pagemap/mapping/mapping.h"
#include "pagemap/statistics.h"
#include "pagemap/view/view.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/recorder.h"

enum { PAGES = 16, GRANULE = 8, POPULATE_READ = 22, POPULATE_WRITE = 23 };

static struct file_rig rig;

/* As many calls that populate are interrupted by a signal. */
static unsigned interrupts;

int madvise(void *address, size_t bytes, int advice)
{
    if (interrupts > 0 && (advice == POPULATE_READ || advice == POPULATE_WRITE)) {
        interrupts--;
        errno = EINTR;
        return -1;
    }
    return (int)syscall(SYS_madvise, address, bytes, advice);
}

static void set_up(enum pagemap_revocation how)
{
    if (pagemap_set_revocation(how) != 0) {
        child_skip(pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
}

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics statistics;

    REQUIRE_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
    return statistics;
}

/* The page of the view is there for all, or for nobody. */
static void check_page(const char *view, uint64_t index, bool there)
{
    const char *address = view + index * PAGE_SIZE;
    struct page *page;
    long got = get_user_pages((uintptr_t)address, 1, 0, &page);

    CHECK_EQ(got, there ? 1 : -EFAULT, "page %u", (unsigned)index);
    CHECK_EQ(touch_read(address, NULL), there ? 0 : SIGBUS, "page %u", (unsigned)index);
    if (got == 1) {
        put_page(page);
    }
}

/* Exactly the pages whose bits are set. */
static void check_mask(const char *view, uint64_t nr_pages, uint64_t there)
{
    for (uint64_t i = 0; i < nr_pages; i++) {
        check_page(view, i, (there >> i & 1) != 0);
    }
}

/* ---- poisoned pages ---- */

static void poison(uint64_t mask, bool on)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        if ((mask >> i & 1) != 0) {
            CHECK_EQ(on ? memory_failure(i, 0) : unpoison_memory(i), 0);
        }
    }
}

/* All sets of six pages, of which one is not in the file at first, and one ends it. */
TEST_CASE(view_edges, shown_without_poisoned_pages)
{
    enum { SIX = 6 };

    set_up(PAGEMAP_REVOKE_OVERLAY);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, SIX), 0);
    for (uint64_t mask = 0; mask < UINT64_C(1) << SIX; mask++) {
        char *view;

        poison(mask, true);
        view = file_rig_view(&rig, 0, SIX);
        check_mask(view, SIX, ~mask);
        poison(mask, false);
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
        check_mask(view, SIX, ~UINT64_C(0));
        CHECK_EQ(vm_munmap(view, SIX * PAGE_SIZE), 0);
    }
    file_rig_tear_down(&rig);
}

/* ---- larger pages: the memory says so, and is an ordinary one ---- */

static void check_alignments(void)
{
    for (size_t alignment = 1; alignment <= 64 * PAGE_SIZE; alignment *= 2) {
        void *view = vm_mmap_aligned(&rig.file, GRANULE * PAGE_SIZE, PROT_READ, 0, alignment);

        REQUIRE(!IS_ERR(view));
        CHECK_EQ((uintptr_t)view % (GRANULE * PAGE_SIZE), 0u);
        CHECK_EQ((uintptr_t)view % alignment, 0u);
        CHECK_EQ(vm_munmap(view, GRANULE * PAGE_SIZE), 0);
    }
    for (uint64_t i = 1; i < GRANULE; i++) {
        CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, i * PAGE_SIZE, PROT_READ, 0)), -EINVAL);
        CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, GRANULE * PAGE_SIZE, PROT_READ, i * PAGE_SIZE)), -EINVAL);
    }
}

/* Revoked, shown and poisoned as a whole: each page of the second of three. */
static void check_whole_pages(char *view)
{
    const uint64_t all = (UINT64_C(1) << 3 * GRANULE) - 1, second = UINT64_C(0xff) << GRANULE;

    for (uint64_t i = GRANULE; i < 2 * GRANULE; i++) {
        unmap_mapping_pages(&rig.file, i, 1, false);
        check_mask(view, 3 * GRANULE, all & ~second);
        CHECK_EQ(map_mapping_range(&rig.file, i * PAGE_SIZE, 1), 0);
        check_mask(view, 3 * GRANULE, all);
        CHECK_EQ(memory_failure(i, 0), 0);
        unmap_mapping_range(&rig.file, 0, 0, 0);
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
        check_mask(view, 3 * GRANULE, all & ~second);
        CHECK_EQ(unpoison_memory(i), 0);
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    }
}

TEST_CASE(view_edges, larger_pages_as_a_whole)
{
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    rig.memory->granule = GRANULE * PAGE_SIZE;
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 3 * GRANULE), 0);
    check_alignments();
    view = file_rig_view(&rig, 0, 3 * GRANULE);
    check_whole_pages(view);
    CHECK_EQ(vm_munmap(view, 3 * GRANULE * PAGE_SIZE), 0);
    rig.memory->granule = PAGE_SIZE;
    file_rig_tear_down(&rig);
}

/* ---- denied pages ---- */

/* As many as there are before the first that is denied, and none behind it. */
static void check_many(char *view, uint64_t there)
{
    struct page *pages[PAGES];

    for (uint64_t from = 0; from <= there; from++) {
        long got = get_user_pages((uintptr_t)view + from * PAGE_SIZE, PAGES - from, 0, pages);

        CHECK_EQ(got, from < there ? (long)(there - from) : -EFAULT, "from %u on, denied %u", (unsigned)from,
                 (unsigned)there);
        for (long i = 0; i < got; i++) {
            CHECK_EQ(pages[i], pfn_to_page(from + (uint64_t)i));
            put_page(pages[i]);
        }
    }
}

/* One page is denied, or two and what lies between; then another is shown by itself: the others stay as they were. */
static void check_settled(char *view, uint64_t one, uint64_t other, uint64_t shown)
{
    uint64_t low = one < other ? one : other, high = one < other ? other : one;
    uint64_t denied = ((UINT64_C(2) << (high - low)) - 1) << low;
    const uint64_t both[2] = {one, other};

    for (unsigned i = 0; i < 2; i++) {
        (void)pm_fault_arm(3);
        unmap_mapping_pages(&rig.file, both[i], 1, false);
        CHECK_EQ(pm_fault_arm(0), 0u);
    }
    check_mask(view, PAGES, ~denied);
    check_many(view, low);
    CHECK_EQ(map_mapping_range(&rig.file, shown * PAGE_SIZE, PAGE_SIZE), 0);
    check_mask(view, PAGES, ~denied | UINT64_C(1) << shown);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    check_mask(view, PAGES, ~UINT64_C(0));
}

TEST_CASE(view_edges, what_is_denied_stays_so_while_others_are_shown)
{
    static const uint64_t pages[][2] = {{3, 3}, {0, 0}, {15, 15}, {3, 5}, {5, 3}, {4, 5}, {14, 15}, {0, 1}};
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        for (uint64_t shown = 0; shown < PAGES; shown += i < 2 ? 1 : 5) {
            check_settled(view, pages[i][0], pages[i][1], shown);
        }
    }
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* ---- what fails in the middle ---- */

/* Of two runs the second cannot be shown: the first one stays. Of the first: nothing is shown. */
TEST_CASE(view_edges, a_run_that_fails_takes_no_other_with_it)
{
    bool first_stays = false, all = false;
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 100, 4), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 8, 200, 4), 0);
    view = file_rig_view(&rig, 0, PAGES);
    for (unsigned step = 1; !all; step++) {
        int error;

        unmap_mapping_range(&rig.file, 0, 0, 0);
        (void)pm_fault_arm(step);
        error = map_mapping_range(&rig.file, 0, 0);
        all = pm_fault_arm(0) != 0;
        CHECK_EQ(error, all ? 0 : -ENOMEM);
        first_stays |= error != 0 && touch_read(view, NULL) == 0;
        for (unsigned i = 0; i < 4; i++) {
            check_page(view, i, touch_read(view, NULL) == 0);
            check_page(view, 8 + i, error == 0);
        }
    }
    CHECK(first_stays);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* ---- userfaultfd ---- */

/* A view that is revoked by it, not by the overlay. */
static void check_by_userfaultfd(int prot)
{
    uint64_t before = stats().revoked_by_uffd, fallen = stats().views_fallen_back;
    char *view = vm_mmap(&rig.file, PAGES * PAGE_SIZE, prot, 0);

    REQUIRE(!IS_ERR(view));
    if (stats().views_fallen_back > fallen && strstr(pagemap_revocation_report(), "RLIMIT_MEMLOCK") != NULL) {
        child_skip("no memory may be locked here (RLIMIT_MEMLOCK)");
    }
    CHECK_EQ(pagemap_view_revocation(view), PAGEMAP_REVOKE_UFFD);
    unmap_mapping_pages(&rig.file, 3, 1, false);
    CHECK_EQ(stats().revoked_by_uffd, before + 1);
    check_mask(view, PAGES, ~(UINT64_C(1) << 3));
    CHECK_EQ(stats().views_fallen_back, fallen);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
}

static void with_userfaultfd(void)
{
    set_up(PAGEMAP_REVOKE_UFFD);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    check_by_userfaultfd(PROT_READ | PROT_WRITE);
    for (unsigned i = 1; i < 4; i++) {
        interrupts = i;
        check_by_userfaultfd(i % 2 == 0 ? PROT_READ : PROT_READ | PROT_WRITE);
        CHECK_EQ(interrupts, 0u, "it was tried again");
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(view_edges, populating_goes_on_after_a_signal)
{
    child_run(with_userfaultfd);
}

/* A userfaultfd is set up once: it refuses that afterwards. */
static bool is_set_up(int fd)
{
    struct uffdio_api api = {.api = UFFD_API};

    return ioctl(fd, UFFDIO_API, &api) != 0;
}

/* 0 is a descriptor like others, whatever is in errno before. A program that is started does not get it. */
static void without_standard_input(void)
{
    static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM, 0};

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            if (close(STDIN_FILENO) != 0) {
                _exit(2);
            }
            errno = errors[i];
            _exit(pagemap_set_revocation(PAGEMAP_REVOKE_UFFD) == 0 && is_set_up(STDIN_FILENO) &&
                          strncmp(pagemap_revocation_report(), "userfaultfd", 11) == 0 &&
                          fcntl(STDIN_FILENO, F_GETFD) == FD_CLOEXEC
                      ? 0
                      : 1);
        }
        REQUIRE_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0, "after errno %d", errors[i]);
    }
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    set_up(PAGEMAP_REVOKE_UFFD);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    check_by_userfaultfd(PROT_READ | PROT_WRITE);
    file_rig_tear_down(&rig);
}

static void need_userfaultfd(void)
{
    if (pagemap_set_revocation(PAGEMAP_REVOKE_UFFD) != 0) {
        child_skip(pagemap_revocation_report());
    }
}

TEST_CASE(view_edges, userfaultfd_as_standard_input)
{
    child_run(need_userfaultfd); /* else this is skipped */
    child_run(without_standard_input);
}

/* A view that cannot be registered, or shown, falls back, says why, and has no memory locked. */
static uint64_t locked_kb(void)
{
    unsigned long kb = 0;
    char line[128];
    FILE *file = fopen("/proc/self/status", "re");

    REQUIRE_NE(file, NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "VmLck: %lu", &kb);
    }
    (void)fclose(file);
    return kb;
}

static void failing_steps(void)
{
    bool all = false, registering = false, showing = false;
    char *view;

    set_up(PAGEMAP_REVOKE_UFFD);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    check_by_userfaultfd(PROT_READ);
    for (unsigned step = 1; !all; step++) {
        enum pagemap_revocation how;
        int error;

        view = file_rig_view(&rig, 0, PAGES);
        unmap_mapping_range(&rig.file, 0, 0, 0);
        (void)pm_fault_arm(step);
        error = map_mapping_range(&rig.file, 0, 0);
        all = pm_fault_arm(0) != 0;
        how = pagemap_view_revocation(view);
        if (how == PAGEMAP_REVOKE_OVERLAY) {
            CHECK_EQ(locked_kb(), 0u);
            registering |=
                error == 0 && strstr(pagemap_revocation_report(), "userfaultfd for its kind") != NULL;
            showing |= error != 0 && strstr(pagemap_revocation_report(), "vm.max_map_count") != NULL;
        }
        CHECK(!all || (error == 0 && how == PAGEMAP_REVOKE_UFFD));
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    }
    CHECK(registering);
    CHECK(showing);
    file_rig_tear_down(&rig);
}

TEST_CASE(view_edges, falls_back_where_a_step_fails)
{
    child_run(failing_steps);
}
