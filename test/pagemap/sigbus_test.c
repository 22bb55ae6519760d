// SPDX-License-Identifier: BSD-2-Clause
/*
 * SIGBUS of broken memory becomes memory_failure(): raised with the siginfo that the system would give, and by the
 * system.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "test/pagemap/child.h"
#include "test/pagemap/file_rig.h"

#if !defined(MADV_HWPOISON)
#define MADV_HWPOISON 100
#endif

static struct file_rig rig;
static char *view;

enum { PAGES = 1024, IN_FILE = 600 };

/* Pages 0 to 599 are in a file, and shown; the others are not. */
static void set_up(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, IN_FILE), 0);
    view = file_rig_view(&rig, 0, IN_FILE);
}

static void tear_down(void)
{
    CHECK_EQ(vm_munmap(view, IN_FILE * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static siginfo_t broken(const void *address, unsigned shift, int code)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = SIGBUS;
    info.si_code = code;
    info.si_addr = (void *)(uintptr_t)address;
    info.si_addr_lsb = (short)shift;
    return info;
}

/* To this thread, which has handled it when this returns. */
static void raise_broken(const void *address, unsigned shift, int code)
{
    siginfo_t info = broken(address, shift, code);

    REQUIRE_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGBUS, &info), 0);
}

static bool is_poisoned(uint64_t pfn)
{
    return PageHWPoison(pfn_to_page(pfn));
}

static bool becomes_poisoned(uint64_t pfn)
{
    for (unsigned i = 0; i < 20000 && !is_poisoned(pfn); i++) {
        (void)usleep(1000);
    }
    return is_poisoned(pfn);
}

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics statistics;

    REQUIRE_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
    return statistics;
}

static bool is_readable(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};

    return poll(&look, 1, 0) == 1;
}

/* ---- noting and serving by hand ---- */

static bool note(const void *address, unsigned shift, int code)
{
    siginfo_t info = broken(address, shift, code);

    return pagemap_sigbus_note(&info);
}

TEST_CASE(sigbus, a_page_of_a_view_and_of_the_linear_map)
{
    int fd = pagemap_sigbus_fd();
    char *linear;

    set_up();
    linear = page_address(pfn_to_page(0));
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK(!is_readable(fd));
    CHECK(note(view + 3 * PAGE_SIZE + 77, 12, BUS_MCEERR_AO));
    CHECK(note(linear + 5 * PAGE_SIZE, 0, BUS_MCEERR_AR));
    CHECK(is_readable(fd));
    CHECK(!is_poisoned(3), "not in a handler");
    CHECK_EQ(pagemap_sigbus_serve(), 2);
    CHECK(!is_readable(fd));
    for (uint64_t pfn = 0; pfn < 8; pfn++) {
        CHECK_EQ(is_poisoned(pfn), pfn == 3 || pfn == 5);
        CHECK_EQ(touch_read(view + pfn * PAGE_SIZE, NULL), pfn == 3 || pfn == 5 ? SIGBUS : 0);
    }
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    tear_down();
}

TEST_CASE(sigbus, what_is_nobodys_or_nothing)
{
    static char own[2 * PAGE_SIZE];
    siginfo_t other = broken(NULL, 12, BUS_MCEERR_AO);

    set_up();
    (void)pagemap_sigbus_serve();
    CHECK(note(own + PAGE_SIZE, 12, BUS_MCEERR_AO));
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    CHECK_EQ(warnings_take(), 1, "it is no device's");
    CHECK(note((char *)page_address(pfn_to_page(0)) + IN_FILE * PAGE_SIZE, 12, BUS_MCEERR_AO));
    CHECK_EQ(pagemap_sigbus_serve(), 1);
    CHECK_EQ(warnings_take(), 1, "a page in no file, and a driver without an op: -EBUSY");
    CHECK(!note(view, 12, BUS_ADRERR), "a touch of an absent page");
    CHECK(!note(view, 12, SI_USER));
    other.si_signo = SIGSEGV;
    CHECK(!pagemap_sigbus_note(&other));
    CHECK_EQ(pagemap_sigbus_serve(), 0);
    tear_down();
}

