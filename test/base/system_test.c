// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the library asks of the kernel, call by call, and what it makes of each answer, with errno as it was; fences by
 * membarrier(2) among them. The kernel's answers are scripted where it would not give them by itself.
 */
#define _GNU_SOURCE /* MADV_WIPEONFORK, syscall() */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rangemap/base/clock.h"
#include "rangemap/base/fence.h"
#include "rangemap/base/stack.h"
#include "rangemap/base/system.h"
#include "test/shim/ctest.h"

#if defined(__SANITIZE_THREAD__)
enum { SEES_MAPPINGS = 0 }; /* they are made by libc's functions there */
#else
enum { SEES_MAPPINGS = 1 };
#endif

enum { CALLS = 64, ERRNO = 77 };

/* An answer in the kernel's place: 0, or what errno is to be; and what is written where the call says. */
struct answer {
    long number;
    int error;
    void *list;           /* get_robust_list */
    struct timespec used; /* clock_gettime */
};

static struct {
    long number[CALLS], argument[CALLS][6];
    unsigned calls;
    struct timespec timeout; /* of the last futex call that has one */
    struct answer script[4];
    unsigned answers, answered;
} kernel;

long real_syscall(long number, ...) __asm__("__real_syscall");
long seen_syscall(long number, ...) __asm__("__wrap_syscall");

/* Arguments that a call does not have are 0: kernels to come may make something of them. */
static void check_unused(long number, const long *argument)
{
    static const struct {
        long number;
        unsigned arguments;
    } row[] = {{SYS_mmap, 6},
               {SYS_munmap, 2},
               {SYS_madvise, 3},
               {SYS_gettid, 0},
               {SYS_getpid, 0},
               {SYS_tgkill, 3},
               {SYS_get_robust_list, 3},
               {SYS_clock_gettime, 2},
               {SYS_rt_sigprocmask, 4},
               {SYS_membarrier, 1},
               {SYS_futex, 4}};

    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        for (unsigned j = row[i].arguments; row[i].number == number && j < 6; j++) {
            CHECK_EQ(argument[j], 0, "call %ld, argument %u", number, j);
        }
    }
}

static long answer_by_script(const struct answer *answer, const long *argument)
{
    kernel.answered++;
    if (answer->error != 0) {
        errno = answer->error;
        return -1;
    }
    if (answer->number == SYS_get_robust_list) {
        *(void **)argument[1] = answer->list;
    } else if (answer->number == SYS_clock_gettime) {
        *(struct timespec *)argument[1] = answer->used;
    }
    return 0;
}

