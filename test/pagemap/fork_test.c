// SPDX-License-Identifier: BSD-2-Clause
/*
 * A fork that has begun when the first view is made: its child has no view either. What keeps a fork waiting must
 * have been there before the fork began.
 */
#define _GNU_SOURCE
#include <errno.h>

#include "pagemap/base/fork.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 64, PROCESSES = 40 };

static struct file_rig rig;
static uint64_t viewing, stop;
static pthread_t viewer;

/* The library's first views, on and on. */
static void *make_views(void *context)
{
    (void)context;
    while (__atomic_load_n(&stop, __ATOMIC_SEQ_CST) == 0) {
        char *view = vm_mmap(&rig.file, PAGES * PAGE_SIZE, PROT_READ, 0);

        CHECK(!IS_ERR(view));
        (void)__atomic_exchange_n(&viewing, 1, __ATOMIC_SEQ_CST);
        unmap_mapping_pages(&rig.file, 3, 1, false);
        (void)map_mapping_range(&rig.file, 0, 0);
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    }
    return NULL;
}

/* In fork(), before it copies anything, and before what the library does there if that was added later. */
static void start_viewer(void)
{
    if (pthread_create(&viewer, NULL, make_views, NULL) == 0) {
        while (__atomic_load_n(&viewing, __ATOMIC_SEQ_CST) == 0) {
            (void)sched_yield();
        }
    }
}

static void fork_beside_the_first_view(void)
{
    int status = 0;
    pid_t child;

    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    REQUIRE_EQ(pthread_atfork(start_viewer, NULL, NULL), 0);
    child = fork();
    if (child == 0) {
        _exit(child_has_views());
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0, "a child with a view");
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    (void)pthread_join(viewer, NULL);
    file_rig_tear_down(&rig);
}

TEST_CASE(fork, beside_the_first_view)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        child_run(fork_beside_the_first_view);
    }
}

/*
 * The system gives the addresses of views that a child does not have to what the child maps; what the child knows of
 * them is of no more use. Views of its own may lie there, wholly or in part, and are what is found.
 */
static char *parents;

/*
 * The system takes the highest addresses that are free: leaves none above, so that those of the parent's view are
 * next.
 */
static void fill_above(const char *end)
{
    for (size_t bytes = (size_t)1 << 36; bytes >= PAGE_SIZE; bytes /= 4) {
        char *above;

        do {
            above = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        } while (above != MAP_FAILED && above >= end);
        if (above != MAP_FAILED) {
            (void)munmap(above, bytes);
        }
    }
}

static void view_where_the_parent_had_one(void)
{
    enum { TRIES = 64 };
    static struct address_space file;
    char *views[TRIES];
    unsigned there = 0;
    struct page *page;

    fill_above(parents + PAGES * PAGE_SIZE);
    REQUIRE_EQ(address_space_init(&file, "of the child", NULL), 0);
    for (unsigned i = 0; i < TRIES; i++) {
        views[i] = vm_mmap(&file, PAGES / 4 * PAGE_SIZE, PROT_READ, 0);
        REQUIRE(!IS_ERR(views[i]), "view %u: error %ld", i, PTR_ERR(views[i]));
        there += views[i] >= parents && views[i] < parents + PAGES * PAGE_SIZE;
        CHECK_EQ(get_user_pages((uintptr_t)views[i], 1, 0, &page), -EFAULT);
    }
    CHECK_GE(there, 1, "none where the parent's was: this shows nothing");
    for (unsigned i = 0; i < TRIES; i++) {
        CHECK_EQ(vm_munmap(views[i], PAGES / 4 * PAGE_SIZE), 0);
    }
    CHECK_EQ(address_space_destroy(&file), 0);
}

/*
 * So that in the child nothing larger than the view fits where it was, such as a stack. What is there already does as
 * well.
 */
static void enclose(char *view)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

    (void)mmap(view - PAGE_SIZE, PAGE_SIZE, PROT_NONE, flags, -1, 0);
    (void)mmap(view + PAGES * PAGE_SIZE, PAGE_SIZE, PROT_NONE, flags, -1, 0);
}

static void fork_with_a_view(void)
{
    int status = 0;
    pid_t child;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    parents = file_rig_view(&rig, 0, PAGES);
    enclose(parents);
    child = fork();
    if (child == 0) { /* without a thread of its own, which ThreadSanitizer does not start here */
        view_where_the_parent_had_one();
        (void)fflush(NULL);
        _exit(test_has_failed() ? 1 : 0);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0, "the child's views");
    CHECK_EQ(vm_munmap(parents, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(fork, a_child_has_views_where_its_parent_had_one)
{
    child_run(fork_with_a_view);
}

/* What cannot be kept from children is taken away before anybody may fork. */
static void keep_from_children(void)
{
    int fd = memfd_create("pagemap-absent", MFD_CLOEXEC), status = 0;
    char *mapped;
    pid_t child;

    REQUIRE_GE(fd, 0);
    REQUIRE_EQ(ftruncate(fd, 4 * PAGE_SIZE), 0);
    touch_install();
    for (unsigned fails = 0; fails < 2; fails++) {
        mapped = mmap(NULL, 4 * PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
        REQUIRE_NE((void *)mapped, MAP_FAILED);
        pm_fork_hold();
        (void)pm_fault_arm(fails);
        CHECK_EQ(pm_fork_exclude(mapped, 4 * PAGE_SIZE), fails == 0);
        pm_fork_release();
        CHECK_EQ(touch_read(mapped, NULL), fails == 0 ? 0 : SIGSEGV);
        child = fork();
        if (child == 0) {
            _exit(child_has_views());
        }
        REQUIRE_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        CHECK_EQ(munmap(mapped, 4 * PAGE_SIZE), 0);
    }
    (void)close(fd);
}

TEST_CASE(fork, what_cannot_be_kept_from_children)
{
    child_run(keep_from_children);
}
