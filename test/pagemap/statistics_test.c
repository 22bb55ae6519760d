// SPDX-License-Identifier: BSD-2-Clause
/* Counters. The devices one by one: statistics_cursor_test.c. */
#include <errno.h>
#include <time.h>

#include "test/pagemap/file_rig.h"

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics statistics;

    REQUIRE_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
    return statistics;
}

TEST_CASE(statistics, devices_that_come_are_refused_and_go)
{
    struct pagemap_statistics before = stats(), after;
    struct pagemap_memory *memory = rig_plug(0, 4 * RIG_MB);

    warnings_count();
    CHECK_EQ(rig_try_map(0, 4 * RIG_MB - 1), 0);
    CHECK_EQ(rig_try_map(0, 4 * RIG_MB), -EINVAL);
    CHECK_EQ(PTR_ERR(memremap_pages(NULL, -1)), -EINVAL);
    after = stats();
    CHECK_EQ(after.devices - before.devices, 1);
    CHECK_EQ(after.devices_refused - before.devices_refused, 2);
    CHECK_EQ(after.devices_now, before.devices_now);
    rig_unplug(memory);
}

TEST_CASE(statistics, pins)
{
    struct pagemap_statistics before = stats(), after;
    struct page *pages[8], *more;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 8), 0);
    view = file_rig_view(&rig, 0, 8);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 8, FOLL_WRITE, pages), 8);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 1, FOLL_WRITE, &more), 1);
    after = stats();
    CHECK_EQ(after.pins - before.pins, 9);
    CHECK_EQ(after.pins_now - before.pins_now, 9);
    unpin_user_page(more);
    CHECK_EQ(stats().pins_now - before.pins_now, 8);
    unpin_user_pages(pages, 8);
    CHECK_EQ(stats().pins_now, before.pins_now);
    CHECK_EQ(warnings_take(), 0);
    unpin_user_page(more); /* once too often */
    CHECK_EQ(warnings_take(), 1);
    REQUIRE_EQ(get_user_pages((uintptr_t)view, 8, 0, pages), 8);
    after = stats();
    CHECK_EQ(after.pins_now, before.pins_now, "neither that, nor a get");
    CHECK_EQ(after.pins - before.pins, 9);
    for (unsigned i = 0; i < 8; i++) {
        put_page(pages[i]);
    }
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Pins of compound pages are known one by one. */
TEST_CASE(statistics, pins_of_compound_pages_that_are_put)
{
    struct pagemap_statistics before = stats();
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    file_rig_use_compound_pages(&rig);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 512), 0);
    view = file_rig_view(&rig, 0, 8);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 1, FOLL_WRITE, &page), 1);
    CHECK_EQ(stats().pins_now - before.pins_now, 1);
    put_page(page);
    CHECK_EQ(warnings_take(), 1, "it was pinned");
    CHECK_EQ(stats().pins_now, before.pins_now);
    unpin_user_page(page);
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(stats().pins_now, before.pins_now);
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* What a call was refused for, by the member that counts it, once for each call. */
#define CHECK_REFUSED(call, error, member)                                                                   \
    do {                                                                                                     \
        struct pagemap_statistics before_ = stats(), after_;                                                 \
        CHECK_EQ(call, error);                                                                               \
        after_ = stats();                                                                                    \
        CHECK_EQ(after_.member - before_.member, 1);                                                         \
        CHECK_EQ(refusals(&after_) - refusals(&before_), 1, "and by no other");                              \
    } while (0)

static uint64_t refusals(const struct pagemap_statistics *of)
{
    return of->refused_no_view + of->refused_absent + of->refused_read_only + of->refused_killed +
           of->refused_poisoned + of->refused_longterm + of->refused_migration + of->refused_would_wait +
           of->refused_no_memory + of->refused_invalid + of->refused_p2pdma;
}