/* A huge page is broken as a whole: as much of it as is a device's. */
TEST_CASE(sigbus, a_piece_of_many_pages)
{
    set_up();
    CHECK(note(view + 17 * PAGE_SIZE, 15, BUS_MCEERR_AO));
    (void)pagemap_sigbus_serve();
    for (uint64_t pfn = 0; pfn < 64; pfn++) {
        uintptr_t piece = (uintptr_t)(view + 17 * PAGE_SIZE) >> 15;

        CHECK_EQ(is_poisoned(pfn), (uintptr_t)(view + pfn * PAGE_SIZE) >> 15 == piece, "pfn %lu",
                 (unsigned long)pfn);
    }
    (void)warnings_take();
    tear_down();
}

/* The same note is made once; when there is no room, it says so. */
TEST_CASE(sigbus, too_many_at_once)
{
    struct pagemap_statistics before = stats(), after;

    set_up();
    (void)pagemap_sigbus_serve();
    for (unsigned i = 0; i < 200; i++) {
        CHECK(note(view, 12, BUS_MCEERR_AR));
    }
    for (unsigned i = 1; i < 64; i++) {
        CHECK(note(view + i * PAGE_SIZE, 12, BUS_MCEERR_AO));
    }
    CHECK(!note(view + 64 * PAGE_SIZE, 12, BUS_MCEERR_AO));
    after = stats();
    CHECK_EQ(after.sigbus_noted - before.sigbus_noted, 263);
    CHECK_EQ(after.sigbus_not_noted - before.sigbus_not_noted, 1);
    CHECK_EQ(pagemap_sigbus_serve(), 64);
    CHECK(note(view + 64 * PAGE_SIZE, 12, BUS_MCEERR_AO), "when it is touched again");
    CHECK_EQ(pagemap_sigbus_serve(), 1);
    CHECK_EQ(stats().memory_failures - before.memory_failures, 65);
    tear_down();
}

/* Notes from many threads that never used the library, beside one who serves. */
static void *note_often(void *number)
{
    uintptr_t first = (uintptr_t)number * 100;

    for (uintptr_t i = 0; i < 100; i++) {
        while (!note(view + (first + i) * PAGE_SIZE, 12, BUS_MCEERR_AO)) {
            (void)sched_yield();
        }
    }
    return NULL;
}

TEST_CASE(sigbus, notes_beside_serving)
{
    pthread_t threads[6];

    set_up();
    for (uintptr_t i = 0; i < 6; i++) {
        REQUIRE_EQ(pthread_create(&threads[i], NULL, note_often, (void *)i), 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        (void)pagemap_sigbus_serve();
        (void)usleep(100);
    }
    for (unsigned i = 0; i < 6; i++) {
        while (pthread_tryjoin_np(threads[i], NULL) != 0) {
            (void)pagemap_sigbus_serve();
        }
    }
    (void)pagemap_sigbus_serve();
    for (uint64_t pfn = 0; pfn < 600; pfn++) {
        CHECK(is_poisoned(pfn), "pfn %lu", (unsigned long)pfn);
    }
    tear_down();
}

/* ---- installed; in children, since it is the process's ---- */

static void default_action(void)
{
    (void)signal(SIGBUS, SIG_DFL);
}

static void optional_without_a_handler_before(void)
{
    set_up();
    default_action();
    CHECK_EQ(pagemap_sigbus_uninstall(), -EINVAL);
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    CHECK_EQ(pagemap_sigbus_install(), -EALREADY);
    errno = 123;
    raise_broken(view + 3 * PAGE_SIZE, 12, BUS_MCEERR_AO);
    CHECK_EQ(errno, 123);
    CHECK(becomes_poisoned(3));
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), -EINVAL);
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    raise_broken(view + 4 * PAGE_SIZE, 12, BUS_MCEERR_AO);
    CHECK(becomes_poisoned(4));
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    touch_install();
    tear_down();
}

