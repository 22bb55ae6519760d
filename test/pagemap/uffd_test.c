// SPDX-License-Identifier: BSD-2-Clause
/*
 * The descriptor of userfaultfd(2): used wherever the system grants all that it takes, one in a process, and none where
 * anything is refused, which is named. Each in a child, by a seccomp filter of one thread.
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include "test/pagemap/refuse.h"
#include "test/pagemap/rig.h"

/* linux/userfaultfd.h of Linux 5.11, linux/mman.h of 5.18. */
#define USER_MODE_ONLY 1
#define DONTNEED_LOCKED 24

/* Found out without the library. */
static bool is_to_be_had(void)
{
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MINOR_SHMEM};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | USER_MODE_ONLY);
    bool works = fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && madvise(NULL, 0, DONTNEED_LOCKED) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return works;
}

static bool is_used(void)
{
    return pagemap_set_revocation(PAGEMAP_REVOKE_UFFD) == 0;
}

/* One more that is open is one higher. */
static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    REQUIRE_GE(fd, 0);
    (void)close(fd);
    return fd;
}

/* ---- what is refused ---- */

static const struct lack {
    long call;
    int error;
    const char *missing;
    bool may_come_back;
} lacks[] = {
    {SYS_madvise, EINVAL, "madvise(MADV_DONTNEED_LOCKED)", false},
    {SYS_userfaultfd, ENOSYS, "userfaultfd(2)", false},
    {SYS_userfaultfd, EPERM, "the permission for userfaultfd(2)", false},
    {SYS_userfaultfd, EMFILE, "a free file descriptor", true},
    {SYS_userfaultfd, ENFILE, "a free file descriptor", true},
    {SYS_userfaultfd, ENOMEM, "a free file descriptor", true},
    {SYS_ioctl, EINVAL, "minor faults of shared memory in userfaultfd", false},
};

static const struct lack *lack;

/* The report of what is not there; twice, since it is found out once. */
static void check_lack(void)
{
    char expected[160];
    int before = lowest_free();

    (void)snprintf(expected, sizeof expected, "overlay: this system lacks %s", lack->missing);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_UFFD), -EOPNOTSUPP, "%s", lack->missing);
        CHECK_STR_EQ(pagemap_revocation_report(), expected);
        CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_AUTO), 0);
        CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
        CHECK_STR_EQ(pagemap_revocation_report(), expected);
    }
    CHECK_EQ(lowest_free(), before, "%s: nothing stays open", lack->missing);
}

static void *refuse_and_check(void *context)
{
    (void)context;
    refuse(lack->call, lack->error);
    check_lack();
    return NULL;
}

/* Of a thread that is refused nothing, afterwards: what was short may be there, what the system lacks is settled. */
static void refused_to_a_thread(void)
{
    bool works = is_to_be_had();
    pthread_t thread;

    REQUIRE_EQ(pthread_create(&thread, NULL, refuse_and_check, NULL), 0);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(is_used(), works && lack->may_come_back, "%s", lack->missing);
}

TEST_CASE(uffd, each_refusal_by_name)
{
    if (!is_to_be_had()) {
        TEST_SKIP("userfaultfd(2) is refused here anyhow, or cannot do minor faults of shared memory");
    }
    for (lack = lacks; lack < lacks + sizeof lacks / sizeof *lacks; lack++) {
        child_run(refused_to_a_thread);
    }
}

/* ---- what is granted ---- */

static void check_one_descriptor(void)
{
    int before = lowest_free();

    CHECK_EQ(is_used(), is_to_be_had());
    CHECK_EQ(lowest_free(), before + is_to_be_had(), "one");
    CHECK_EQ(is_used(), is_to_be_had());
    CHECK_EQ(lowest_free(), before + is_to_be_had(), "and not one each time");
}

TEST_CASE(uffd, is_used_where_it_is_to_be_had)
{
    child_run(check_one_descriptor);
}

/* A child closes its parent's, and has one of its own. */
static int inherited;

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void check_inherited(void)
{
    int before = lowest_free();

    CHECK(is_used());
    CHECK(is_open(inherited), "it takes the place of the parent's");
    CHECK_EQ(lowest_free(), before);
}

static void check_inherited_where_refused(void)
{
    lack = &lacks[0];
    refuse(lack->call, lack->error);
    CHECK(!is_used());
    CHECK(!is_open(inherited), "the parent's is closed");
    check_lack();
}

static void with_children(void)
{
    inherited = lowest_free();
    CHECK(is_used());
    CHECK(is_open(inherited));
    child_run(check_inherited);
    child_run(check_inherited_where_refused);
}

/* A daemon has closed its own: 0 is a descriptor like others. */
static void without_standard_input(void)
{
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    with_children();
    CHECK_EQ(inherited, STDIN_FILENO);
}

TEST_CASE(uffd, a_child_has_its_own)
{
    if (!is_to_be_had()) {
        TEST_SKIP("userfaultfd(2) is refused here, or cannot do minor faults of shared memory");
    }
    child_run(with_children);
    child_run(without_standard_input);
}