long seen_syscall(long number, ...)
{
    long *argument = kernel.argument[kernel.calls % CALLS];
    va_list list;

    va_start(list, number);
    for (unsigned i = 0; i < 6; i++) {
        argument[i] = va_arg(list, long);
    }
    va_end(list);
    kernel.number[kernel.calls++ % CALLS] = number;
    check_unused(number, argument);
    if (number == SYS_futex && argument[3] != 0) {
        kernel.timeout = *(const struct timespec *)argument[3];
    }
    if (kernel.answered < kernel.answers && kernel.script[kernel.answered].number == number) {
        return answer_by_script(&kernel.script[kernel.answered], argument);
    }
    return real_syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

static void begin(unsigned answers, const struct answer *script)
{
    memset(&kernel, 0, sizeof kernel);
    if (answers > 0) {
        memcpy(kernel.script, script, answers * sizeof *script);
    }
    kernel.answers = answers;
    errno = ERRNO;
}

static void begin_one(long number, int error)
{
    const struct answer answer = {.number = number, .error = error};

    begin(1, &answer);
}

/* All answers were asked for, and errno is as it was. */
static void end(void)
{
    CHECK_EQ(errno, ERRNO);
    CHECK_EQ(kernel.answered, kernel.answers);
}

/* ---- pages ---- */

TEST_CASE(system, pages_are_mapped_and_unmapped)
{
    for (unsigned accounted = 0; accounted < 2; accounted++) {
        char *pages;

        begin(0, NULL);
        pages = rm_pages_map(12288, accounted != 0);
        REQUIRE(pages != NULL);
        CHECK(pages[0] == 0 && pages[12287] == 0);
        pages[4096] = 1;
        if (SEES_MAPPINGS) {
            CHECK_EQ(kernel.argument[0][1], 12288);
            CHECK_EQ(kernel.argument[0][2], PROT_READ | PROT_WRITE);
            CHECK_EQ(kernel.argument[0][3], MAP_PRIVATE | MAP_ANONYMOUS | (accounted ? 0 : MAP_NORESERVE));
        }
        CHECK(rm_pages_advise(pages, 8192, MADV_DONTNEED));
        CHECK_EQ(pages[4096], 0);
        CHECK(!rm_pages_advise(pages, 8192, -1));
        rm_pages_unmap(pages, 12288);
        CHECK(madvise(pages, 12288, MADV_NORMAL) == -1 && errno == ENOMEM, "all of it is gone");
        errno = ERRNO;
        end();
    }
}

TEST_CASE(system, no_pages_are_null)
{
    begin(0, NULL);
    CHECK(rm_pages_map(SIZE_MAX / 2 + 1, true) == NULL);
    end();
    if (SEES_MAPPINGS) {
        begin_one(SYS_mmap, 1);
        CHECK(rm_pages_map(4096, false) == NULL, "the least of errors");
        end();
        begin_one(SYS_mmap, 4095);
        CHECK(rm_pages_map(4096, false) == NULL, "the last of errors");
        end();
    }
}

/* ---- this process ---- */

/* How a child that has done something ended: with 0 if it saw what it wanted. */
static void in_child(bool (*look)(void))
{
    int status = 0;
    pid_t child = fork();

    REQUIRE_GE(child, 0);
    if (child == 0) {
        _exit(look() && !test_has_failed() ? 0 : 1);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static bool sees_a_copy(void)
{
    bool copy = rm_process_is_copy(), gone = rm_thread_is_gone(INT_MAX, false);

    rm_process_note();
    return copy && !gone && !rm_process_is_copy() && rm_thread_is_gone(INT_MAX, false);
}

TEST_CASE(system, a_copy_of_the_process_is_told)
{
    rm_process_forget();
    CHECK(rm_process_is_copy(), "nothing was noted");
    begin(0, NULL);
    rm_process_note();
    end();
    CHECK(!rm_process_is_copy());
    in_child(sees_a_copy);
    CHECK(!rm_process_is_copy());
    begin(0, NULL);
    rm_process_note();
    CHECK_EQ(kernel.calls, 1u, "getpid(2) alone: the page is there");
    rm_process_forget();
    end();
    CHECK_EQ(kernel.calls, SEES_MAPPINGS ? 2u : 1u);
    CHECK(!SEES_MAPPINGS || (kernel.number[1] == SYS_munmap && kernel.argument[1][1] == 4096));
    CHECK(rm_process_is_copy());
    rm_process_forget();
    CHECK_EQ(kernel.calls, SEES_MAPPINGS ? 2u : 1u, "once");
}

/* Old kernels wipe nothing: then it cannot be told, and no page stays. */
TEST_CASE(system, without_a_page_that_is_wiped)
{
    rm_process_forget();
    begin_one(SYS_madvise, EINVAL);
    rm_process_note();
    end();
    CHECK_EQ(kernel.number[SEES_MAPPINGS ? 2 : 1], SEES_MAPPINGS ? SYS_munmap : SYS_getpid);
    CHECK(!SEES_MAPPINGS || kernel.argument[2][0] == kernel.argument[1][0], "the same page");
    CHECK(rm_process_is_copy());
    if (SEES_MAPPINGS) {
        begin_one(SYS_mmap, ENOMEM);
        rm_process_note();
        end();
        CHECK(rm_process_is_copy());
        CHECK_EQ(kernel.calls, 2u);
    }
    rm_process_note();
    CHECK(!rm_process_is_copy());
    rm_process_forget();
}

/* ---- threads ---- */

static void *number_of(void *context)
{
    *(int *)context = rm_thread_number();
    return NULL;
}

TEST_CASE(system, threads_that_ended_are_gone)
{
    pthread_t thread;
    int number = 0;

    rm_process_note();
    CHECK_EQ(rm_thread_number(), (int)real_syscall(SYS_gettid));
    CHECK(!rm_thread_is_gone(rm_thread_number(), true));
    CHECK(!rm_thread_is_gone(0, true));
    CHECK(!rm_thread_is_gone(-1, true));
    REQUIRE_EQ(pthread_create(&thread, NULL, number_of, &number), 0);
    REQUIRE_EQ(pthread_join(thread, NULL), 0);
    CHECK_NE(number, rm_thread_number());
    CHECK_GT(number, 0);
    CHECK(!rm_thread_has_list() || rm_thread_is_gone(number, true), "at once");
    CHECK_EQ(rm_thread_cpu_ns(INT_MAX - 1), 0u);
    rm_process_forget();
}

/* The kernel's answers: to a signal that is none, and for the list of a thread that had one. */
TEST_CASE(system, each_answer_about_a_thread)
{
    static int list;
    static const struct {
        int kill;
        bool had_list;
        int error;
        void *list;
        bool gone;
    } row[] = {
        {ESRCH, false, 0, NULL, true},   {ESRCH, true, 0, NULL, true},
        {0, false, 0, NULL, false},      {0, true, 0, NULL, true},
        {0, true, 0, &list, false},      {0, true, ESRCH, &list, true},
        {0, true, EPERM, NULL, false},   {EPERM, false, 0, NULL, false},
        {EINVAL, true, 0, &list, false}, {EAGAIN, true, ENOSYS, NULL, false},
    };

    rm_process_note();
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        const struct answer script[2] = {
            {.number = SYS_tgkill, .error = row[i].kill},
            {.number = SYS_get_robust_list, .error = row[i].error, .list = row[i].list}};

        begin(row[i].kill != ESRCH && row[i].had_list ? 2 : 1, script);
        CHECK_EQ(rm_thread_is_gone(4711, row[i].had_list), row[i].gone, "row %u", i);
        end();
        CHECK(kernel.argument[1][0] == getpid() && kernel.argument[1][1] == 4711 &&
              kernel.argument[1][2] == 0);
        CHECK(kernel.calls < 3 || kernel.argument[2][0] == 4711);
    }
    for (unsigned i = 0; i < 3; i++) {
        const struct answer script = {
            .number = SYS_get_robust_list, .error = i == 2 ? EPERM : 0, .list = i == 0 ? &list : NULL};

        begin(1, &script);
        CHECK_EQ(rm_thread_has_list(), i == 0);
        CHECK_EQ(kernel.argument[0][0], 0, "the calling thread's");
        end();
    }
    rm_process_forget();
}

TEST_CASE(system, processor_time_of_a_thread)
{
    const struct answer script = {.number = SYS_clock_gettime, .used = {3, 5}};
    clockid_t clock = 0;
    struct timespec before, after;
    uint64_t used;

    begin(1, &script);
    CHECK_EQ(rm_thread_cpu_ns(rm_thread_number()), UINT64_C(3000000005));
    end();
    REQUIRE_EQ(pthread_getcpuclockid(pthread_self(), &clock), 0);
    CHECK_EQ((clockid_t)kernel.argument[1][0], clock);
    CHECK_EQ(kernel.argument[1][0], (long)clock, "as the kernel extends it");
    begin_one(SYS_clock_gettime, EINVAL);
    CHECK_EQ(rm_thread_cpu_ns(rm_thread_number()), 0u);
    end();
    REQUIRE_EQ(real_syscall(SYS_clock_gettime, (long)CLOCK_THREAD_CPUTIME_ID, &before), 0);
    used = rm_thread_cpu_ns(rm_thread_number());
    REQUIRE_EQ(real_syscall(SYS_clock_gettime, (long)CLOCK_THREAD_CPUTIME_ID, &after), 0);
    CHECK_GE(used, (uint64_t)before.tv_sec * 1000000000 + (uint64_t)before.tv_nsec);
    CHECK_LE(used, (uint64_t)after.tv_sec * 1000000000 + (uint64_t)after.tv_nsec);
}

/* ---- signals ---- */

TEST_CASE(system, signals_are_held_but_for_its_own)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT};
    static const int others[] = {SIGHUP,  SIGINT,  SIGUSR1, SIGUSR2, SIGTERM,
                                 SIGCHLD, SIGALRM, SIGPROF, SIGPIPE};
    sigset_t one, before, now;
    struct rm_signals signals;

    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    REQUIRE_EQ(pthread_sigmask(SIG_BLOCK, &one, &before), 0);
    begin(0, NULL);
    signals = rm_signals_hold();
    end();
    CHECK(signals.held);
    REQUIRE_EQ(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    for (unsigned i = 0; i < sizeof own / sizeof *own; i++) {
        CHECK_EQ(sigismember(&now, own[i]), 0, "signal %d", own[i]);
    }
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_EQ(sigismember(&now, others[i]), 1, "signal %d", others[i]);
    }
    CHECK(sigismember(&now, SIGRTMIN + 1) == 1 && sigismember(&now, SIGRTMAX) == 1);
    begin(0, NULL);
    rm_signals_let_through(signals);
    end();
    REQUIRE_EQ(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    CHECK(sigismember(&now, SIGUSR2) == 1 && sigismember(&now, SIGUSR1) == 0 &&
          sigismember(&now, SIGTERM) == 0);
    REQUIRE_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

TEST_CASE(system, signals_that_are_not_held_are_left_alone)
{
    struct rm_signals signals;

    begin_one(SYS_rt_sigprocmask, ENOSYS);
    signals = rm_signals_hold();
    CHECK(!signals.held);
    rm_signals_let_through(signals);
    end();
    CHECK_EQ(kernel.calls, 1u);
}

/* ---- waiting ---- */

TEST_CASE(system, sleeps_and_wakes)
{
    static const struct {
        int64_t ns;
        struct timespec timeout;
    } row[] = {{0, {0, 0}},
               {999999999, {0, 999999999}},
               {1000000000, {1, 0}},
               {INT64_C(2500000001), {2, 500000001}}};
    uint32_t word = 5;

    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        begin_one(SYS_futex, ETIMEDOUT);
        rm_sleep_on(&word, 5, row[i].ns);
        end();
        CHECK(kernel.argument[0][0] == (long)&word && kernel.argument[0][1] == 128 &&
              kernel.argument[0][2] == 5);
        CHECK(kernel.timeout.tv_sec == row[i].timeout.tv_sec &&
              kernel.timeout.tv_nsec == row[i].timeout.tv_nsec);
        CHECK_NE(kernel.argument[0][3], 0);
    }
    begin_one(SYS_futex, EINTR);
    rm_sleep_on(&word, 5, -1);
    end();
    CHECK_EQ(kernel.argument[0][3], 0, "no limit");
    begin(0, NULL);
    rm_sleep_on(&word, 6, -1); /* it is not 6 */
    rm_wake_all(&word);
    end();
    CHECK(kernel.argument[1][0] == (long)&word && kernel.argument[1][1] == 129 &&
          kernel.argument[1][2] == INT_MAX);
}

static struct {
    unsigned yields, sleeps;
    struct timespec pause[32];
} waited;

int seen_yield(void) __asm__("__wrap_sched_yield");
int seen_yield(void)
{
    waited.yields++;
    errno = EINTR;
    return 0;
}

int seen_nanosleep(const struct timespec *pause, struct timespec *left) __asm__("__wrap_nanosleep");
int seen_nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)left;
    waited.pause[waited.sleeps++ % 32] = *pause;
    errno = EINTR;
    return -1;
}

