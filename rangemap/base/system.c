// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* syscall */
#include "rangemap/base/system.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rangemap/base/atomic.h"

/* Numbers of the kernel's ABI, whose headers musl's compilers do not find. */
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };
#if !defined(MADV_WIPEONFORK)
#define MADV_WIPEONFORK 18
#endif

static rm_word process_id; /* 0: not noted. A number that publishes nothing else */

/* A page that is all zero again in a copy of the process; NULL: there is none. */
static rm_word *witness;

/* syscall(2) with the kernel's own result, errno as it was. */
static long ask(long number, long a, long b, long c, long d, long e, long f)
{
    int before = errno;
    long result = syscall(number, a, b, c, d, e, f);

    if (result == -1) {
        result = -errno;
        errno = before;
    }
    return result;
}

static int flags_of(bool accounted)
{
    return MAP_PRIVATE | MAP_ANONYMOUS | (accounted ? 0 : MAP_NORESERVE);
}

#if defined(RM_TSAN)
void *rm_pages_map(size_t bytes, bool accounted)
{
    int before = errno;
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags_of(accounted), -1, 0);

    errno = before;
    return pages == MAP_FAILED ? NULL : pages;
}

bool rm_pages_unmap(void *pages, size_t bytes)
{
    int before = errno;
    bool is_gone = munmap(pages, bytes) == 0;

    errno = before;
    return is_gone;
}
#else
void *rm_pages_map(size_t bytes, bool accounted)
{
    long pages = ask(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, flags_of(accounted), -1, 0);

    return pages < 0 && pages > -4096 ? NULL : (void *)pages;
}

bool rm_pages_unmap(void *pages, size_t bytes)
{
    return ask(SYS_munmap, (long)pages, (long)bytes, 0, 0, 0, 0) == 0;
}
#endif

size_t rm_page_bytes(void)
{
    return getauxval(AT_PAGESZ);
}

bool rm_pages_advise(void *pages, size_t bytes, int advice)
{
    return ask(SYS_madvise, (long)pages, (long)bytes, advice, 0, 0, 0) == 0;
}

int rm_thread_number(void)
{
#if defined(RANGEMAP_EXPLORER)
    static int number;

    return ++number; /* its threads are coroutines of one thread */
#else
    return (int)ask(SYS_gettid, 0, 0, 0, 0, 0, 0);
#endif
}

static long this_process(void)
{
    return ask(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

enum { WITNESS_BYTES = 4096 };

static rm_word *map_witness(void)
{
    void *page = rm_pages_map(WITNESS_BYTES, false);

    if (page != NULL && !rm_pages_advise(page, WITNESS_BYTES, MADV_WIPEONFORK)) {
        (void)rm_pages_unmap(page, WITNESS_BYTES);
        page = NULL;
    }
    return page;
}

void rm_process_note(void)
{
    if (witness == NULL) {
        witness = map_witness();
    }
    if (witness != NULL) {
        rm_store_relaxed(witness, 1);
    }
    rm_store_relaxed(&process_id, (uint64_t)this_process());
}

void rm_process_forget(void)
{
    if (witness != NULL) {
        (void)rm_pages_unmap(witness, WITNESS_BYTES);
        witness = NULL;
    }
}

bool rm_process_is_copy(void)
{
    return witness == NULL || rm_load_relaxed(witness) == 0;
}

/* Also if there is no such thread, any more; false if the kernel does not say. */
static bool is_without_list(int number)
{
    void *list = NULL;
    size_t bytes;
    long result = ask(SYS_get_robust_list, number, (long)&list, (long)&bytes, 0, 0, 0);

    return result == -ESRCH || (result == 0 && list == NULL);
}

bool rm_thread_has_list(void)
{
    void *list = NULL;
    size_t bytes;

    return ask(SYS_get_robust_list, 0, (long)&list, (long)&bytes, 0, 0, 0) == 0 && list != NULL;
}

bool rm_thread_is_gone(int number, bool had_list)
{
    long process = this_process();

    if (RM_EXPLORED || number <= 0 || process != (long)rm_load_relaxed(&process_id)) {
        return false; /* the explorer's threads are all there */
    }
    return ask(SYS_tgkill, process, number, 0, 0, 0, 0) == -ESRCH || (had_list && is_without_list(number));
}

uint64_t rm_thread_cpu_ns(int number)
{
    /* How the kernel numbers the clocks of threads: see clock_getcpuclockid(3) and <linux/posix-timers.h>. */
    enum { PER_THREAD_SCHEDULED = 6 };
    struct timespec used;

#if defined(RANGEMAP_EXPLORER)
    return 0;
#endif
    if (ask(SYS_clock_gettime, (long)((~(unsigned)number << 3) | PER_THREAD_SCHEDULED) | ~0xffffffffL,
            (long)&used, 0, 0, 0, 0) != 0) {
        return 0;
    }
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static uint64_t signal_bit(int signal_number)
{
    return UINT64_C(1) << (signal_number - 1);
}

struct rm_signals rm_signals_hold(void)
{
    uint64_t caused = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGFPE) |
                      signal_bit(SIGTRAP) | signal_bit(SIGSYS) | signal_bit(SIGABRT);
    uint64_t others = ~caused;
    struct rm_signals before = {0, false};

    before.held =
        ask(SYS_rt_sigprocmask, SIG_BLOCK, (long)&others, (long)&before.blocked, sizeof others, 0, 0) == 0;
    return before;
}

void rm_signals_let_through(struct rm_signals before)
{
    if (before.held) {
        (void)ask(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before.blocked, 0, sizeof before.blocked, 0, 0);
    }
}

int rm_membarrier(int command)
{
    return (int)ask(SYS_membarrier, command, 0, 0, 0, 0, 0);
}

void rm_wake_all(const uint32_t *word)
{
    (void)ask(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

void rm_sleep_on(const uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};

    (void)ask(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)value, timeout_ns < 0 ? 0 : (long)&timeout, 0,
              0);
}

void rm_back_off(unsigned *attempts)
{
    enum { YIELDS = 4, DOUBLINGS = 10 };
    unsigned look = (*attempts)++;
    int before = errno;

    if (look < YIELDS) {
        (void)sched_yield();
    } else {
        unsigned doublings = look - YIELDS < DOUBLINGS ? look - YIELDS : DOUBLINGS;
        struct timespec pause = {0, 1000L << doublings};

        (void)nanosleep(&pause, NULL);
    }
    errno = before;
}
