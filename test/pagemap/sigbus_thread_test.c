// SPDX-License-Identifier: BSD-2-Clause
/*
 * The thread that serves SIGBUS: it sleeps in poll(2), serves more than once, ends with its stack, and is there where
 * its descriptor is 0. And what is served: up to the edges of linear maps, with the flags of each. In children.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "test/pagemap/broken.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"

enum { PAGES = 1024 };

/* ---- poll(2) comes by here ---- */

static uint64_t polls, bad_polls;

/* By another name, since what is declared says that it does not read them. */
int poll_here(struct pollfd *fds, nfds_t count, int timeout) __asm__("poll");

int poll_here(struct pollfd *fds, nfds_t count, int timeout)
{
    struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};
    bool right = count == 1 && fds->fd == pagemap_sigbus_fd() && fds->events == POLLIN;

    (void)__atomic_fetch_add(&bad_polls, !right, __ATOMIC_SEQ_CST);
    (void)__atomic_fetch_add(&polls, timeout < 0, __ATOMIC_SEQ_CST);
    return (int)syscall(SYS_ppoll, fds, count, timeout < 0 ? NULL : &limit, NULL, 0);
}

static uint64_t polls_now(void)
{
    return __atomic_load_n(&polls, __ATOMIC_SEQ_CST);
}

static bool polls_become(uint64_t count)
{
    for (unsigned i = 0; i < 20000 && polls_now() < count; i++) {
        (void)usleep(1000);
    }
    return polls_now() >= count;
}

/* ---- the rig ---- */

static struct file_rig rig;
static char *view;

static struct {
    uint64_t pfn, times;
    int flags;
} told;

static int note_failure(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap;
    (void)nr_pages;
    told.pfn = pfn;
    told.flags = flags;
    (void)__atomic_fetch_add(&told.times, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static const struct dev_pagemap_ops ops = {rig_page_free, rig_migrate_to_ram, note_failure, NULL};

static void set_up(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    rig.pgmap.ops = &ops;
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES / 2), 0);
    view = file_rig_view(&rig, 0, PAGES / 2);
    told.times = 0;
}

static void tear_down(void)
{
    CHECK_EQ(vm_munmap(view, PAGES / 2 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
    CHECK_EQ(__atomic_load_n(&bad_polls, __ATOMIC_SEQ_CST), 0u);
}

static bool note(const char *address, int code)
{
    siginfo_t info = broken((uintptr_t)address, PAGE_SHIFT, code);

    return pagemap_sigbus_note(&info);
}

static bool told_becomes(uint64_t times)
{
    for (unsigned i = 0; i < 20000 && __atomic_load_n(&told.times, __ATOMIC_SEQ_CST) < times; i++) {
        (void)usleep(1000);
    }
    return __atomic_load_n(&told.times, __ATOMIC_SEQ_CST) == times;
}

/* ---- the thread ---- */

/* Each note wakes it once, also of the thread that is started after another has ended. */
static void serve_often(void)
{
    set_up();
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t before = polls_now();

        REQUIRE_EQ(pagemap_sigbus_install(), 0);
        CHECK(polls_become(before + 1), "it waits");
        for (uint64_t k = 0; k < 3; k++) {
            before = polls_now();
            CHECK(note(view + (3 * i + k) * PAGE_SIZE, BUS_MCEERR_AO));
            CHECK(told_becomes(3 * i + k + 1), "thread %u, note %u", (unsigned)i, (unsigned)k);
            CHECK(polls_become(before + 1), "and waits again");
        }
        CHECK_LE(polls_now(), before + 4, "it sleeps meanwhile");
        REQUIRE_EQ(pagemap_sigbus_uninstall(), 0);
    }
    touch_install();
    tear_down();
}

TEST_CASE(sigbus_thread, serves_as_often_as_there_are_notes)
{
    child_run(serve_often);
}

/* 0 is a descriptor like others, whatever is in errno. */
static void without_standard_input(void)
{
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    errno = EBADF;
    CHECK_EQ(pagemap_sigbus_fd(), STDIN_FILENO);
    set_up();
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    CHECK(polls_become(1));
    CHECK(note(view, BUS_MCEERR_AO));
    CHECK(told_becomes(1));
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    touch_install();
    tear_down();
}

TEST_CASE(sigbus_thread, its_descriptor_is_standard_input)
{
    child_run(without_standard_input);
}

/* Threads that have ended are joined: the stack of one is the next one's. */
static void install_often(void)
{
    enum { WARM = 4, TIMES = 40 };
    const uint64_t stack = UINT64_C(8) << 20;
    uint64_t before = 0;

    limit(RLIMIT_STACK, stack);
    for (unsigned i = 0; i < WARM + TIMES; i++) {
        before = i == WARM ? mapped_bytes() : before;
        REQUIRE_EQ(pagemap_sigbus_install(), 0);
        REQUIRE_EQ(pagemap_sigbus_uninstall(), 0);
    }
    CHECK_LE(mapped_bytes(), before + TIMES / 2 * stack);
}

TEST_CASE(sigbus_thread, has_gone_when_it_is_uninstalled)
{
    child_run(install_often);
}

/* ---- the handler cannot be looked at, or not be set ---- */

static unsigned refused_argument;

static void *install_refused(void *context)
{
    (void)context;
    refuse_argument(SYS_rt_sigaction, refused_argument, 0, EPERM);
    CHECK_EQ(pagemap_sigbus_install(), -EPERM);
    CHECK_EQ(pagemap_sigbus_uninstall(), -EINVAL);
    return NULL;
}

static void refused_half(void)
{
    struct sigaction before, after;
    pthread_t thread;

    REQUIRE_EQ(sigaction(SIGBUS, NULL, &before), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, install_refused, NULL), 0);
    (void)pthread_join(thread, NULL);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &after), 0);
    CHECK(before.sa_handler == after.sa_handler);
    CHECK_EQ(pagemap_sigbus_install(), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
}

