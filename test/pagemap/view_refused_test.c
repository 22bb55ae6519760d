// SPDX-License-Identifier: BSD-2-Clause
/*
 * Views where the system refuses a step of making or revoking them: how they are revoked then, what is counted and
 * said, and that as much is taken away as must be. Each in a child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"

enum { PAGES = 16, POPULATE_READ = 22, POPULATE_WRITE = 23, DONTNEED_LOCKED = 24 };

static struct file_rig rig;

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics statistics;

    REQUIRE_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
    return statistics;
}

static void set_up(enum pagemap_revocation how)
{
    if (pagemap_set_revocation(how) != 0) {
        child_skip(pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
}

/* A view is made, a page of it revoked and shown again, and it ends. */
static void check_life(int prot)
{
    char *view = vm_mmap(&rig.file, PAGES * PAGE_SIZE, prot, 0);
    struct page *page;

    REQUIRE(!IS_ERR(view), "error %ld", PTR_ERR(view));
    CHECK_EQ(touch_read(view + 3 * PAGE_SIZE, NULL), 0);
    unmap_mapping_pages(&rig.file, 3, 1, false);
    CHECK_NE(touch_read(view + 3 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(get_user_pages((uintptr_t)view + 3 * PAGE_SIZE, 1, 0, &page), -EFAULT);
    CHECK_EQ(touch_read(view + 4 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    CHECK_EQ(touch_read(view + 3 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(touch_read(view, NULL), SIGSEGV);
}

/* ---- what userfaultfd needs ---- */

static const struct lack {
    long call;
    unsigned argument;
    uint32_t value;
    int error;
    const char *missing;
} lacks[] = {
    {SYS_madvise, 2, POPULATE_WRITE, ENOMEM, "memory for all of its pages (MADV_POPULATE_WRITE)"},
    {SYS_madvise, 2, POPULATE_WRITE, EFAULT, "memory for all of its pages (MADV_POPULATE_WRITE)"},
    {SYS_mlock, 1, PAGES * 4096, ENOMEM, "memory that may be locked (RLIMIT_MEMLOCK)"},
    {SYS_ioctl, 1, (uint32_t)UFFDIO_REGISTER, EINVAL, "userfaultfd for its kind of memory"},
    {SYS_madvise, 2, DONTNEED_LOCKED, EINVAL, "madvise(MADV_DONTNEED_LOCKED)"},
};

static const struct lack *lack;

/* So many views fell back, once each; the report names why. */
static void check_fallen_back(uint64_t before)
{
    char expected[200];

    (void)snprintf(expected, sizeof expected,
                   "userfaultfd; the last view that fell back to the overlay lacked %s", lack->missing);
    CHECK_STR_EQ(pagemap_revocation_report(), expected);
    CHECK_EQ(stats().views_fallen_back, before + 1);
}

/* A view that was granted all before. Then the system refuses. */
static void without_one_thing(void)
{
    uint64_t overlays, fallen;

    set_up(PAGEMAP_REVOKE_UFFD);
    check_life(PROT_READ | PROT_WRITE);
    if (stats().views_fallen_back > 0) {
        child_skip("no memory may be locked here (RLIMIT_MEMLOCK)");
    }
    CHECK_STR_EQ(pagemap_revocation_report(), "userfaultfd");
    overlays = stats().revoked_by_overlay;
    fallen = stats().views_fallen_back;
    refuse_argument(lack->call, lack->argument, lack->value, lack->error);
    check_life(PROT_READ | PROT_WRITE);
    check_fallen_back(fallen);
    CHECK_EQ(stats().revoked_by_overlay, overlays + 1);
    CHECK_EQ(stats().revoked_whole_view, 0);
    file_rig_tear_down(&rig);
}

static void need_userfaultfd(void)
{
    if (pagemap_set_revocation(PAGEMAP_REVOKE_UFFD) != 0) {
        child_skip(pagemap_revocation_report());
    }
}

TEST_CASE(view_refused, each_thing_that_userfaultfd_needs)
{
    child_run(need_userfaultfd); /* else this is skipped */
    for (lack = lacks; lack < lacks + sizeof lacks / sizeof *lacks; lack++) {
        child_run(without_one_thing);
    }
}

/* What may only be read is not written to be there. */
static void read_only(void)
{
    set_up(PAGEMAP_REVOKE_UFFD);
    refuse_argument(SYS_madvise, 2, POPULATE_WRITE, ENOMEM);
    check_life(PROT_READ);
    CHECK_EQ(stats().views_fallen_back, 0);
    refuse_argument(SYS_madvise, 2, POPULATE_READ, ENOMEM);
    check_life(PROT_READ);
    CHECK_EQ(stats().views_fallen_back, 1);
    file_rig_tear_down(&rig);
}

TEST_CASE(view_refused, populated_as_it_may_be_used)
{
    child_run(need_userfaultfd);
    child_run(read_only);
}

static void report_of_a_choice(void)
{
    bool works = pagemap_set_revocation(PAGEMAP_REVOKE_UFFD) == 0;

    CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    CHECK_EQ(strcmp(pagemap_revocation_report(), "overlay: chosen") == 0, works);
    CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_AUTO), 0);
    CHECK_EQ(strcmp(pagemap_revocation_report(), "userfaultfd") == 0, works);
    for (unsigned bad = PAGEMAP_REVOKE_OVERLAY + 1; bad < PAGEMAP_REVOKE_OVERLAY + 4; bad++) {
        CHECK_EQ(pagemap_set_revocation((enum pagemap_revocation)bad), -EINVAL);
    }
    CHECK_EQ(pagemap_view_revocation(&works), PAGEMAP_REVOKE_AUTO, "no view");
}

TEST_CASE(view_refused, what_is_chosen)
{
    child_run(report_of_a_choice);
}

/* ---- what revoking needs ---- */

/* Both ways to take away a view whose mapping is refused: once more as a whole, or access to it. */
static void check_whole_view(bool by_closing)
{
    struct pagemap_statistics before, after;
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    view = file_rig_view(&rig, 0, PAGES);
    before = stats();
    if (by_closing) {
        refuse(SYS_mmap, ENOMEM);
    } else {
        (void)pm_fault_arm(1);
    }
    unmap_mapping_pages(&rig.file, 0, PAGES, false);
    after = stats();
    CHECK_EQ(after.revoked_whole_view - before.revoked_whole_view, !by_closing);
    CHECK_EQ(after.revoked_by_closing - before.revoked_by_closing, by_closing);
    CHECK_EQ(after.revoked_by_overlay, before.revoked_by_overlay);
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_NE(touch_read(view + i * PAGE_SIZE, NULL), 0);
    }
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void whole_view(void)
{
    check_whole_view(false);
}

static void by_closing(void)
{
    check_whole_view(true);
}

/* Not even that: it is said, each time. */
static void not_at_all(void)
{
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    view = file_rig_view(&rig, 0, PAGES);
    refuse(SYS_mmap, ENOMEM);
    refuse(SYS_mprotect, ENOMEM);
    unmap_mapping_pages(&rig.file, 3, 1, false);
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(stats().revoked_whole_view, 0);
    CHECK_EQ(stats().revoked_by_closing, 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), -ENOMEM);
}

TEST_CASE(view_refused, mappings_to_revoke_with)
{
    child_run(whole_view);
    if (!SANITIZED) { /* which needs mappings itself */
        child_run(by_closing);
        child_run(not_at_all);
    }
}

/* The file of what is absent is opened once, also where its descriptor is 0. */
static void without_standard_input(void)
{
    struct stat status;
    int next;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    next = dup(STDIN_FILENO);
    (void)close(next);
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    check_life(PROT_READ);
    CHECK_EQ(fstat(STDIN_FILENO, &status), 0, "it is 0");
    CHECK_EQ(status.st_size, 0);
    check_life(PROT_READ);
    CHECK_EQ(dup(STDIN_FILENO), next, "no other was opened");
    CHECK_NE(ftruncate(STDIN_FILENO, PAGE_SIZE), 0, "it cannot grow");
    CHECK_EQ(fcntl(STDIN_FILENO, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    CHECK_EQ(fcntl(STDIN_FILENO, F_GETFD), FD_CLOEXEC);
    file_rig_tear_down(&rig);
}

TEST_CASE(view_refused, standard_input_is_not_needed)
{
    child_run(without_standard_input);
}

/* What stays in the page table for want of memory is denied, and counted; the second, and what lies in between, too. */
static void check_denied(char *view, uint64_t one, uint64_t other)
{
    const uint64_t both[2] = {one, other}, low = one < other ? one : other, high = one < other ? other : one;
    uint64_t before = stats().revoked_by_denying;

    for (unsigned i = 0; i < 2; i++) {
        (void)pm_fault_arm(3);
        unmap_mapping_pages(&rig.file, both[i], 1, false);
        CHECK_EQ(pm_fault_arm(0), 0);
    }
    /* What is widened is tried again, and then there is memory. */
    CHECK_EQ(stats().revoked_by_denying - before, one == other ? 2 : 1);
    for (uint64_t i = 0; i < PAGES; i++) {
        struct page *page;
        long got = get_user_pages((uintptr_t)view + i * PAGE_SIZE, 1, 0, &page);

        CHECK_EQ(got, i >= low && i <= high ? -EFAULT : 1, "page %lu, denied %lu, then %lu", (unsigned long)i,
                 (unsigned long)one, (unsigned long)other);
        if (got == 1) {
            put_page(page);
        }
    }
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
}

static void denied_pages(void)
{
    static const uint64_t pages[] = {0, 1, 5, 6, 9, PAGES - 2, PAGES - 1};
    const size_t count = sizeof pages / sizeof *pages;
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    view = file_rig_view(&rig, 0, PAGES);
    for (size_t i = 0; i < count * count; i++) {
        check_denied(view, pages[i / count], pages[i % count]);
    }
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(view_refused, pages_are_denied_and_counted)
{
    child_run(denied_pages);
}
