// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the library does when it is loaded: its handlers for fork() are there before any constructor needs them, and it
 * says nothing, unless there is no memory for them. And what keeps memory from children, where the system refuses each
 * way. pthread_atfork() is ours here.
 */
#define _GNU_SOURCE /* RTLD_NEXT, sched_getcpu */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/base/fork.h"
#include "test/pagemap/anonymous.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"
#include "test/pagemap/touch.h"
#include "test/pagemap/warnings.h"

enum { MAX_HANDLERS = 16 };

#if defined(__GLIBC__) && !SANITIZED
#define OURS 1

static unsigned registered, early;
static void (*handlers[MAX_HANDLERS][3])(void);

extern void *__dso_handle;
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object);

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    if (getenv("PAGEMAP_TEST_NO_HANDLERS") != NULL) {
        return ENOMEM;
    }
    if (registered < MAX_HANDLERS) {
        handlers[registered][0] = prepare;
        handlers[registered][1] = parent;
        handlers[registered][2] = child;
    }
    registered++;
    return __register_atfork(prepare, parent, child, __dso_handle);
}

/* Of the library: held before, released in both after. The tests have some of their own. */
static unsigned count_handlers(void)
{
    unsigned found = 0;

    for (unsigned i = 0; i < registered && i < MAX_HANDLERS; i++) {
        found += handlers[i][0] != NULL && handlers[i][1] != NULL && handlers[i][1] == handlers[i][2] &&
                 handlers[i][0] != handlers[i][1];
    }
    return found;
}

/* Earlier than the library's own, as that of a program that uses it in one. */
__attribute__((constructor(101))) static void use_early(void)
{
    pm_fork_hold();
    pm_fork_release();
    early = count_handlers();
}
#else
#define OURS 0
#endif

static void skip_where_not_ours(void)
{
    if (!OURS) {
        TEST_SKIP("another C library, or the sanitizer has pthread_atfork()");
    }
}

#if OURS
TEST_CASE(fork_handlers, are_there_when_they_are_needed)
{
    CHECK_EQ(early, 1u);
    pm_fork_hold();
    pm_fork_release();
    CHECK_EQ(count_handlers(), 1u, "once");
}

/* Runs this program once more, without its tests, for what it says on standard error. */
static void run_again(const char *no_handlers, char *said, size_t bytes)
{
    char self[512] = "";
    int ends[2], status = 0;
    pid_t process;
    ssize_t got;

    REQUIRE_GT(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    REQUIRE_EQ(pipe(ends), 0);
    process = fork();
    if (process == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(STDOUT_FILENO);
        (void)unsetenv("TEST_PREMATURE_EXIT_FILE"); /* it is not this one that is the test */
        if (no_handlers != NULL) {
            (void)setenv("PAGEMAP_TEST_NO_HANDLERS", no_handlers, 1);
        }
        (void)execl(self, self, "--gtest_list_tests", (char *)NULL);
        _exit(1);
    }
    (void)close(ends[1]);
    memset(said, 0, bytes);
    for (size_t at = 0; (got = read(ends[0], said + at, bytes - 1 - at)) > 0; at += (size_t)got) {
    }
    (void)close(ends[0]);
    REQUIRE_EQ(waitpid(process, &status, 0), process);
}

TEST_CASE(fork_handlers, nothing_is_said_unless_there_are_none)
{
    char said[400];

    run_again(NULL, said, sizeof said);
    CHECK_EQ(strstr(said, "pagemap"), NULL, "%s", said);
    run_again("1", said, sizeof said);
    CHECK_NE(strstr(said, "no memory for pthread_atfork()"), NULL, "%s", said);
}
#endif

/* ---- what keeps a mapping from children ---- */

static char *mapped;

/* It is gone from this process, too, and that is warned of only if it could not be made so. */
static void check_exclude(bool kept, int touch, uint64_t warnings)
{
    CHECK_EQ(pm_fork_exclude(mapped, 2 * PAGE_SIZE), kept);
    CHECK_EQ(anonymous_wrongly, 0u);
    CHECK_EQ(warnings_take(), warnings);
    CHECK_EQ(touch_read(mapped, NULL), touch);
    CHECK_EQ(touch_read(mapped + 2 * PAGE_SIZE - 1, NULL), touch);
    CHECK_EQ(touch_read(mapped + 2 * PAGE_SIZE, NULL), 0, "what is behind it stays");
}

static void nothing_is_refused(void)
{
    check_exclude(true, 0, 0);
}

static void advice_is_refused(void)
{
    refuse(SYS_madvise, ENOMEM);
    check_exclude(false, SIGSEGV, 0);
}

static void a_step_fails(void)
{
    (void)pm_fault_arm(1);
    check_exclude(false, SIGSEGV, 0);
}

static void mapping_is_refused_too(void)
{
    refuse(SYS_mmap, ENOMEM);
    (void)pm_fault_arm(1);
    check_exclude(false, SIGSEGV, 0);
}

static void all_is_refused(void)
{
    refuse(SYS_mmap, ENOMEM);
    refuse(SYS_mprotect, ENOMEM);
    (void)pm_fault_arm(1);
    check_exclude(false, 0, 1);
}

TEST_CASE(fork_handlers, each_way_to_keep_memory_from_children)
{
    static void (*const bodies[])(void) = {nothing_is_refused, advice_is_refused, a_step_fails,
                                           mapping_is_refused_too, all_is_refused};

    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs these calls itself");
    }
    skip_where_not_ours();
    touch_install();
    warnings_count();
    mapped = mmap(NULL, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE_NE((void *)mapped, MAP_FAILED);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        child_run(bodies[i]);
    }
    CHECK_EQ(munmap(mapped, 3 * PAGE_SIZE), 0);
}
