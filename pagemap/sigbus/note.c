// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/sigbus/note.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/base/atomic.h"
#include "pagemap/memremap.h"
#include "pagemap/sigbus.h"
#include "pagemap/statistics/statistics.h"

/*
 * A word for each note: the page's address, and in the bits below the shift, whether action is required, and that it
 * is there. 0: free. The thread that changes one from 0 has noted it, the one that changes it to 0 has it.
 */
enum { NOTES = 64, PRESENT = 1, NEEDS_ACTION = 2, SHIFT_AT = 2, SHIFT_MASK = 63 };

static const uint64_t ADDRESS = ~(uint64_t)(PAGE_SIZE - 1);

static uint64_t notes[NOTES];

/* -1: not made yet. By a parent: not ours. */
static int told_fd = -1;
static pid_t told_by; /* written before it */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* No piece is smaller than a page, or larger than the largest compound page. */
static uint64_t encode(const siginfo_t *info)
{
    const unsigned largest = PAGE_SHIFT + MAX_FOLIO_ORDER;
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr & ADDRESS;
    unsigned shift = (unsigned)info->si_addr_lsb;

    shift = shift < PAGE_SHIFT ? PAGE_SHIFT : shift > largest ? largest : shift;
    return address | (uint64_t)shift << SHIFT_AT |
           (info->si_code == BUS_MCEERR_AR ? PRESENT | NEEDS_ACTION : PRESENT);
}

/* False: there is no room. */
static bool add(uint64_t note)
{
    for (unsigned i = 0; i < NOTES; i++) {
        uint64_t there = 0;

        if (pm_cas_full(&notes[i], &there, note) || there == note) {
            return true;
        }
    }
    return false;
}

/* -1: there is none of this process. */
static int own_fd(void)
{
    int fd = __atomic_load_n(&told_fd, __ATOMIC_ACQUIRE);

    return fd >= 0 && __atomic_load_n(&told_by, __ATOMIC_RELAXED) == getpid() ? fd : -1;
}

void pm_note_tell(void)
{
    const uint64_t one = 1;
    int fd = own_fd(), before = errno;

    if (fd >= 0) {
        /* The system call itself: no cancellation point. Refused only if it is readable anyhow. */
        (void)syscall(SYS_write, fd, &one, sizeof one);
        errno = before;
    }
}

bool pagemap_sigbus_note(const siginfo_t *info)
{
    bool noted;

    if (info->si_signo != SIGBUS || (info->si_code != BUS_MCEERR_AO && info->si_code != BUS_MCEERR_AR)) {
        return false;
    }
    noted = add(encode(info));
    pm_count(noted ? &pm_counters()->sigbus_noted : &pm_counters()->sigbus_not_noted, 1);
    pm_note_tell();
    return noted;
}

bool pm_note_take(struct pm_note *note)
{
    for (unsigned i = NOTES; i-- > 0;) {
        uint64_t word = __atomic_exchange_n(&notes[i], 0, __ATOMIC_SEQ_CST);

        if (word != 0) {
            *note = (struct pm_note){(uintptr_t)(word & ADDRESS), (unsigned)(word >> SHIFT_AT) & SHIFT_MASK,
                                     (word & NEEDS_ACTION) != 0};
            return true;
        }
    }
    return false;
}

/* With the lock held. */
static void close_fd(void)
{
    if (told_fd >= 0) {
        (void)close(told_fd);
        __atomic_store_n(&told_fd, -1, __ATOMIC_RELEASE);
    }
}

/* With the lock held. Readable at first: something may have been noted before it was there. */
static int make_fd(void)
{
    int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        return -errno;
    }
    close_fd();
    __atomic_store_n(&told_by, getpid(), __ATOMIC_RELAXED);
    __atomic_store_n(&told_fd, fd, __ATOMIC_RELEASE);
    return fd;
}

int pagemap_sigbus_fd(void)
{
    int fd;

    (void)pthread_mutex_lock(&lock);
    fd = own_fd();
    if (fd < 0) {
        fd = make_fd();
    }
    (void)pthread_mutex_unlock(&lock);
    return fd;
}

void pm_note_reset(void)
{
    uint64_t count;
    int fd = own_fd(), before = errno;

    if (fd >= 0) {
        ssize_t got = read(fd, &count, sizeof count);

        (void)got;
        errno = before;
    }
}

void pm_note_forget(void)
{
    struct pm_note note;

    (void)pthread_mutex_lock(&lock);
    close_fd();
    (void)pthread_mutex_unlock(&lock);
    while (pm_note_take(&note)) {
    }
}
