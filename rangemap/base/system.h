// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the library asks of the kernel, asked directly: a program may have put functions of its own in the place of
 * libc's mmap and munmap, and those may use the library. None of these changes errno.
 */
#ifndef RANGEMAP_BASE_SYSTEM_H
#define RANGEMAP_BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rangemap/base/compiler.h"

/*
 * Private memory of whole pages, all zero; NULL: there is none. `accounted`: refused if there is not as much memory
 * to be had, by the kernel's heuristics. Not through libc's mmap() and munmap(), but in
 * ThreadSanitizer's build, which has to see them, to forget what was at an address before.
 */
RM_INTERNAL void *rm_pages_map(size_t bytes, bool accounted);

/* munmap(2). False: refused, which the middle of a mapping may be. */
RM_INTERNAL bool rm_pages_unmap(void *pages, size_t bytes);

/* Of a page of the system's: 4 KiB to 64 KiB. */
RM_INTERNAL size_t rm_page_bytes(void);

/* madvise(2), which rounds `bytes` up to pages. False: refused. */
RM_INTERNAL bool rm_pages_advise(void *pages, size_t bytes, int advice);

/* The number by which the kernel knows the calling thread. */
RM_INTERNAL int rm_thread_number(void);

/*
 * Notes which process this is, for rm_thread_is_gone(). In the child of a fork it must be noted anew: by a caller
 * that knows that there is no other thread.
 */
RM_INTERNAL void rm_process_note(void);

/* Gives back what rm_process_note() has mapped: the library is about to be unloaded. */
RM_INTERNAL void rm_process_forget(void);

/*
 * Whether the memory is a copy of another process's, made by a fork that rm_process_note() has not seen. False in a
 * child that shares the memory, as after vfork(). True if it cannot be told (Linux before 4.14).
 */
RM_INTERNAL bool rm_process_is_copy(void);

/*
 * Whether this process has no thread of that number any more: what such a thread was in the middle of is over, and
 * all that it wrote can be seen. False where it cannot be told, as in a child that rm_process_note() has not seen. A
 * number may be another thread's by now; then the answer is false as long as that one lives. Any context.
 */
RM_INTERNAL bool rm_thread_is_gone(int number, bool had_list);

/*
 * Whether the kernel knows a list of robust mutexes of the calling thread, as glibc gives every thread one. The kernel
 * forgets it when the thread ends, before a thread that joins it goes on, and of the first thread of the process too,
 * whose number stays. So of a thread that had one it can be told at once that it is gone.
 */
RM_INTERNAL bool rm_thread_has_list(void);

/*
 * The processor time that a thread of this process has used, in nanoseconds; 0: not to be had. A thread for which
 * it stands still between two looks was not running then, and has passed a full fence since it last ran: that of
 * the scheduler.
 */
RM_INTERNAL uint64_t rm_thread_cpu_ns(int number);

/*
 * The calling thread's signals, held off for some instructions: but for those of which it is the cause itself, such
 * as SIGSEGV and SIGSYS. What comes meanwhile comes when they are let through again. Not by sigprocmask(), which
 * programs replace, too.
 */
struct rm_signals {
    uint64_t blocked; /* before */
    bool held;        /* the kernel has not refused */
};

RM_INTERNAL struct rm_signals rm_signals_hold(void);
RM_INTERNAL void rm_signals_let_through(struct rm_signals before);

/* membarrier(2): 0 or a negative errno. */
RM_INTERNAL int rm_membarrier(int command);

/*
 * Wakes the threads that sleep on the word; sleeps while its low half is `value`, at most so long (negative: no
 * limit).
 */
RM_INTERNAL void rm_wake_all(const uint32_t *word);
RM_INTERNAL void rm_sleep_on(const uint32_t *word, uint32_t value, int64_t timeout_ns);

/* Between two fruitless looks: a yield at first, then sleeps of 1 us to 1 ms. A cancellation point. */
RM_INTERNAL void rm_back_off(unsigned *attempts);

#endif