TEST_CASE(statistics, refusals_by_reason)
{
    struct page *pages[8];
    struct file_rig rig;
    char *view, *read_only;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 4), 0);
    view = file_rig_view(&rig, 0, 8);
    read_only = vm_mmap(&rig.file, 8 * PAGE_SIZE, PROT_READ, 0);
    REQUIRE(!IS_ERR(read_only));
    CHECK_REFUSED(get_user_pages(0, 1, 0, pages), -EFAULT, refused_no_view);
    CHECK_REFUSED(get_user_pages((uintptr_t)view + 4 * PAGE_SIZE, 1, 0, pages), -EFAULT, refused_absent);
    CHECK_REFUSED(get_user_pages((uintptr_t)read_only, 1, FOLL_WRITE, pages), -EFAULT, refused_read_only);
    CHECK_REFUSED(get_user_pages((uintptr_t)view, 1, FOLL_PIN, pages), -EINVAL, refused_invalid);
    CHECK_REFUSED(get_user_pages((uintptr_t)view, 8, 0, pages), 4, refused_absent);
    for (unsigned i = 0; i < 4; i++) {
        put_page(pages[i]);
    }
    unmap_mapping_pages(&rig.file, 2, 1, false);
    CHECK_REFUSED(get_user_pages((uintptr_t)view + 2 * PAGE_SIZE, 1, 0, pages), -EFAULT, refused_absent);
    REQUIRE_EQ(memory_failure(3, 0), 0);
    CHECK_REFUSED(get_user_pages((uintptr_t)view + 3 * PAGE_SIZE, 1, FOLL_HWPOISON, pages), -EHWPOISON,
                  refused_poisoned);
    CHECK_EQ(unpoison_memory(3), 0);
    REQUIRE_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_REFUSED(get_user_pages((uintptr_t)view, 1, 0, pages), -EFAULT, refused_killed);
    REQUIRE_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(read_only, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void pin_for_long(enum memory_type type, long error)
{
    struct page *page;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, type);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 4), 0);
    view = file_rig_view(&rig, 0, 4);
    CHECK_REFUSED(pin_user_pages((uintptr_t)view, 1, FOLL_LONGTERM, &page), error, refused_longterm);
    CHECK_EQ(vm_munmap(view, 4 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(statistics, pages_of_a_peer_that_were_not_asked_for)
{
    struct page *page;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_PCI_P2PDMA);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1), 0);
    view = file_rig_view(&rig, 0, 1);
    CHECK_REFUSED(pin_user_pages((uintptr_t)view, 1, 0, &page), -EREMOTEIO, refused_p2pdma);
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(statistics, refused_for_long)
{
    pin_for_long(MEMORY_DEVICE_FS_DAX, -EOPNOTSUPP);
}

static vm_fault_t refuse_to_migrate(struct vm_fault *vmf)
{
    (void)vmf;
    return 1;
}

