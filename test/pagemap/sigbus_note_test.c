// SPDX-License-Identifier: BSD-2-Clause
/* What is noted of memory that broke, how that is told, and in which process. In children: it is the process's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/sigbus/note.h"
#include "test/pagemap/broken.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"

/* ---- what a note holds ---- */

static void check_note(int shift, unsigned expected, int code)
{
    const uintptr_t address = UINT64_C(0x7654321) * PAGE_SIZE;
    siginfo_t info = broken(address + 77, shift, code);
    struct pm_note note;

    REQUIRE(pagemap_sigbus_note(&info));
    REQUIRE(pm_note_take(&note));
    CHECK_EQ(note.address, address);
    CHECK_EQ(note.shift, expected, "of %d", shift);
    CHECK_EQ(note.needs_action, code == BUS_MCEERR_AR);
    CHECK(!pm_note_take(&note), "one");
}

TEST_CASE(sigbus_note, a_note_of_each_size)
{
    const int largest = (int)PAGE_SHIFT + MAX_FOLIO_ORDER;

    for (int shift = 0; shift < 64; shift++) {
        unsigned expected = (unsigned)(shift < PAGE_SHIFT ? PAGE_SHIFT : shift > largest ? largest : shift);

        check_note(shift, expected, BUS_MCEERR_AO);
        check_note(shift, expected, BUS_MCEERR_AR);
    }
}

/* ---- the descriptor, and errno ---- */

static bool is_readable(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};

    return poll(&look, 1, 0) == 1;
}

static void look_at_descriptor(void)
{
    siginfo_t info = broken(PAGE_SIZE, PAGE_SHIFT, BUS_MCEERR_AO);
    struct rlimit before;
    int fd;

    warnings_count();
    REQUIRE_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit(RLIMIT_NOFILE, 3);
    CHECK_EQ(pagemap_sigbus_fd(), -EMFILE);
    CHECK_EQ(pagemap_sigbus_install(), -EMFILE);
    REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK(pagemap_sigbus_note(&info), "without it, too");
    fd = pagemap_sigbus_fd();
    REQUIRE_GE(fd, 0);
    CHECK(is_readable(fd), "something was noted before it was there");
    CHECK_EQ(pagemap_sigbus_fd(), fd);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQ(pagemap_sigbus_serve(), 0, "no device's");
    CHECK_EQ(warnings_take(), 1);
    CHECK(!is_readable(fd));
    errno = 123;
    CHECK_EQ(pagemap_sigbus_serve(), 0, "nothing to read");
    CHECK_EQ(errno, 123);
    refuse(SYS_write, EIO);
    CHECK(pagemap_sigbus_note(&info));
    CHECK_EQ(errno, 123);
}

TEST_CASE(sigbus_note, its_descriptor)
{
    child_run(look_at_descriptor);
}

/* It is for handlers, which the thread did not ask for: no cancellation point. */
static void *note_and_be_cancelled(void *came_back)
{
    siginfo_t info = broken(PAGE_SIZE, PAGE_SHIFT, BUS_MCEERR_AO);

    (void)pthread_cancel(pthread_self()); /* takes effect at the next one */
    CHECK(pagemap_sigbus_note(&info));
    *(bool *)came_back = true;
    return NULL;
}

static void note_in_a_thread(void)
{
    bool came_back = false;
    pthread_t thread;

    REQUIRE_GE(pagemap_sigbus_fd(), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, note_and_be_cancelled, &came_back), 0);
    REQUIRE_EQ(pthread_join(thread, NULL), 0);
    CHECK(came_back);
}

TEST_CASE(sigbus_note, is_no_cancellation_point)
{
    child_run(note_in_a_thread);
}

/* 0 is one like others. */
static void without_standard_input(void)
{
    siginfo_t info = broken(PAGE_SIZE, PAGE_SHIFT, BUS_MCEERR_AO);

    warnings_count();
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    CHECK_EQ(pagemap_sigbus_fd(), STDIN_FILENO);
    CHECK_EQ(pagemap_sigbus_fd(), STDIN_FILENO);
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK(!is_readable(STDIN_FILENO));
    CHECK(pagemap_sigbus_note(&info));
    CHECK(is_readable(STDIN_FILENO));
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK(!is_readable(STDIN_FILENO));
    pm_note_forget();
    CHECK_EQ(fcntl(STDIN_FILENO, F_GETFD), -1, "closed with what was noted");
    CHECK_EQ(pagemap_sigbus_fd(), STDIN_FILENO, "and made anew");
}

TEST_CASE(sigbus_note, standard_input_is_not_needed)
{
    child_run(without_standard_input);
}

/* ---- children ---- */

/* The parent's thread is not the child's to end; its notes are not the child's to serve. */
static void uninstall_in_child(void)
{
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), -EINVAL);
}

static void install_in_child(void)
{
    struct pm_note note;

    CHECK_EQ(pagemap_sigbus_install(), 0);
    CHECK_EQ(pagemap_sigbus_install(), -EALREADY);
    CHECK(!pm_note_take(&note));
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), -EINVAL);
    CHECK_EQ(warnings_take(), 0, "no note was served");
}

static void parent_of_children(void)
{
    siginfo_t info = broken(PAGE_SIZE, PAGE_SHIFT, BUS_MCEERR_AO);
    struct sigaction ours;

    warnings_count();
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    child_run(uninstall_in_child);
    child_run(install_in_child);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &ours), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK(pagemap_sigbus_note(&info));
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK_EQ(warnings_take(), 1);
}

/* A device of the parent's, of which the child has neither the bytes nor the struct pages; and a view of it. */
static struct file_rig rig;
static char *parents_view;
static int parents_fd;

static void serve_in_child(void)
{
    const void *const addresses[] = {page_address(pfn_to_page(7)), parents_view};

    for (unsigned i = 0; i < 2; i++) {
        siginfo_t info = broken((uintptr_t)addresses[i], PAGE_SHIFT, BUS_MCEERR_AO);

        CHECK(pagemap_sigbus_note(&info));
        CHECK(!is_readable(parents_fd), "the parent is not told");
        CHECK_EQ(pagemap_sigbus_serve(), 0, "no device of this process");
        CHECK_EQ(warnings_take(), 1);
    }
}

/* Its own descriptor, through which it is told itself. */
static void wait_in_child(void)
{
    siginfo_t info = broken(PAGE_SIZE, PAGE_SHIFT, BUS_MCEERR_AO);
    int fd = pagemap_sigbus_fd();

    REQUIRE_GE(fd, 0);
    CHECK_EQ(pagemap_sigbus_fd(), fd);
    CHECK(is_readable(fd));
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK(!is_readable(fd));
    CHECK(pagemap_sigbus_note(&info));
    CHECK(is_readable(fd));
}

static void parent_with_a_device(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 7, 1), 0);
    parents_view = file_rig_view(&rig, 0, 1);
    parents_fd = pagemap_sigbus_fd();
    REQUIRE_GE(parents_fd, 0);
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK(!is_readable(parents_fd));
    child_run(serve_in_child);
    child_run(wait_in_child);
    CHECK(!is_readable(parents_fd), "nothing was noted here");
    CHECK_EQ(vm_munmap(parents_view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(sigbus_note, children_leave_what_is_their_parents_alone)
{
    child_run(parent_with_a_device);
}

TEST_CASE(sigbus_note, children_with_and_without_it)
{
    child_run(parent_of_children);
}