/* Four yields, then twice as long each time, up to about a millisecond. */
TEST_CASE(system, backs_off_further_each_time)
{
    unsigned attempts = 0;

    memset(&waited, 0, sizeof waited);
    errno = ERRNO;
    for (unsigned i = 0; i < 20; i++) {
        rm_back_off(&attempts);
        CHECK_EQ(attempts, i + 1);
        CHECK_EQ(errno, ERRNO);
        CHECK_EQ(waited.yields, i < 4 ? i + 1 : 4);
        CHECK_EQ(waited.sleeps, i < 4 ? 0 : i - 3);
    }
    for (unsigned i = 0; i < 16; i++) {
        CHECK_EQ(waited.pause[i].tv_sec, 0);
        CHECK_EQ(waited.pause[i].tv_nsec, 1000L << (i < 10 ? i : 10), "sleep %u", i);
    }
}

/* ---- fences ---- */

enum { EXPEDITED = 1 << 3, REGISTER = 1 << 4 };

static void set_fence(enum rm_fence_kind kind, unsigned answers, const int *error)
{
    struct answer script[3] = {
        {.number = SYS_membarrier}, {.number = SYS_membarrier}, {.number = SYS_membarrier}};

    for (unsigned i = 0; i < answers; i++) {
        script[i].error = error[i];
    }
    begin(answers, script);
    rm_store_relaxed(&rm_fence_kind, kind);
}

