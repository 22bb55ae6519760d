// SPDX-License-Identifier: BSD-2-Clause
/*
 * From SIGBUS to memory_failure() (kernel: mm/memory-failure.c raises the one, here it leads to the other).
 * docs/pagemap.md, section 8, has the protocol.
 *
 * A program without a SIGBUS handler, or with one that can be called for signals that it does not know, calls
 * pagemap_sigbus_install() once. One with an event loop calls pagemap_sigbus_note() in its own handler, waits for
 * pagemap_sigbus_fd() to be readable, and calls pagemap_sigbus_serve() then.
 */
#ifndef PAGEMAP_SIGBUS_H
#define PAGEMAP_SIGBUS_H

#include <signal.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Installs a handler for SIGBUS and starts a thread that serves. The handler notes what tells of broken memory,
 * wherever it is, and then calls the handler that was there before, with the same arguments, for every SIGBUS. Where
 * none was: BUS_MCEERR_AO is dealt with, and all else has the default action, which ends the process. The handler
 * runs on the alternate stack, if the thread has one, with the mask of the one before. -EALREADY: it is installed;
 * -EMFILE, -ENFILE, -EAGAIN, -ENOMEM: no eventfd, or no thread. Takes a lock, may allocate; not in signal handlers.
 * In a child of a fork it is to be called again: the handler is there, the thread is not, and what was noted before
 * is forgotten.
 */
int pagemap_sigbus_install(void);

/*
 * Puts the handler of before back, and ends the thread; what was noted is served. -EINVAL: it is not installed;
 * -EBUSY: another handler was installed since. Waits for the thread; not in signal handlers or driver's ops.
 */
int pagemap_sigbus_uninstall(void);

/*
 * Notes that memory is broken, if *info is a SIGBUS that says so (si_code BUS_MCEERR_AO or BUS_MCEERR_AR), and makes
 * the descriptor readable. False: it says something else, or 64 other notes have not been served: then the page is
 * noted when it is touched again. Async-signal-safe, lock-free, on any thread; errno stays. A true result does not
 * say that the memory is a device's. With BUS_MCEERR_AR the access cannot be repeated: leave by siglongjmp(), or end
 * the process; do not wait here for the serving.
 */
bool pagemap_sigbus_note(const siginfo_t *info);

/*
 * An eventfd(2) that is readable when something was noted: to wait for, not to read or close. In a child, another one
 * than its parent's. -EMFILE, -ENFILE, -ENOMEM. Takes a lock; may wait for close(2).
 */
int pagemap_sigbus_fd(void);

/*
 * Takes what was noted, and calls memory_failure() for each page of a device in it, by the views and linear maps that
 * the addresses are in (with MF_ACTION_REQUIRED for BUS_MCEERR_AR). Returns for how many it did; what lies in no
 * device, and each error, is told to the warn function. May wait; context as memory_failure().
 */
long pagemap_sigbus_serve(void);

#ifdef __cplusplus
}
#endif

#endif
