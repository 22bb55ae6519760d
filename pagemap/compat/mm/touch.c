// SPDX-License-Identifier: BSD-2-Clause
/*
 * Touches of absent pages. The handler of SIGBUS may not call a driver, which allocates and locks: it asks a thread
 * of ours to, and waits for it by futex(2) alone. A touch by that thread itself, inside of a driver, is dealt with on
 * the spot. While threads deal with touches there is another one, since a driver's fault may wait for what a thread
 * does after it has touched something else.
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

enum { MOST_IDLE = 4 };

/* On the stack of the thread that touched. */
struct touch {
    struct touch *next;
    unsigned long address;
    bool is_write, has_area;
    vm_fault_t result;
    uint32_t is_done;
};

static struct sigaction before;
static struct touch *touches; /* pushed by handlers, taken by servers */
static DEFINE_MUTEX(taking);
static int idle;       /* servers that look for touches */
static uint32_t asked; /* how many times anything was pushed */
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

/* One thread at a time takes: so what is on top comes back to no other place meanwhile. */
static struct touch *take(void)
{
    struct touch *top;

    mutex_lock(&taking);
    top = __atomic_load_n(&touches, __ATOMIC_ACQUIRE);
    while (top != NULL && !__atomic_compare_exchange_n(&touches, &top, top->next, true, __ATOMIC_ACQUIRE,
                                                       __ATOMIC_ACQUIRE)) {
    }
    mutex_unlock(&taking);
    return top;
}

static void *serve(void *unused);

static int start_server(void)
{
    pthread_t thread;
    int error;

    (void)__atomic_add_fetch(&idle, 1, __ATOMIC_RELAXED);
    error = -pthread_create(&thread, NULL, serve, NULL);
    if (error == 0) {
        (void)pthread_detach(thread);
    } else {
        (void)__atomic_sub_fetch(&idle, 1, __ATOMIC_RELAXED);
    }
    return error;
}

/* Without memory for another thread, the rest waits for this one. */
static void begin_to_serve(void)
{
    if (__atomic_sub_fetch(&idle, 1, __ATOMIC_RELAXED) == 0) {
        (void)start_server();
    }
}

/* False: there are enough others. */
static bool end_to_serve(void)
{
    int now = __atomic_load_n(&idle, __ATOMIC_RELAXED);

    do {
        if (now >= MOST_IDLE) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(&idle, &now, now + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

/* The touch is the toucher's again, and perhaps gone, once it is done. */
static void *serve(void *unused)
{
    bool goes_on = true;

    is_server = true;
    while (goes_on) {
        uint32_t seen = __atomic_load_n(&asked, __ATOMIC_ACQUIRE);
        struct touch *touch = take();

        if (touch == NULL) {
            futex_wait(&asked, seen);
            continue;
        }
        begin_to_serve();
        deal_with(touch);
        __atomic_store_n(&touch->is_done, 1, __ATOMIC_RELEASE);
        futex_wake(&touch->is_done);
        goes_on = end_to_serve();
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
    int error = 0;

    mutex_lock(&lock);
    if (!is_installed) {
        error = start_server();
        if (error == 0) {
            error = sigaction(SIGBUS, &action, &before) == 0 ? 0 : -errno;
        }
        is_installed = error == 0;
    }
    mutex_unlock(&lock);
    return error;
}
