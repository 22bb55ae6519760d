// SPDX-License-Identifier: BSD-2-Clause
/*
 * Being told before pages go (kernel: include/linux/mmu_notifier.h, mm/mmu_notifier.c 6.1): for clients that give
 * addresses of views, or pages, to hardware. docs/pagemap.md, section 14, has the protocol, what is told of, and why
 * a client that keeps to it never touches what has gone.
 *
 * Context: any thread, not inside a read section. insert, remove, read_begin and the two brackets take a mutex, for a
 * moment; read_retry and set_seq are lock-free. In callbacks: all but what their comments exclude.
 */
#ifndef PAGEMAP_MMU_NOTIFIER_H
#define PAGEMAP_MMU_NOTIFIER_H

#include <stddef.h>

#include "pagemap/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mm_struct;
struct mmu_interval_notifier;
struct pm_told_space;
struct vm_area_struct;

/* Of these the library tells UNMAP, CLEAR and RELEASE; the others are of drivers and of pagemap/compat. */
enum mmu_notifier_event {
    MMU_NOTIFY_UNMAP, /* the addresses end */
    MMU_NOTIFY_CLEAR, /* what is there now goes: revoked, truncated, replaced, poisoned */
    MMU_NOTIFY_PROTECTION_VMA,
    MMU_NOTIFY_PROTECTION_PAGE,
    MMU_NOTIFY_SOFT_DIRTY,
    MMU_NOTIFY_RELEASE, /* the device was killed */
    MMU_NOTIFY_MIGRATE, /* `owner` takes them to its device, or back */
    MMU_NOTIFY_EXCLUSIVE
};

#define MMU_NOTIFIER_RANGE_BLOCKABLE 1u

/*
 * An invalidation, on the stack of the thread that makes it. Set up by mmu_notifier_range_init(). Members with an
 * underscore are private.
 */
struct mmu_notifier_range {
    struct mm_struct *mm;       /* in a callback: what its interval was inserted with */
    struct vm_area_struct *vma; /* for pagemap/compat; NULL if the library tells */
    unsigned long start, end;   /* virtual or physical addresses, as those of the interval; end exclusive */
    unsigned flags;             /* MMU_NOTIFIER_RANGE_BLOCKABLE, always */
    enum mmu_notifier_event event;
    void *owner; /* of MIGRATE and EXCLUSIVE: dev_pagemap::owner; else NULL */
    struct pm_told_space *_space;
    struct mmu_notifier_range *_next, *_outer;
    struct mmu_interval_notifier *_running;
    uint64_t _seq, _generation;
    bool _is_nested, _is_told, _is_over;
};

struct mmu_interval_notifier_ops {
    /*
     * Pages of the interval are about to go: stores cur_seq by mmu_interval_set_seq() under the lock under which
     * mmu_interval_read_retry() is called, stops what uses them, and drops its pins and references on them. Returns
     * true. May wait, and run on several threads at once. Without any lock of the library; must not wait for the
     * thread that invalidates (truncate or tear down the same pages), nor end the thread. A part of the interval
     * alone may be meant: range->start, range->end.
     */
    bool (*invalidate)(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                       unsigned long cur_seq);
    /*
     * May be NULL. They have gone, or have not: mmu_interval_read_begin() does not wait for this invalidation any
     * more. Called once for each invalidate(), on the same thread. Not in the kernel, which has it for mmu_notifier
     * alone.
     */
    void (*invalidate_end)(struct mmu_interval_notifier *subscription,
                           const struct mmu_notifier_range *range);
};

/* The caller's, not to be moved or freed before mmu_interval_notifier_remove() has returned. */
struct mmu_interval_notifier {
    const struct mmu_interval_notifier_ops *ops;
    struct mm_struct *mm;
    unsigned long invalidate_seq; /* by mmu_interval_set_seq() */
    struct pm_interval _interval;
    struct pm_told_space *_space;
    uint64_t _born, _generation, _nr_running;
    bool _is_leaving;
};