static void check_fence(enum rm_fence_kind kind, unsigned calls)
{
    end();
    CHECK_EQ(rm_load_relaxed(&rm_fence_kind), (uint64_t)kind);
    CHECK_EQ(rm_fence_is_asymmetric(), kind == RM_FENCE_ASYMMETRIC);
    CHECK_EQ(kernel.calls, calls);
}

TEST_CASE(fence, is_prepared_once)
{
    static const int good[] = {0}, bad[] = {ENOSYS};

    set_fence(RM_FENCE_UNKNOWN, 1, good);
    rm_fence_prepare();
    rm_fence_prepare();
    check_fence(RM_FENCE_ASYMMETRIC, 1);
    CHECK_EQ(kernel.argument[0][0], REGISTER);
    CHECK(kernel.argument[0][1] == 0 && kernel.argument[0][2] == 0, "no flags");
    CHECK(!rm_fence_forgo());
    check_fence(RM_FENCE_ASYMMETRIC, 1);
    set_fence(RM_FENCE_UNKNOWN, 1, bad);
    rm_fence_prepare();
    rm_fence_prepare();
    check_fence(RM_FENCE_SYMMETRIC, 1);
    set_fence(RM_FENCE_REFUSED, 0, NULL);
    rm_fence_prepare();
    CHECK(rm_fence_forgo());
    check_fence(RM_FENCE_REFUSED, 0);
    set_fence(RM_FENCE_UNKNOWN, 0, NULL);
    CHECK(rm_fence_forgo());
    rm_fence_prepare();
    check_fence(RM_FENCE_SYMMETRIC, 0);
}