TEST_CASE(statistics, private_pages_that_do_not_come_back)
{
    struct dev_pagemap_ops ops = rig_ops;
    struct pagemap_statistics before;
    struct page *page;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_PRIVATE);
    ops.migrate_to_ram = refuse_to_migrate;
    rig.pgmap.ops = &ops;
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(5)), 0);
    unlock_page(pfn_to_page(5));
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 5, 1), 0);
    view = file_rig_view(&rig, 0, 1);
    before = stats();
    CHECK_REFUSED(get_user_pages((uintptr_t)view, 1, 0, &page), -EFAULT, refused_migration);
    CHECK_EQ(stats().gup_migrations - before.gup_migrations, 1);
    CHECK_REFUSED(get_user_pages_fast_only((uintptr_t)view, 1, 0, &page), 0, refused_would_wait);
    CHECK_EQ(stats().gup_migrations - before.gup_migrations, 1);
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void revoke_by(enum pagemap_revocation how)
{
    struct pagemap_statistics before, after;
    struct file_rig rig;
    char *view;

    if (pagemap_set_revocation(how) != 0) {
        TEST_SKIP("%s", pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 8), 0);
    view = file_rig_view(&rig, 0, 8);
    if (pagemap_view_revocation(view) == how) {
        before = stats();
        unmap_mapping_pages(&rig.file, 1, 2, false);
        unmap_mapping_pages(&rig.file, 4, 1, false);
        after = stats();
        CHECK_EQ(after.revoked_by_uffd - before.revoked_by_uffd, how == PAGEMAP_REVOKE_UFFD ? 2 : 0);
        CHECK_EQ(after.revoked_by_overlay - before.revoked_by_overlay, how == PAGEMAP_REVOKE_OVERLAY ? 2 : 0);
        CHECK_EQ(after.revoked_whole_view, before.revoked_whole_view);
    }
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(statistics, revocations_by_userfaultfd)
{
    revoke_by(PAGEMAP_REVOKE_UFFD);
}

TEST_CASE(statistics, revocations_by_the_overlay)
{
    revoke_by(PAGEMAP_REVOKE_OVERLAY);
}

static void unmap_the_device(void *rig)
{
    CHECK_EQ(memunmap_pages(&((struct file_rig *)rig)->pgmap), 0);
}

TEST_CASE(statistics, waits)
{
    struct pagemap_statistics before = stats(), after;
    struct waiter waiter;
    struct file_rig rig;
    struct page *page;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    page = pagemap_get_page(3);
    REQUIRE_NE(page, NULL);
    waiter_start(&waiter, unmap_the_device, &rig);
    for (unsigned i = 0; i < 20000 && stats().waits_now == before.waits_now; i++) {
        (void)usleep(1000);
    }
    after = stats();
    CHECK_EQ(after.waits_now - before.waits_now, 1);
    CHECK_EQ(after.waits - before.waits, 1);
    CHECK(!waiter_is_done_after(&waiter, 0)); /* it sleeps: a wait is counted before its clock is read */
    (void)usleep(2000);
    put_page(page);
    waiter_join(&waiter);
    after = stats();
    CHECK_EQ(after.waits_now, before.waits_now);
    CHECK_EQ(after.waits - before.waits, 1);
    CHECK_GE(after.longest_wait_ns, 2000000);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
    CHECK_EQ(stats().waits - before.waits, 1, "what need not sleep is no wait");
}

static uint64_t now_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Until so many nanoseconds of a second have passed. */
static void sleep_until_in_second(uint64_t nanoseconds)
{
    while (now_ns() % 1000000000 < nanoseconds) {
        (void)usleep(1000);
    }
}

/* One wait, over the end of a second if the clock's is awaited; how long all of it took. */
static uint64_t wait_once(struct file_rig *rig, bool over_a_second, unsigned at_least_us)
{
    struct page *page = pagemap_get_page(3);
    uint64_t waits_now = stats().waits_now, began;
    struct waiter waiter;

    REQUIRE_NE(page, NULL);
    sleep_until_in_second(over_a_second ? 995000000 : 0);
    began = now_ns();
    waiter_start(&waiter, unmap_the_device, rig);
    while (stats().waits_now == waits_now) {
        (void)usleep(100);
    }
    CHECK(!waiter_is_done_after(&waiter, 0)); /* it sleeps: its clock has been read */
    (void)usleep(at_least_us);
    put_page(page);
    waiter_join(&waiter);
    REQUIRE_EQ(rig_map(&rig->pgmap), 0);
    return now_ns() - began;
}

/* The longest so far; a shorter one after it changes nothing. */
TEST_CASE(statistics, the_longest_wait)
{
    uint64_t before = stats().longest_wait_ns, took, longest;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    took = wait_once(&rig, true, 20000);
    longest = stats().longest_wait_ns;
    CHECK_GE(longest, before > 20000000 ? before : 20000000);
    CHECK_LE(longest, took > before ? took : before);
    (void)wait_once(&rig, false, 0);
    CHECK_GE(stats().longest_wait_ns, longest);
    file_rig_tear_down(&rig);
}

TEST_CASE(statistics, memory_failures)
{
    struct pagemap_statistics before = stats();
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 8), 0);
    CHECK_EQ(memory_failure(3, 0), 0);
    CHECK_EQ(memory_failure(3, 0), 0);
    CHECK_EQ(memory_failure(100, 0), -EBUSY, "in no file");
    CHECK_EQ(stats().memory_failures - before.memory_failures, 1);
    file_rig_tear_down(&rig);
}
