// SPDX-License-Identifier: BSD-2-Clause
/*
 * Touches of absent pages. The handler of SIGBUS may not call a driver, which allocates and locks: it asks a thread
 * of ours to, and waits for it by futex(2) alone. A touch by that thread itself, inside of a driver, is dealt with on
 * the spot.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

/* On the stack of the thread that touched. */
struct touch {
    struct touch *next;
    unsigned long address;
    bool is_write, has_area;
    vm_fault_t result;
    uint32_t is_done;
};

static struct sigaction before;
static struct touch *touches; /* pushed by handlers, taken all at once by the thread */
static uint32_t asked;        /* how many times anything was pushed */
static _Thread_local bool is_server;

static void futex_wait(uint32_t *word, uint32_t value)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void deal_with(struct touch *touch)
{
    touch->result = pm_fault_at(touch->address, touch->is_write, &touch->has_area);
    if (touch->has_area && touch->result == 0 && !pm_is_present(touch->address)) {
        (void)sched_yield(); /* a migration is under way: the touch is repeated */
    }
}

/* The touch is the toucher's again, and perhaps gone, once it is done. */
static void *serve(void *unused)
{
    is_server = true;
    for (;;) {
        uint32_t seen = __atomic_load_n(&asked, __ATOMIC_ACQUIRE);
        struct touch *touch = __atomic_exchange_n(&touches, NULL, __ATOMIC_ACQ_REL);

        if (touch == NULL) {
            futex_wait(&asked, seen);
        }
        while (touch != NULL) {
            struct touch *next = touch->next;

            deal_with(touch);
            __atomic_store_n(&touch->is_done, 1, __ATOMIC_RELEASE);
            futex_wake(&touch->is_done);
            touch = next;
        }
    }
    return unused;
}

static void ask(struct touch *touch)
{
    touch->next = __atomic_load_n(&touches, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&touches, &touch->next, touch, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
    }
    (void)__atomic_add_fetch(&asked, 1, __ATOMIC_RELEASE);
    futex_wake(&asked);
    while (__atomic_load_n(&touch->is_done, __ATOMIC_ACQUIRE) == 0) {
        futex_wait(&touch->is_done, 0);
    }
}

static bool is_write_fault(const void *context)
{
#if defined(__x86_64__)
    const ucontext_t *at = context;

    return (at->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    (void)context;
    return false;
#endif
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
    if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(signal, info, context);
    } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
        (void)sigaction(signal, &before, NULL); /* the touch is repeated, and ends the process */
    } else {
        before.sa_handler(signal);
    }
}

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
    struct touch touch = {.address = (unsigned long)info->si_addr, .is_write = is_write_fault(context)};
    int saved = errno;

    if (info->si_code > 0) { /* not sent by kill() */
        if (is_server) {
            deal_with(&touch);
        } else {
            ask(&touch);
        }
    }
    if (!touch.has_area || touch.result != 0) {
        pass_on(signal, info, context);
    }
    errno = saved;
}

int pagemap_compat_catch_faults(void)
{
    static DEFINE_MUTEX(lock);
    static bool is_installed;
    struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};
    pthread_t thread;
    int error = 0;

    mutex_lock(&lock);
    if (!is_installed) {
        error = -pthread_create(&thread, NULL, serve, NULL);
        if (error == 0) {
            (void)pthread_detach(thread);
            error = sigaction(SIGBUS, &action, &before) == 0 ? 0 : -errno;
        }
        is_installed = error == 0;
    }
    mutex_unlock(&lock);
    return error;
}