TEST_CASE(fence, each_answer_to_the_heavy_side)
{
    static const struct {
        unsigned answers;
        int error[3];
        bool done;
        enum rm_fence_kind after;
    } row[] = {
        {1, {0}, true, RM_FENCE_ASYMMETRIC},
        {1, {ENOMEM}, false, RM_FENCE_ASYMMETRIC},
        {1, {ENOSYS}, false, RM_FENCE_REFUSED},
        {1, {EINVAL}, false, RM_FENCE_REFUSED},
        {2, {EPERM, EPERM}, false, RM_FENCE_REFUSED},
        {2, {EPERM, ENOMEM}, false, RM_FENCE_REFUSED},
        {3, {EPERM, 0, 0}, true, RM_FENCE_ASYMMETRIC},
        {3, {EPERM, 0, ENOMEM}, false, RM_FENCE_ASYMMETRIC},
        {3, {EPERM, 0, EPERM}, false, RM_FENCE_REFUSED},
    };
    static const long command[] = {EXPEDITED, REGISTER, EXPEDITED};

    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        set_fence(RM_FENCE_ASYMMETRIC, row[i].answers, row[i].error);
        CHECK_EQ(rm_fence_heavy(), row[i].done, "row %u", i);
        check_fence(row[i].after, row[i].answers);
        for (unsigned j = 0; j < row[i].answers; j++) {
            CHECK_EQ(kernel.argument[j][0], command[j], "row %u", i);
        }
    }
    for (unsigned kind = RM_FENCE_UNKNOWN; kind <= RM_FENCE_REFUSED; kind++) {
        if (kind != RM_FENCE_ASYMMETRIC) {
            set_fence((enum rm_fence_kind)kind, 0, NULL);
            CHECK_EQ(rm_fence_heavy(), kind == RM_FENCE_SYMMETRIC);
            check_fence((enum rm_fence_kind)kind, 0);
        }
    }
}