TEST_CASE(sigbus, optional_action)
{
    child_run(optional_without_a_handler_before);
}

/*
 * The handler that was there leaves by siglongjmp(), the page is revoked meanwhile, and other SIGBUS come to it, too.
 */
static void required_with_a_handler_before(void)
{
    int caught;

    set_up(); /* with touch_install() */
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    caught = sigsetjmp(touch_back, 1);
    if (caught == 0) {
        touch_armed = 1;
        raise_broken(view + 3 * PAGE_SIZE, 12, BUS_MCEERR_AR);
    }
    touch_armed = 0;
    CHECK_EQ(caught, SIGBUS);
    CHECK(becomes_poisoned(3));
    for (unsigned i = 0; i < 20000 && touch_read(view + 3 * PAGE_SIZE, NULL) == 0; i++) {
        (void)usleep(1000); /* the mark comes first */
    }
    CHECK_EQ(touch_read(view + 3 * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(touch_read(view + 4 * PAGE_SIZE, NULL), 0);
    touch_install(); /* over it */
    CHECK_EQ(pagemap_sigbus_uninstall(), -EBUSY);
    tear_down();
}

TEST_CASE(sigbus, required_action_with_a_handler_before)
{
    child_run(required_with_a_handler_before);
}

/* How a child ends that raises one with nothing but our handler. */
static int ends_by(int code)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        default_action();
        if (pagemap_sigbus_install() != 0) {
            _exit(1);
        }
        raise_broken(view, 12, code);
        _exit(0);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

/* In a child of a process with threads there can be no threads under ThreadSanitizer. */
static void skip_with_tsan(void)
{
#if defined(__SANITIZE_THREAD__)
    TEST_SKIP("ThreadSanitizer starts no threads in children of a process with threads");
#endif
}

static void deaths(void)
{
    set_up();
    CHECK_EQ(ends_by(BUS_MCEERR_AR), SIGBUS);
    CHECK_EQ(ends_by(BUS_ADRERR), SIGBUS);
    CHECK_EQ(ends_by(BUS_MCEERR_AO), 0);
    tear_down();
}

TEST_CASE(sigbus, without_a_handler_before_it_ends_the_process)
{
    skip_with_tsan();
    child_run(deaths);
}

/* A child has the handler: it must not serve the parent's notes, nor may its notes be lost once it installs anew. */
static void in_a_fork(void)
{
    int status = 0;
    pid_t child;

    set_up();
    default_action();
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    child = fork();
    if (child == 0) {
        if (pagemap_sigbus_install() != 0 || pagemap_sigbus_install() != -EALREADY) {
            _exit(1);
        }
        raise_broken(&status, 12,
                     BUS_MCEERR_AO); /* not of a device: the parent's are not the child's to mark */
        for (unsigned i = 0; i < 20000 && stats().sigbus_noted == 0; i++) {
            (void)usleep(1000);
        }
        _exit(pagemap_sigbus_uninstall() != 0);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    raise_broken(view + 4 * PAGE_SIZE, 12, BUS_MCEERR_AO);
    CHECK(becomes_poisoned(4), "the parent's thread goes on");
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    touch_install();
    tear_down();
}

TEST_CASE(sigbus, in_a_child_of_a_fork)
{
    skip_with_tsan();
    child_run(in_a_fork);
}

/* ---- by the system itself ---- */

static void by_the_system(void)
{
    set_up();
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    view[3 * PAGE_SIZE] = 1;
    if (madvise(view + 3 * PAGE_SIZE, PAGE_SIZE, MADV_HWPOISON) != 0) {
        child_skip(
            "madvise(MADV_HWPOISON) is refused: no CAP_SYS_ADMIN, or a kernel without CONFIG_MEMORY_FAILURE");
    }
    CHECK_EQ(touch_read(view + 3 * PAGE_SIZE, NULL), SIGBUS);
    CHECK(becomes_poisoned(3));
    CHECK_EQ(touch_read(view + 4 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
    tear_down();
}

TEST_CASE(sigbus, by_the_system)
{
    child_run(by_the_system);
}
