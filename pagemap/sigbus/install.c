// SPDX-License-Identifier: BSD-2-Clause
/* A handler, and a thread that does what a handler must not. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/base/atomic.h"
#include "pagemap/base/cancel.h"
#include "pagemap/sigbus.h"
#include "pagemap/sigbus/note.h"

/* Under the lock; the handler reads `before`, which does not change while it is installed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static bool is_installed;
static pid_t owner; /* the process that has the thread that serves */
static pthread_t server;
static uint64_t stop;

/* ---- the handler ---- */

/* The same signal again, when this handler has returned, and no handler to catch it. */
static void die_of(const siginfo_t *info)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    (void)sigaction(SIGBUS, &action, NULL);
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGBUS, info) != 0) {
        (void)raise(SIGBUS);
    }
}

static void handle(int number, siginfo_t *info, void *context)
{
    bool noted = pagemap_sigbus_note(info);

    if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(number, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    } else if (!(noted && info->si_code == BUS_MCEERR_AO) &&
               !(before.sa_handler == SIG_IGN &&
                 info->si_code <= 0)) { /* the latter: sent by kill(2) or the like */
        die_of(info);
    }
}

static int set_handler(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

    if (sigaction(SIGBUS, NULL, &before) != 0) {
        return -errno;
    }
    action.sa_sigaction = handle;
    action.sa_mask = before.sa_mask;
    action.sa_flags |= before.sa_flags & SA_NODEFER;
    return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : -errno;
}

/* ---- the thread ---- */

static void *serve(void *context)
{
    struct pollfd told = {.fd = pagemap_sigbus_fd(), .events = POLLIN};

    (void)context;
    do {
        (void)poll(&told, 1, -1);
        (void)pagemap_sigbus_serve();
    } while (pm_load_full(&stop) == 0);
    return NULL;
}

/* No signal of the program's is for it, but SIGBUS for what it touches itself. */
static int start_server(void)
{
    sigset_t most, all;
    int fd = pagemap_sigbus_fd(), error;

    if (fd < 0) {
        return fd;
    }
    (void)sigfillset(&most);
    (void)sigdelset(&most, SIGBUS);
    (void)pthread_sigmask(SIG_SETMASK, &most, &all);
    stop = 0;
    error = -pthread_create(&server, NULL, serve, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    return error;
}

static void stop_server(void)
{
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    pm_note_tell();
    (void)pthread_join(server, NULL);
}

/* ---- the calls ---- */

static int install(void)
{
    int error;

    if (is_installed && owner == getpid()) {
        return -EALREADY;
    }
    if (is_installed) { /* by a parent */
        pm_note_forget();
    }
    error = start_server();
    if (error == 0 && !is_installed) {
        error = set_handler();
        if (error != 0) {
            stop_server();
        }
    }
    if (error == 0) {
        is_installed = true;
        owner = getpid();
    }
    return error;
}

int pagemap_sigbus_install(void)
{
    int cancel = pm_cancel_off(), error;

    (void)pthread_mutex_lock(&lock);
    error = install();
    (void)pthread_mutex_unlock(&lock);
    pm_cancel_restore(cancel);
    return error;
}

static int uninstall(void)
{
    struct sigaction now;

    if (!is_installed) {
        return -EINVAL;
    }
    if (sigaction(SIGBUS, NULL, &now) != 0 || (now.sa_flags & SA_SIGINFO) == 0 ||
        now.sa_sigaction != handle) {
        return -EBUSY;
    }
    (void)sigaction(SIGBUS, &before, NULL);
    if (owner == getpid()) {
        stop_server();
    }
    is_installed = false;
    return 0;
}

int pagemap_sigbus_uninstall(void)
{
    int cancel = pm_cancel_off(), error;

    (void)pthread_mutex_lock(&lock);
    error = uninstall();
    (void)pthread_mutex_unlock(&lock);
    pm_cancel_restore(cancel);
    return error;
}