/*
 * From now on ops->invalidate() is called before anything in [start, start + length), in bytes, of this process's
 * views goes. Nothing needs to be mapped there. `mm` is for callbacks, and not looked at: this process is meant.
 * -EINVAL: no ops or no invalidate(); -EOVERFLOW: length is 0, or more than there is; -ENOMEM: no pthread_atfork().
 */
int mmu_interval_notifier_insert(struct mmu_interval_notifier *subscription, struct mm_struct *mm,
                                 unsigned long start, unsigned long length,
                                 const struct mmu_interval_notifier_ops *ops);

/* The same for physical addresses, of devices that are mapped or may be later. Not in the kernel. */
int pagemap_interval_notifier_insert(struct mmu_interval_notifier *subscription, phys_addr_t start,
                                     uint64_t bytes, const struct mmu_interval_notifier_ops *ops);

/*
 * Ends it; when this returns no callback of it runs, or will. Waits for those that do, without limit; no cancellation
 * point. -EDEADLK: called in a callback of it, which would wait for itself; -EINVAL: it is not inserted. It WARNs
 * then, and nothing happened. In a child of the process that inserted it: 0, and nothing is to be done. (In the
 * kernel: void.)
 */
int mmu_interval_notifier_remove(struct mmu_interval_notifier *subscription);

/*
 * Waits until no invalidation of the interval is under way, without limit, and returns the number for
 * mmu_interval_read_retry(). No cancellation point. In a callback, for an interval that this thread is invalidating:
 * it WARNs, does not wait, and mmu_interval_read_retry() will be true.
 */
unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *subscription);

/*
 * Whether the interval was invalidated since: then what was pinned or looked up is stale. Under the client's lock.
 * Acquire: pairs with mmu_interval_set_seq().
 */
static inline bool mmu_interval_read_retry(const struct mmu_interval_notifier *subscription,
                                           unsigned long seq)
{
    return __atomic_load_n(&subscription->invalidate_seq, __ATOMIC_ACQUIRE) != seq;
}

/*
 * The same without the lock: true is final, false says nothing. Spares a client that fills a long range useless work.
 */
static inline bool mmu_interval_check_retry(const struct mmu_interval_notifier *subscription,
                                            unsigned long seq)
{
    return mmu_interval_read_retry(subscription, seq);
}

/* In invalidate(), under the client's lock. Release. */
static inline void mmu_interval_set_seq(struct mmu_interval_notifier *subscription, unsigned long cur_seq)
{
    __atomic_store_n(&subscription->invalidate_seq, cur_seq, __ATOMIC_RELEASE);
}

static inline bool mmu_notifier_range_blockable(const struct mmu_notifier_range *range)
{
    return (range->flags & MMU_NOTIFIER_RANGE_BLOCKABLE) != 0;
}

static inline void mmu_notifier_range_init_owner(struct mmu_notifier_range *range,
                                                 enum mmu_notifier_event event, unsigned flags,
                                                 struct vm_area_struct *vma, struct mm_struct *mm,
                                                 unsigned long start, unsigned long end, void *owner)
{
    (void)flags;
    range->mm = mm;
    range->vma = vma;
    range->start = start;
    range->end = end;
    range->flags = MMU_NOTIFIER_RANGE_BLOCKABLE;
    range->event = event;
    range->owner = owner;
}

static inline void mmu_notifier_range_init(struct mmu_notifier_range *range, enum mmu_notifier_event event,
                                           unsigned flags, struct vm_area_struct *vma, struct mm_struct *mm,
                                           unsigned long start, unsigned long end)
{
    mmu_notifier_range_init_owner(range, event, flags, vma, mm, start, end, NULL);
}

/*
 * Around a change that the caller makes to what is at the virtual addresses [range->start, range->end), start < end.
 * start() returns when all callbacks have. Between the two, on the same thread, the library does not tell again of
 * what it does there itself: so that a change is told of with an event and owner of the caller's. Each start has its
 * end, in reverse order if they nest.
 */
void mmu_notifier_invalidate_range_start(struct mmu_notifier_range *range);
void mmu_notifier_invalidate_range_end(struct mmu_notifier_range *range);

#ifdef __cplusplus
}
#endif

#endif