/* Its second argument is 0 where a handler is looked at, the third where one is set. */
TEST_CASE(sigbus_thread, each_use_of_sigaction_may_be_refused)
{
    for (refused_argument = 1; refused_argument <= 2; refused_argument++) {
        if (!SANITIZED) { /* which uses it itself */
            child_run(refused_half);
        }
    }
}

/* ---- what is served ---- */

static void at_the_edges(void)
{
    char *linear, *end;

    set_up();
    linear = page_address(pfn_to_page(0));
    end = linear + PAGES * PAGE_SIZE;
    CHECK(note(end - 1, BUS_MCEERR_AO));
    CHECK_EQ(pagemap_sigbus_serve(), 1, "the last one");
    CHECK_EQ(told.pfn, PAGES - 1);
    CHECK_EQ(told.flags, 0);
    CHECK(note(linear, BUS_MCEERR_AR));
    CHECK_EQ(pagemap_sigbus_serve(), 1, "the first one");
    CHECK_EQ(told.pfn, 0u);
    CHECK_EQ(told.flags, MF_ACTION_REQUIRED);
    CHECK_EQ(warnings_take(), 0);
    CHECK(note(end, BUS_MCEERR_AO));
    CHECK_EQ(pagemap_sigbus_serve(), 0, "behind it");
    CHECK(note(linear - 1, BUS_MCEERR_AO));
    CHECK_EQ(pagemap_sigbus_serve(), 0, "before it");
    CHECK_EQ(warnings_take(), 2);
    CHECK(note(view + PAGES / 2 * PAGE_SIZE - 1, BUS_MCEERR_AO));
    CHECK_EQ(pagemap_sigbus_serve(), 1);
    CHECK_EQ(told.pfn, PAGES / 2 - 1);
    tear_down();
}

TEST_CASE(sigbus_thread, up_to_the_edges_of_what_is_a_devices)
{
    child_run(at_the_edges);
}

/* Of several devices, one of which has no linear map: low addresses are not its pages. */
static void of_several_devices(void)
{
    struct range ranges[3] = {rig_range(RIG_GB, 2 * RIG_MB), rig_range(2 * RIG_GB, 2 * RIG_MB),
                              rig_range(3 * RIG_GB, 2 * RIG_MB)};
    struct dev_pagemap private = rig_pgmap(MEMORY_DEVICE_PRIVATE, &ranges[0], 1);
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges + 1, 2);
    struct pagemap_memory *memory[2];

    set_up();
    many.pgmap.ops = &ops;
    for (unsigned i = 0; i < 2; i++) {
        memory[i] = rig_plug(ranges[1 + i].start, 2 * RIG_MB);
    }
    REQUIRE_EQ(rig_map(&private), 0);
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    CHECK(note((char *)(3 * PAGE_SIZE), BUS_MCEERR_AO));
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK_EQ(warnings_take(), 1);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t pfn = PHYS_PFN(ranges[1 + i].start) + 7;

        CHECK(note(page_address(pfn_to_page(pfn)), BUS_MCEERR_AO));
        CHECK_EQ(pagemap_sigbus_serve(), 1);
        CHECK_EQ(told.pfn, pfn);
    }
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 0u);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    CHECK_EQ(memunmap_pages(&private), 0);
    rig_unplug(memory[0]);
    rig_unplug(memory[1]);
    tear_down();
}

TEST_CASE(sigbus_thread, of_several_devices)
{
    child_run(of_several_devices);
}

/* ---- cancellation is as it was ---- */

static bool can_be_cancelled(void)
{
    int state;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    return state == PTHREAD_CANCEL_ENABLE;
}

static void leave_it_enabled(void)
{
    CHECK_EQ(pagemap_sigbus_install(), 0);
    CHECK(can_be_cancelled());
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK(can_be_cancelled());
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    CHECK(can_be_cancelled());
    (void)pagemap_revocation_report();
    CHECK(can_be_cancelled());
    set_up();
    CHECK(can_be_cancelled());
    unmap_mapping_range(&rig.file, 0, 0, 0);
    CHECK(can_be_cancelled());
    tear_down();
    CHECK(can_be_cancelled());
}

TEST_CASE(sigbus_thread, callers_can_be_cancelled_afterwards)
{
    child_run(leave_it_enabled);
}
