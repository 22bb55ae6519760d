// SPDX-License-Identifier: BSD-2-Clause
/*
 * percpu_ref: a reference count that many threads change without sharing a cache line, as in the kernel's
 * include/linux/percpu-refcount.h (6.1), from which names and rules come.
 *
 * In percpu mode each CPU has a word of its own and no thread looks for zero. Killing it switches to atomic
 * mode, one shared counter, and drops the initial reference; the thread that drops the last one runs `release`.
 *
 * Context: get, put, tryget and the is_ functions take no lock, never wait, and may be called from a signal handler
 * of a thread that has used the library before; in one that has not, percpu_ref_is_zero() takes a lock where there is
 * no memory for its record. The others take a lock; those that say so wait. Where the wait cannot end (-EDEADLK of
 * pagemap_synchronize(); membarrier(2) refused), the library WARNs and they do nothing. Functions given to it run on
 * any thread that uses the library, and must not call those of fs.h: the thread may be inside of one. Order: what a
 * thread did before a put happens-before `release`, and before percpu_ref_is_zero() is true.
 */
#ifndef PAGEMAP_PERCPU_REF_H
#define PAGEMAP_PERCPU_REF_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct percpu_ref;
struct percpu_ref_data;

/* Runs once, on whichever thread drops the last reference. It may call anything but what waits for `ref`. */
typedef void percpu_ref_func_t(struct percpu_ref *ref);

enum {
    PERCPU_REF_INIT_ATOMIC = 1 << 0, /* starts in atomic mode and stays in it until told otherwise */
    PERCPU_REF_INIT_DEAD = 1 << 1,   /* starts dead, in atomic mode, with count 0 */
    PERCPU_REF_ALLOW_REINIT = 1 << 2 /* may go back to percpu mode; the other two imply it */
};

/* The members are private. Zero bytes are a reference that was never initialised: exit does nothing then. */
struct percpu_ref {
    uint64_t percpu_count_ptr; /* the words' address; bit 0 atomic, bit 1 dead; after exit, the count << 2 */
    struct percpu_ref_data *data;
};

/*
 * Makes `ref` with count 1 (0 if INIT_DEAD). `release` may be NULL. -EINVAL: ref is NULL or unknown flags;
 * -ENOMEM: as it was before.
 */
int percpu_ref_init(struct percpu_ref *ref, percpu_ref_func_t *release, unsigned flags);

/*
 * Ends `ref`; its memory may be used again after a grace period if lookups in read sections can still reach
 * it, else at once. While a switch is in flight it WARNs and waits for it. Nothing may get or put it
 * afterwards; percpu_ref_is_zero() and is_dying stay valid. Does nothing to a ref that is all zero or exited.
 */
void percpu_ref_exit(struct percpu_ref *ref);

/* One more, or `nr` more, for a caller that has one. */
void percpu_ref_get(struct percpu_ref *ref);
void percpu_ref_get_many(struct percpu_ref *ref, uint64_t nr);

/* One less, or `nr` less; the last runs `release` inside the call. */
void percpu_ref_put(struct percpu_ref *ref);
void percpu_ref_put_many(struct percpu_ref *ref, uint64_t nr);

/* One more unless the count is zero (also: exited). In percpu mode it is never zero. */
bool percpu_ref_tryget(struct percpu_ref *ref);
bool percpu_ref_tryget_many(struct percpu_ref *ref, uint64_t nr);

/*
 * One more unless the reference was killed. A call that runs while it is being killed may go either way;
 * after kill_and_confirm's `confirm` none succeeds. The _held form is for callers inside a read section
 * (pagemap_read_lock()), where confirm waits for the section; the other opens one where it needs it.
 */
bool percpu_ref_tryget_live(struct percpu_ref *ref);
bool percpu_ref_tryget_live_held(struct percpu_ref *ref);

/* Kills it and drops the initial reference. WARNs and does nothing if it is dying already. */
void percpu_ref_kill(struct percpu_ref *ref);

/*
 * The same; `confirm` runs once, after a grace period, on any thread that uses the library (see
 * pagemap_barrier(), which waits for it). A reference is held until it has run, so `release` comes after it.
 * May wait: for an earlier switch of the same ref that is not confirmed yet.
 */
void percpu_ref_kill_and_confirm(struct percpu_ref *ref, percpu_ref_func_t *confirm);

/* To one shared counter; `confirm` (may be NULL) as above, at once if it is in atomic mode already. */
void percpu_ref_switch_to_atomic(struct percpu_ref *ref, percpu_ref_func_t *confirm);

/* The same; returns when every other thread counts on the shared counter. Waits for a grace period. */
void percpu_ref_switch_to_atomic_sync(struct percpu_ref *ref);

/* Back to one word per CPU, unless it is dying (then when it lives again). WARNs without ALLOW_REINIT. */
void percpu_ref_switch_to_percpu(struct percpu_ref *ref);

/* Makes a dead ref with count 0 live with count 1, in the mode it was. WARNs and does nothing otherwise. */
void percpu_ref_reinit(struct percpu_ref *ref);

/* Makes a dying ref live again, whatever its count, and adds the initial reference. WARNs as reinit. */
void percpu_ref_resurrect(struct percpu_ref *ref);

/* Whether it was killed. */
bool percpu_ref_is_dying(const struct percpu_ref *ref);

/* Whether the count is zero; never in percpu mode. Valid after exit, and beside it. */
bool percpu_ref_is_zero(const struct percpu_ref *ref);

/*
 * The count as the words add up, without the bias; exact only when no thread changes it. For reports; not in
 * the kernel. After exit, what it was then; valid beside it.
 */
uint64_t percpu_ref_count(const struct percpu_ref *ref);

#ifdef __cplusplus
}
#endif

#endif