/* ---- words, stacks and the clock ---- */

TEST_CASE(words, each_operation)
{
    rm_word word = {0};

    rm_word_set_private(&word, 5);
    CHECK_EQ(rm_word_private(&word), 5u);
    rm_store_release(&word, 6);
    CHECK(rm_load_acquire(&word) == 6 && rm_load_dependent(&word) == 6 && rm_load_ordered(&word) == 6);
    CHECK(rm_load_relaxed(&word) == 6 && rm_load_immutable(&word) == 6);
    CHECK(!rm_cas_full(&word, 5, 9) && !rm_cas_relaxed(&word, 5, 9) && !rm_cas_ordered(&word, 5, 9));
    CHECK(rm_cas_full(&word, 6, 7) && rm_cas_relaxed(&word, 7, 8) && rm_cas_ordered(&word, 8, 9));
    CHECK_EQ(rm_swap_full(&word, 3), 9u);
    CHECK_EQ(rm_add_relaxed(&word, 2), 3u);
    rm_or_full(&word, 8);
    rm_or_relaxed(&word, 16);
    rm_or_ordered(&word, 32);
    CHECK_EQ(rm_load_relaxed(&word), 61u);
    rm_and_full(&word, ~UINT64_C(1));
    rm_and_relaxed(&word, ~UINT64_C(4));
    CHECK_EQ(rm_load_relaxed(&word), 56u);
    rm_count_own(&word, 0 - UINT64_C(6));
    CHECK_EQ(rm_load_relaxed(&word), 50u);
    rm_store_relaxed(&word, rm_pointer_bits(&word));
    CHECK(rm_load_pointer(&word) == &word && rm_load_pointer_relaxed(&word) == &word);
}

TEST_CASE(words, a_stack_is_taken_as_a_whole)
{
    struct rm_stack stack = {{0}};
    struct rm_link link[4];

    CHECK(rm_stack_is_empty(&stack));
    CHECK(rm_stack_take_all(&stack) == NULL);
    rm_stack_push(&stack, &link[0]);
    CHECK(!rm_stack_is_empty(&stack));
    link[1].next = &link[2];
    rm_stack_push_chain(&stack, &link[1], &link[2]);
    rm_stack_push(&stack, &link[3]);
    CHECK_EQ(rm_stack_take_all(&stack), &link[3]);
    CHECK(link[3].next == &link[1] && link[1].next == &link[2] && link[2].next == &link[0] &&
          link[0].next == NULL);
    CHECK(rm_stack_is_empty(&stack));
    CHECK(rm_stack_take_all(&stack) == NULL);
}

static const struct timespec *coarse;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (coarse != NULL && clock == CLOCK_MONOTONIC_COARSE) {
        *now = *coarse;
        return 0;
    }
    return (int)real_syscall(SYS_clock_gettime, (long)clock, (long)now);
}

TEST_CASE(words, the_clock_counts_nanoseconds)
{
    const struct timespec now = {7, 999999999};

    coarse = &now;
    CHECK_EQ(rm_coarse_ns(), UINT64_C(7999999999));
    coarse = NULL;
}
