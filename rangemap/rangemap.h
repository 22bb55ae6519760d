// SPDX-License-Identifier: BSD-2-Clause
/*
 * rangemap: a lock-free concurrent map from closed 64-bit ranges to values.
 *
 * "Which range holds this key, and what is its value?" is answered from any thread without waiting,
 * while any number of threads insert, overwrite and erase ranges.
 *
 * This is the only public header, and the reference.
 *
 * CONVENTIONS, valid for every function unless its comment says otherwise
 *
 *   Ranges      are closed: [start, last], both inclusive, anywhere in 0..UINT64_MAX. Ranges in a map
 *               never overlap. Neighbours are never joined unless rangemap_coalesce() is called.
 *   Values      are one word, never interpreted; NULL is a value like any other.
 *   Results     0 on success, else a negative errno. A call that fails changes nothing and writes no
 *               output argument, except where a comment says what it writes.
 *   -EINVAL     a required pointer is NULL, or start > last.
 *   -ENOMEM     memory ran out (also: the calling thread's first use needs its record). The map is
 *               unchanged and stays usable.
 *   -EBUSY      updates only: the domain's hard limit of unreclaimed bytes is reached (off by default).
 *   Progress    lookups and queries are wait-free on an attached thread. Updates are lock-free and
 *               atomic: each takes effect at one instant. Nothing here takes a lock; only the calls that
 *               say "may wait" wait.
 *   Order       an update happens-before every lookup that sees it (release/acquire); all operations on
 *               one map are linearizable. docs/manual.md, section 7, has it in full, A.1 to G.2.
 *   Threads     a thread is attached to a map's domain by its first use. It may use the library to its very end,
 *               in and after destructors of thread-local data; that it has ended is found out by others.
 *   Signals     lookups and queries may be called from a signal handler, whatever it interrupts. If that is its
 *               thread's first use of the domain, also in the middle of one, it attaches the thread, which may call
 *               the chunk allocator; rangemap_read_try_begin() never does. Not so in handlers of faults inside the
 *               library. Updates, create, destroy, detach, defer, poll, synchronize and barrier may not.
 *   Callbacks   split and equality callbacks must be pure and must not call the library; they may run
 *               more than once per operation. Other callbacks may call lookups and updates. All must return:
 *               no exit from the thread, no longjmp, no exception.
 *   Kernel      threads that read much and update little need no fence where membarrier(2) is allowed when
 *               the process first uses the library. If it is refused later, as by a seccomp filter, sections begin
 *               with fences from then on; until each thread that needed none has begun another section, slept or
 *               ended, nothing is reclaimed. See rangemap_forgo_membarrier(). Filters that kill must let pass:
 *               membarrier, mmap, munmap, madvise, gettid, getpid, tgkill, get_robust_list, rt_sigprocmask,
 *               clock_gettime; and for calls that wait, or callbacks made when asked, futex, sched_yield, nanosleep,
 *               clock_nanosleep, restart_syscall (after SIGSTOP).
 *   Memory      nothing calls malloc, stdio or takes a lock, but rangemap_dump(), rangemap_validate() (snprintf) and
 *               what the library does when it is loaded. System calls are made directly, not through libc's mmap
 *               and munmap; errno is left alone.
 *   Sections    a value that points to memory is safe to dereference only inside a read section that was
 *               begun before the lookup. Every lookup opens a short section of its own.
 */
#ifndef RANGEMAP_RANGEMAP_H
#define RANGEMAP_RANGEMAP_H

#if !defined(__GNUC__)
#error "rangemap needs gcc or clang, or a compiler that takes their extensions and defines __GNUC__"
#elif !defined(__linux__)
#error "rangemap is for Linux"
#elif __SIZEOF_POINTER__ != 8
#error "rangemap supports 64-bit targets only: a value and a node link are one 64-bit word"
#elif __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rangemap supports little-endian targets only: it has never been run on another"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RANGEMAP_VERSION_MAJOR 0
#define RANGEMAP_VERSION_MINOR 1
#define RANGEMAP_VERSION_PATCH 0
/* To be compared in #if: 1.2.3 is 10203. */
#define RANGEMAP_VERSION                                                                                     \
    (RANGEMAP_VERSION_MAJOR * 10000 + RANGEMAP_VERSION_MINOR * 100 + RANGEMAP_VERSION_PATCH)

/* A program that has the library inside may define it otherwise, as __attribute__((visibility("hidden"))). */
#if !defined(RANGEMAP_API)
#define RANGEMAP_API __attribute__((visibility("default")))
#endif

/*
 * Compilers warn where the result is ignored: of calls whose failure leaves the caller without what the next lines
 * rely on. A program that knows better may define it as nothing.
 */
#if !defined(RANGEMAP_MUST_CHECK)
#define RANGEMAP_MUST_CHECK __attribute__((warn_unused_result))
#endif

struct rangemap;
struct rangemap_domain;
struct rangemap_snapshot;

/* One range and its value. */
struct rangemap_entry {
    uint64_t start; /* first key, inclusive */
    uint64_t last;  /* last key, inclusive */
    void *value;
};

/*
 * For callers with a start and a length: the last key of the `length` keys from `start` on, in *last. -EINVAL: length
 * is 0, for which there is no closed range (start - 1 would be the last key, and for start 0 that is the whole of the
 * key space: never compute `end - 1` of a half-open range that may be empty), or the keys would pass UINT64_MAX. `last`
 * is not NULL.
 */
static inline int rangemap_last_of(uint64_t start, uint64_t length, uint64_t *last)
{
    if (length == 0 || length - 1 > UINT64_MAX - start) {
        return -22; /* -EINVAL, without errno.h */
    }
    *last = start + (length - 1);
    return 0;
}

/* The version of the library that is linked, "major.minor.patch". Never fails; any context. */
RANGEMAP_API const char *rangemap_version(void);

/* ------------------------------------------------------------------------------------------------
 * Maps
 * ------------------------------------------------------------------------------------------------ */

/*
 * The value for a part of `whole` that an update leaves behind: [start, last] lies inside
 * [whole->start, whole->last] and differs from it. Needed where values depend on the start of their range,
 * such as file offsets. Pure: it may run several times, also for updates that then fail or retry.
 */
typedef void *rangemap_split_fn(const struct rangemap_entry *whole, uint64_t start, uint64_t last,
                                void *context);

/* Takes or gives back one reference on `value`; see rangemap_options. */
typedef void rangemap_value_fn(void *value, void *context);

/*
 * What a map does with its values. Zero-initialise and set what is needed; NULL options mean all zero.
 *
 * Ownership: every range in the map owns its value once. `release` is called once for each range that
 * stops owning its value: a range that was erased, overwritten, or cut so that none of the remaining parts
 * carries the same word. It runs after a grace period, so that readers in a section still find the value
 * whole, on any thread that uses the domain, never inside a section of that call. A range cut into two
 * parts that both carry the old word has one owner more: `retain` is then called once, by the updating
 * thread, before the update returns; `release` of that word cannot run before.
 * A value given to an update that failed stays the caller's.
 */
struct rangemap_options {
    struct rangemap_domain *domain; /* NULL: the default domain */
    rangemap_split_fn *split;       /* NULL: parts keep the value of the whole */
    rangemap_value_fn *release;     /* NULL: values are not owned */
    rangemap_value_fn *retain;      /* NULL: nothing to do for a value that gained an owner */
    void *context;                  /* passed to all three */
    bool track_gaps; /* searches for gaps pass what cannot serve, see "Gaps"; updates pay for it */
};

/*
 * Creates an empty map in *map. Errors: -EINVAL, -ENOMEM. Lock-free. The map belongs to the caller, which
 * ends it with rangemap_destroy(). The domain must outlive the map.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_create(const struct rangemap_options *options,
                                                     struct rangemap **map);

/*
 * Destroys `map` (NULL is allowed): releases the value of every range left, and returns when no release
 * callback of this map runs or will ever run. No other thread may be using the map or start to, nor may its
 * callbacks; sections and snapshots that were begun through it are ended before. Time O(ranges). May wait for readers
 * of the same domain if the map has a `release` callback; else it does not wait. Then also -EDEADLK: called inside a
 * read section or a callback of the domain.
 */
RANGEMAP_API int rangemap_destroy(struct rangemap *map);

/* Told that a map which rangemap_destroy_later() ended is gone, by the last callback that it causes. */
typedef void rangemap_ended_fn(void *context);

/*
 * Destroys `map` without waiting: no other thread may be using it or start to, but what it owns is released later,
 * where callbacks of the domain run (see enum rangemap_callbacks), a share at a time. When nothing is left and no
 * `release` of it runs any more, ended(context) is called (NULL: no call). Until then all of the map counts as
 * pending bytes. Time O(ranges): they are counted, and as much is disposed of, of what has waited, as by an update
 * that drops so many; called in a callback, the thread's next update does that. Lock-free; also in sections and
 * callbacks, but not between the begin and the end of a section, snapshot or call of this map itself; not in signal
 * handlers. -EINVAL, -ENOMEM: only if the thread cannot be attached.
 * rangemap_domain_barrier() and _destroy() end such maps, too.
 */
RANGEMAP_API int rangemap_destroy_later(struct rangemap *map, rangemap_ended_fn *ended, void *context);

/* The domain that `map` was created in; NULL if map is NULL. */
RANGEMAP_API struct rangemap_domain *rangemap_domain_of(const struct rangemap *map);

/* ------------------------------------------------------------------------------------------------
 * Read sections: what a lookup returned stays valid until the section ends
 * ------------------------------------------------------------------------------------------------ */

/*
 * Begins a read section of the map's domain on this thread. Sections nest. Keep them short: while one is
 * open, memory retired in its domain since then is not reclaimed. Never block, exit the thread or destroy
 * the domain inside. Errors: -EINVAL, -ENOMEM. Wait-free on an attached thread.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_read_begin(const struct rangemap *map);

/*
 * The same for a thread that is attached; else -ESRCH, and nothing has changed. For signal handlers and hooks that may
 * run in any thread: with rangemap_lookup_held() and the like this is a lookup that never attaches. Any context.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_read_try_begin(const struct rangemap *map);

/* Ends the innermost section begun by rangemap_read_begin(). Wait-free. */
RANGEMAP_API void rangemap_read_end(const struct rangemap *map);

/*
 * 1 if the calling thread is inside a read section of the map's domain, begun by whatever call, or a snapshot; else 0.
 * For assertions in functions that are to be called inside one. Changes nothing; wait-free; any context. -EINVAL.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_in_section(const struct rangemap *map);

/* ------------------------------------------------------------------------------------------------
 * Lookups. -ENOENT: no range holds the key
 * ------------------------------------------------------------------------------------------------ */

/* The value of the range that holds `key`, in *value (NULL: only ask whether there is one). */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_lookup(const struct rangemap *map, uint64_t key, void **value);

/* The range that holds `key`, bounds and value as they were at one instant, in *entry. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_find(const struct rangemap *map, uint64_t key,
                                                   struct rangemap_entry *entry);

/*
 * Looks up `count` keys in one section, several at a time, which hides memory latency. hit[i] tells whether
 * a range holds keys[i]; if so values[i] is its value, else NULL. Each answer is as of some instant during
 * the call; the instants may differ. Returns the number of hits (at most INT_MAX keys are allowed: else
 * -EINVAL) or a negative errno. `values` or `hit` may be NULL if not wanted.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_lookup_batch(const struct rangemap *map, const uint64_t *keys,
                                                           size_t count, void **values, bool *hit);

/* As rangemap_lookup_batch(), with bounds: entries[i] is all zero where hit[i] is false. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_find_batch(const struct rangemap *map, const uint64_t *keys,
                                                         size_t count, struct rangemap_entry *entries,
                                                         bool *hit);

/*
 * The same for callers that are inside a read section of the map's domain: no section of their own, no
 * thread record looked up. Undefined outside a section, with a NULL map or a NULL entry.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_lookup_held(const struct rangemap *map, uint64_t key,
                                                          void **value);
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_find_held(const struct rangemap *map, uint64_t key,
                                                        struct rangemap_entry *entry);

/* ------------------------------------------------------------------------------------------------
 * Queries over several ranges: each answer is exact at one instant during the call
 * ------------------------------------------------------------------------------------------------ */

/* The lowest range that starts above `key`, or -ENOENT. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_next(const struct rangemap *map, uint64_t key,
                                                   struct rangemap_entry *entry);

/* The highest range that ends below `key`, or -ENOENT. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_previous(const struct rangemap *map, uint64_t key,
                                                       struct rangemap_entry *entry);

/* The lowest and the highest range of the map, or -ENOENT if it is empty. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_first(const struct rangemap *map, struct rangemap_entry *entry);
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_last(const struct rangemap *map, struct rangemap_entry *entry);

/* The lowest range that shares a key with [start, last], or -ENOENT. `entry` may be NULL. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_overlap(const struct rangemap *map, uint64_t start,
                                                      uint64_t last, struct rangemap_entry *entry);

/* The highest range that shares a key with [start, last], or -ENOENT. `entry` may be NULL. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_overlap_last(const struct rangemap *map, uint64_t start,
                                                           uint64_t last, struct rangemap_entry *entry);

/* 1 if every key of [start, last] is held by some range, 0 if not, or a negative errno. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_is_covered(const struct rangemap *map, uint64_t start,
                                                         uint64_t last);

/* 1 if no key of [start, last] is held by any range, 0 if not, or a negative errno. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_is_free(const struct rangemap *map, uint64_t start,
                                                      uint64_t last);

/* ------------------------------------------------------------------------------------------------
 * Updates
 * ------------------------------------------------------------------------------------------------ */

/*
 * Told every range that an update displaced, whole as it was before, in ascending order, each exactly once,
 * after the update took effect and only if it did. Runs on the updating thread inside a read section, so
 * entry->value is still safe to dereference. It may call lookups and updates.
 */
typedef void rangemap_displaced_fn(const struct rangemap_entry *entry, void *context);

/*
 * Inserts [start, last] if no key of it is held. Else -EEXIST, and *conflict (may be NULL) is a range that
 * was in the way at the instant of the answer.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_insert(struct rangemap *map, uint64_t start, uint64_t last,
                                                     void *value, struct rangemap_entry *conflict);

/*
 * Makes [start, last] hold `value` whatever was there: ranges inside are dropped, ranges that stick out are
 * cut, all in one step; the parts outside are never invisible. `displaced` may be NULL.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_store(struct rangemap *map, uint64_t start, uint64_t last,
                                                    void *value, rangemap_displaced_fn *displaced,
                                                    void *context);

/*
 * Frees every key of [start, last]: as rangemap_store(), storing nothing. Succeeds also where nothing was
 * there.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_carve(struct rangemap *map, uint64_t start, uint64_t last,
                                                    rangemap_displaced_fn *displaced, void *context);

/* Erases the whole range that holds `key`; -ENOENT if there is none. *erased (may be NULL) is that range. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_erase(struct rangemap *map, uint64_t key,
                                                    struct rangemap_entry *erased);

/* Erases the range whose bounds are exactly start and last; -ENOENT if there is none. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_erase_exact(struct rangemap *map, uint64_t start, uint64_t last,
                                                          struct rangemap_entry *erased);

/*
 * Gives the range with exactly these bounds the value `desired` if its value is `expected`, whose ownership
 * ends. -ENOENT: there is no such range. -ESTALE: its value is another, written to *actual (may be NULL).
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_replace(struct rangemap *map, uint64_t start, uint64_t last,
                                                      void *expected, void *desired, void **actual);

/*
 * Erases the range with exactly these bounds if its value is `expected`, whose ownership ends. -ENOENT: there is no
 * such range. -ESTALE: its value is another, written to *actual (may be NULL).
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_erase_value(struct rangemap *map, uint64_t start, uint64_t last,
                                                          void *expected, void **actual);

/* Whether two neighbouring ranges may be joined; pure. `left` ends where `right` begins. */
typedef bool rangemap_equal_fn(const struct rangemap_entry *left, const struct rangemap_entry *right,
                               void *context);

/*
 * Joins runs of touching ranges that lie wholly inside [start, last] and whose neighbours are pairwise
 * equal by `equal` (NULL: same value word). The joined range takes the value of the leftmost. Each run is
 * joined in one atomic step; different runs at different instants. *joined (may be NULL) is the number of
 * ranges that disappeared, also when an error ends the call early.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_coalesce(struct rangemap *map, uint64_t start, uint64_t last,
                                                       rangemap_equal_fn *equal, void *context,
                                                       uint64_t *joined);

/*
 * Fills an empty map from `entries`, sorted by start and disjoint, in one step. -ENOTEMPTY: the map is not
 * empty. -EINVAL: entries[*bad] (bad may be NULL) has start > last or does not lie above its predecessor; or a pointer
 * is NULL, and *bad is not written.
 * Time O(count). On failure the map is unchanged and the values stay the caller's.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_load(struct rangemap *map, const struct rangemap_entry *entries,
                                                   size_t count, size_t *bad);

/*
 * Sets memory aside for the calling thread so that its next `updates` updates, on this map, of any kind but
 * rangemap_load() and those of "Windows" below, cannot fail with -ENOMEM; each run that rangemap_coalesce() joins
 * counts as one. The memory is there, page by page: those updates neither ask the chunk allocator for any nor meet
 * page faults in nodes (as any update, they may give it back, by its `free`, what was left idle). What is left of an
 * earlier reservation counts. Reservations for several maps of one domain do not add up: what is set aside is enough
 * for the largest of them, not for their sum. It is given up by rangemap_domain_trim(), by detaching and by the
 * thread's end. Time O(updates): about 8 KiB are set aside for each in
 * a map of one leaf, 14 KiB at a million ranges, 3 KiB more where gaps are tracked; and 40 KiB. Errors: -EINVAL,
 * -ENOMEM (nothing reserved that was not before).
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_reserve(struct rangemap *map, unsigned updates);

/* ------------------------------------------------------------------------------------------------
 * Windows: all that lies in [start, last] is replaced in one step
 *
 * These are updates like those above: atomic however many ranges they touch, lock-free, all or nothing. Values
 * are made before the call and belong to the map if it succeeds. Callbacks that decide run more than once: for
 * attempts that lose, and once more to report what was displaced. They are pure and must not call the library.
 *
 * A range that a call keeps is left alone: same bounds, same owner, not reported, even if it sticks out of the
 * window. Every other range that was there and is no more, or has other bounds, is displaced: reported whole, and
 * released unless a part with the same word remains.
 *
 * Memory is taken in proportion to the ranges that the window holds afterwards (and released values). An
 * update of ranges inside the window meanwhile makes the call begin anew. So a wide window may starve under steady
 * updates of its inside: prefer windows as narrow as the step needs.
 * ------------------------------------------------------------------------------------------------ */

/*
 * How a window is rewritten. Zero-initialise and set what is needed; NULL means all zero. If several reasons to
 * refuse apply, any of them is returned.
 */
struct rangemap_rewrite {
    bool
        if_free; /* only if no key of the window is held; else -EEXIST, and a range in the way in *conflict */
    bool
        if_same; /* only if the ranges that share a key with the window are exactly `expected`; else -ESTALE */
    bool join;   /* ranges that touch and are `equal` become one, those just outside of the window included */
    bool whole;  /* rangemap_update(): a range that sticks out is kept, and not asked about */
    bool gaps;   /* rangemap_update(): its function is asked about free stretches, too */
    const struct rangemap_entry *expected; /* sorted, whole as rangemap_find() returns them */
    size_t expected_count;                 /* 0 without `if_same`, else -EINVAL */
    rangemap_equal_fn *equal;              /* for `join`; NULL: same value word */
    rangemap_displaced_fn *displaced;      /* or NULL */
    void *context;                         /* passed to both */
    struct rangemap_entry *conflict;       /* out, or NULL: with -EEXIST by `if_free` */
    size_t *bad; /* out, or NULL: with -EINVAL, the index of the first bad entry, if that is it */
};

/*
 * Makes [start, last] hold exactly entries[0..count-1], which are sorted, disjoint and inside of it, whatever was
 * there: several stores and carves in one step. With how->if_free it is an insert of several ranges, all or none;
 * with one entry, if_free and join, an insert that joins its neighbours. Of a joined range, the leftmost value
 * remains; the others are released. -EINVAL also for bad entries, and with `whole` or `gaps`. Time O(h + ranges
 * there + count).
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_splice(struct rangemap *map, uint64_t start, uint64_t last,
                                                     const struct rangemap_entry *entries, size_t count,
                                                     const struct rangemap_rewrite *how);

/*
 * What rangemap_update_fn answers; or a negative error, which refuses the whole call and is what it returns. Others are
 * -EINVAL.
 */
enum rangemap_verdict {
    RANGEMAP_KEEP, /* leave the range, or the gap, as it is */
    RANGEMAP_DROP, /* free these keys */
    RANGEMAP_SET   /* they get the value in *value */
};

/*
 * Decides about one part of a window: `part` is a range, cut to the window, with the value that the cut gives it
 * (see rangemap_split_fn), and `whole` the range uncut; or `part` is a free stretch and `whole` NULL. Parts come in
 * ascending order, from the start in each attempt. *value is the part's value, to be changed with RANGEMAP_SET;
 * that ends the ownership of the old one even if it is the same word. Pure; must not call the library.
 */
typedef int rangemap_update_fn(const struct rangemap_entry *part, const struct rangemap_entry *whole,
                               void **value, void *context);

/*
 * Asks `function` about each range that shares a key with [start, last], and does all it says in one step. Ranges
 * that stick out are cut unless they are kept; joined neighbours as for rangemap_splice(). 0 also if there was
 * nothing to change.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_update(struct rangemap *map, uint64_t start, uint64_t last,
                                                     rangemap_update_fn *function, void *context,
                                                     const struct rangemap_rewrite *how);

/* Frees those keys of [start, last] that are held by ranges with the value `expected`; keeps all others. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_carve_value(struct rangemap *map, uint64_t start, uint64_t last,
                                                          void *expected, rangemap_displaced_fn *displaced,
                                                          void *context);

/* Erases whole every range that shares a key with [start, last], in one step; 0 also if there was none. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_evict(struct rangemap *map, uint64_t start, uint64_t last,
                                                    rangemap_displaced_fn *displaced, void *context);

/*
 * Moves the bounds of the range [start, last] to [new_start, new_last], which shares a key with it (else -EINVAL). It
 * keeps its value and that its owner; where it shrinks, the value is as rangemap_split_fn says. -ENOENT: there is no
 * range with exactly these bounds. -EEXIST: another one, written to *conflict (may be NULL), is in the way.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_resize(struct rangemap *map, uint64_t start, uint64_t last,
                                                     uint64_t new_start, uint64_t new_last,
                                                     struct rangemap_entry *conflict);

/* ------------------------------------------------------------------------------------------------
 * Gaps
 * ------------------------------------------------------------------------------------------------ */

/* Which of the gaps that serve. "Nearest" is the lowest, or with from_top the highest. */
enum rangemap_gap_fit {
    RANGEMAP_GAP_FIRST, /* the nearest */
    RANGEMAP_GAP_BEST,  /* the shortest, as far as it lies in the window; of several the nearest. Exact */
    RANGEMAP_GAP_NEXT   /* the nearest that lies at or behind `hint`; if there is none, the nearest */
};

struct rangemap_gap_request {
    uint64_t length;    /* keys wanted, at least 1 */
    uint64_t alignment; /* the start is a multiple of this power of two; 0 means 1 */
    uint64_t low;       /* the window, both inclusive: low <= start, */
    uint64_t high;      /*   start + length - 1 <= high */
    bool from_top;      /* take the highest fitting start instead of the lowest */
    enum rangemap_gap_fit fit;
    uint64_t
        hint; /* RANGEMAP_GAP_NEXT: low <= start with from_top start + length - 1 <= hint, else hint <= start */
};

/*
 * A free aligned stretch of request->length keys in the window, chosen as request->fit says: its first key in
 * *start, exact at one instant. -ENOSPC: there was none. -EINVAL also for length 0, an alignment that is no
 * power of two, low > high, or a fit that is none.
 *
 * Time O(ranges between the window's edge and the gap), and best fit O(ranges of the window). In a map that was
 * created with `track_gaps` O(log ranges), and besides the nodes that hold gaps which miss: those shorter than
 * `length` by less than a 64th part (none up to 127 keys), and those long enough that have no aligned start. At
 * worst, if all gaps miss so, these are about a tenth of the ranges. Best fit looks at every gap that is long enough,
 * unless one of just that length ends it. A gap that an update other than rangemap_gap_allocate() filled may cost a
 * few nodes more until an allocation meets it. Such a map's updates cost some more: one that frees the first keys of
 * a node rebuilds its neighbour.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int
rangemap_gap_find(const struct rangemap *map, const struct rangemap_gap_request *request, uint64_t *start);

/*
 * Finds such a gap and inserts `value` over it; *start is its first key. -ENOSPC as above, exact at one instant. At
 * the instant of insertion the stretch was free; if another thread takes it first, the search begins again. A gap
 * nearer the edge, or a shorter one, that opened meanwhile may be passed over.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_gap_allocate(struct rangemap *map,
                                                           const struct rangemap_gap_request *request,
                                                           void *value, uint64_t *start);

/* A free stretch, as far as it goes: its first and last key. */
struct rangemap_gap {
    uint64_t start;
    uint64_t last;
};

/* The gap that holds `key`, both bounds as they were at one instant, in *gap; -ENOENT: a range holds the key. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_gap_at(const struct rangemap *map, uint64_t key,
                                                     struct rangemap_gap *gap);

/*
 * The gap that holds `key`, else the next one above it, in *gap; -ENOSPC: no key from `key` on is free. To go on,
 * ask for gap->last + 1, unless that was UINT64_MAX, and with it the last gap. Exact at one instant each; over a
 * snapshot, at that of the snapshot. Time O(h + ranges between key and gap).
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_gap_next(const struct rangemap *map, uint64_t key,
                                                       struct rangemap_gap *gap);
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_snapshot_gap_next(const struct rangemap_snapshot *snapshot,
                                                                uint64_t key, struct rangemap_gap *gap);

/* ------------------------------------------------------------------------------------------------
 * Iteration
 * ------------------------------------------------------------------------------------------------ */

/*
 * An atomic view of a map as it was when the snapshot was taken, until it is ended. Taking one is wait-free
 * and does not disturb writers; while it is held, memory retired in the domain is not reclaimed (it holds
 * a read section of the calling thread, and belongs to that thread). Reading in it costs what reading the map
 * costs, plus a step for each node's version since then that snapshots can tell apart: of other snapshots and of
 * queries over several leaves that were begun since, not of updates.
 */
struct rangemap_snapshot {
    const struct rangemap *map;
    uint64_t version;
};

/* Takes a snapshot of `map`. Errors: -EINVAL, -ENOMEM. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_snapshot_begin(const struct rangemap *map,
                                                             struct rangemap_snapshot *snapshot);

/* Ends it. Same thread as the begin. */
RANGEMAP_API void rangemap_snapshot_end(struct rangemap_snapshot *snapshot);

/* rangemap_find() in the snapshot. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_snapshot_find(const struct rangemap_snapshot *snapshot,
                                                            uint64_t key, struct rangemap_entry *entry);

/*
 * Makes [start, last] of `map` hold what the snapshot, of any map and held by the calling thread, has there, cut to the
 * window, in one step: a copy of a map, or the way back. Values are copied as words; if `map` owns its values,
 * its `retain` is called for each one copied, inside the call. `displaced` as for rangemap_store().
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_clone(struct rangemap *map,
                                                    const struct rangemap_snapshot *snapshot, uint64_t start,
                                                    uint64_t last, rangemap_displaced_fn *displaced,
                                                    void *context);

#define RANGEMAP_CURSOR_ENTRIES 15

/*
 * A position in a map, by key. It stays valid whatever happens to the map, and moves in both directions.
 * Without a snapshot each step returns a range that was there at some instant during the iteration; a range
 * that is present unchanged throughout is returned exactly once. With a snapshot it returns exactly the
 * ranges of the snapshot. It reads ahead up to RANGEMAP_CURSOR_ENTRIES ranges and copies words only: a step may return
 * what was there when an earlier one read it. To dereference values, be in a read section from before
 * rangemap_cursor_init() or the last rangemap_cursor_seek() on.
 * The members are private. A cursor needs no clean-up.
 */
struct rangemap_cursor {
    const struct rangemap *map;
    uint64_t version;
    uint64_t low, high;    /* the window, inclusive */
    uint64_t from, to;     /* the keys that `entry` covers, inclusive; before that, where to start */
    unsigned count, index; /* entries read ahead; the one that the next step upwards returns */
    unsigned char fresh, loaded;
    struct rangemap_entry entry[RANGEMAP_CURSOR_ENTRIES];
};

/*
 * Starts an iteration over the ranges that share a key with [start, last]; they are returned whole, also if
 * they stick out. The first rangemap_cursor_next() returns the lowest, the first rangemap_cursor_previous()
 * the highest. -EINVAL as usual. Does not touch the map.
 */
RANGEMAP_API int rangemap_cursor_init(struct rangemap_cursor *cursor, const struct rangemap *map,
                                      uint64_t start, uint64_t last);

/* The same over a snapshot, which must be held while the cursor moves. */
RANGEMAP_API int rangemap_cursor_init_at(struct rangemap_cursor *cursor,
                                         const struct rangemap_snapshot *snapshot, uint64_t start,
                                         uint64_t last);

/*
 * The next range upwards or downwards in *entry, or -ENOENT at the end of the window. After -ENOENT the
 * other direction starts from that end. Turning round returns the range just returned once more.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_cursor_next(struct rangemap_cursor *cursor,
                                                          struct rangemap_entry *entry);
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_cursor_previous(struct rangemap_cursor *cursor,
                                                              struct rangemap_entry *entry);

/*
 * Drops what was read ahead and moves between the keys key-1 and key: next returns the lowest range that
 * ends at or above `key`, previous the highest that starts below it. `key` outside the window -EINVAL.
 */
RANGEMAP_API int rangemap_cursor_seek(struct rangemap_cursor *cursor, uint64_t key);

/* ------------------------------------------------------------------------------------------------
 * Reclamation domains
 * ------------------------------------------------------------------------------------------------ */

/*
 * Where the memory of a domain comes from, all of it but the records of its threads, which may outlive it: a few
 * large chunks. `alloc` returns `bytes` bytes (a multiple of 64 KiB) aligned to `alignment` (a power of two, up to 2
 * MiB), below address 2^57 and without a tag (of LAM, MTE or HWASan) in the address - what is not so is given back at
 * once, as if there were none - or NULL; `free` gets the same bytes back, at the latest when the domain is destroyed.
 * Both are called inside updates and must not call maps of the domain. They must be thread-safe, and lock-free if
 * updates are to be.
 */
struct rangemap_chunk_allocator {
    void *(*alloc)(size_t bytes, size_t alignment, void *context);
    void (*free)(void *chunk, size_t bytes, void *context);
    void *context;
};

/* The thread that keeps a domain from reclaiming; tid 0 if there is none. */
struct rangemap_blocker {
    int tid;                /* as gettid() gave it when the thread attached */
    unsigned behind;        /* how many epochs its section is behind the domain */
    uint64_t pending_bytes; /* unreclaimed bytes in the domain */
};

/*
 * Called when pending bytes pass the soft limit upwards, on the updating thread, outside any section of the library's
 * own; where callbacks are made when asked, on one that asks, if they are above it then. Of threads that see it at the
 * same moment, each may call. As in any callback, calls that would wait are refused with -EDEADLK.
 */
typedef void rangemap_pressure_fn(struct rangemap_domain *domain, const struct rangemap_blocker *blocker,
                                  void *context);

/* Where the callbacks of a domain run: `release` of its maps, deferred functions, `pressure`, ends of maps. */
enum rangemap_callbacks {
    /* In any update, in rangemap_destroy_later() and rangemap_domain_defer(), and wherever the next one says. */
    RANGEMAP_CALLBACKS_ANYWHERE,
    /*
     * Only in rangemap_domain_poll(), _serve(), _barrier() and _destroy(), and in rangemap_destroy(). For domains
     * whose maps are updated where callbacks must not run: in memory hooks, inside an allocator, with a lock held. Some
     * thread must call one of those now and then, or what is to be released stays; passing the soft limit wakes
     * a thread that waits in rangemap_domain_serve().
     */
    RANGEMAP_CALLBACKS_WHEN_ASKED
};

struct rangemap_domain_options {
    const struct rangemap_chunk_allocator *chunks; /* NULL: mmap, huge pages where they help */
    uint64_t soft_limit_bytes; /* 0: none. Above it, updates reclaim harder and `pressure` is called */
    uint64_t hard_limit_bytes; /* 0: none. At or above it, updates fail with -EBUSY */
    rangemap_pressure_fn *pressure;
    void *context; /* passed to `pressure` */
    enum rangemap_callbacks callbacks;
};

/*
 * A domain is what readers and reclamation have in common: a stalled reader holds up memory of its own
 * domain only. Maps share the default domain unless told otherwise. In the functions below a NULL domain is
 * the default one.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_domain_create(const struct rangemap_domain_options *options,
                                                            struct rangemap_domain **domain);

/*
 * Runs everything deferred, then frees the domain and all its memory. -EBUSY: it still has maps; -EINVAL:
 * NULL or the default domain; -EDEADLK: called inside a section or callback of it; -ENOMEM. May wait for readers. No
 * other thread may be using the domain; threads may stay attached to it and exit later.
 */
RANGEMAP_API int rangemap_domain_destroy(struct rangemap_domain *domain);

/*
 * Attaches the calling thread now instead of at its first use: from then on lookups are wait-free, and call no
 * allocator. -ENOMEM. Also in signal handlers, like lookups. Attaching twice is harmless. Finds what threads that
 * have ended kept, at most once in a tick of the coarse clock and ten microseconds for each attached thread.
 */
RANGEMAP_API int rangemap_domain_attach(struct rangemap_domain *domain);

/*
 * Detaches it at once (after the thread's end others do so, sooner or later): its memory becomes available to other
 * threads, and with it what the thread still has of domains that were destroyed. -EBUSY inside a section. A later use
 * attaches it again.
 */
RANGEMAP_API int rangemap_domain_detach(struct rangemap_domain *domain);

/* 1 if the calling thread is attached, else 0. Any context; changes nothing. */
RANGEMAP_API int rangemap_domain_is_attached(struct rangemap_domain *domain);

/* Sections without a map at hand; see rangemap_read_begin(). */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_domain_read_begin(struct rangemap_domain *domain);
RANGEMAP_API void rangemap_domain_read_end(struct rangemap_domain *domain);

/* Embedded in an object that rangemap_domain_defer() is to dispose of. The members are private. */
struct rangemap_deferred {
    void *opaque[4];
};

typedef void rangemap_deferred_fn(struct rangemap_deferred *deferred, void *context);

/*
 * Calls run(deferred, context) once, after every section that is open now has ended, on any thread that uses the
 * domain. Make the object unreachable for new readers first. Lock-free; -ENOMEM only if the thread cannot be
 * attached.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_domain_defer(struct rangemap_domain *domain,
                                                           struct rangemap_deferred *deferred,
                                                           rangemap_deferred_fn *run, void *context);

/*
 * Does a bounded share of reclamation now, without waiting. For threads that stop updating for long, and for
 * event loops. Returns 1 if there may be more to do, 0 if not, or a negative errno.
 */
RANGEMAP_API int rangemap_domain_poll(struct rangemap_domain *domain);

/*
 * For a thread whose work this is: does what rangemap_domain_poll() does, and if there was nothing to dispose of, waits
 * until there is, at most `timeout_ms` milliseconds (negative: without limit). 1 if something was disposed of, 0 if not
 * in that time; -ENOMEM; -EDEADLK inside a section or a callback. With callbacks made when asked it sleeps until an
 * update hands something over; else it looks once in a millisecond. A cancellation point.
 */
RANGEMAP_API int rangemap_domain_serve(struct rangemap_domain *domain, int timeout_ms);

/*
 * Gives memory back that holds no node: whole chunks to the domain's chunk allocator; where that is the default, to
 * the system, and also the pages of smaller pieces of 8 KiB. What the calling thread keeps for its own updates goes
 * with it, what it has reserved included, and so does what threads that have ended kept; other threads keep up to 64
 * KiB each. What waits for reclamation stays: rangemap_domain_barrier() before it. Returns 1 if anything was given
 * back, 0 if not, -ENOMEM (only for NULL, if the default domain cannot be made). Lock-free if the chunk allocator's
 * `free` is. Without this call the same happens by itself, about 2 MiB with each poll and in each tick of the clock in
 * which there are updates, to what is free beyond 512 KiB and half of what is in use, and has not been needed for a
 * second (ten if the domain has a chunk allocator of the caller's); rangemap_domain_barrier() does not wait for that.
 */
RANGEMAP_API int rangemap_domain_trim(struct rangemap_domain *domain);

/* Waits until every section that is open now has ended. -EDEADLK inside a section or a callback. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_domain_synchronize(struct rangemap_domain *domain);

/*
 * Waits until all that was retired or deferred before the call, and each map that was ended, by any thread, has been
 * disposed of, but for the nodes (not values) of the last few updates of each other thread. What callbacks defer, or
 * end, meanwhile may be left. -EDEADLK inside a section or a callback.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_domain_barrier(struct rangemap_domain *domain);

/* The thread that blocks reclamation most, if any. Wait-free; any context. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_domain_blocker(struct rangemap_domain *domain,
                                                             struct rangemap_blocker *blocker);

/*
 * For children made by other means than fork() (for which a handler is installed), as by clone(2) or _Fork(): call it
 * first thing in the child. Does nothing in a child that shares its parent's memory, as after vfork(), and nothing
 * the second time (Linux 4.14; before, do not call it there). Threads that do not exist there no longer block
 * reclamation. What they had in hand is lost in the child: nodes stay in the pool, and values and deferred objects in
 * a part of the garbage that another thread was just disposing of are never released there. The forking thread must
 * not have been inside an update or a callback of the library, nor in a handler that interrupts its first use of a
 * domain.
 */
RANGEMAP_API void rangemap_after_fork_in_child(void);

/*
 * Gives back what the library itself has mapped for the process, for a plugin that has it inside and is about to be
 * closed, or a program that is done with it: the memory of the default domain, once what waits there is ended, and of
 * the records of threads. Destroy your own domains, and the maps in the default domain, before. No other thread may
 * be in a call of the library, or begin one meanwhile. 0, and the library may be used again; or nothing is given
 * back:
 *   -EBUSY    a map or a domain is left; or another thread is attached to the default domain, or was to a domain
 *             destroyed since, after which it has neither attached to one nor detached from one. Threads that have
 *             ended do not matter. With `others_are_done` those that live do not either, unless a section of theirs is
 *             open: the caller promises that none of them ever calls the library again, as when it is unloaded next.
 *   -EDEADLK  in a section or callback of the default domain;  -ENOMEM
 *
 * When a plugin or library that has the library inside is closed by dlclose(), rangemap_unload(false) is called by
 * itself, after the plugin's own destructors; at the exit of the process it is not. So a plugin calls this only where
 * threads that used it live on and have not detached. librangemap.so stays loaded, and is not concerned.
 */
RANGEMAP_API int rangemap_unload(bool others_are_done);

/*
 * Makes all sections begin with a full fence and none rely on membarrier(2), for processes that will forbid
 * it later. Before anything else of the library is used: -EBUSY afterwards, unless sections have full fences
 * anyway.
 */
RANGEMAP_API int rangemap_forgo_membarrier(void);

/* ------------------------------------------------------------------------------------------------
 * Looking inside
 * ------------------------------------------------------------------------------------------------ */

struct rangemap_statistics {
    uint64_t ranges;
    uint64_t leaves;
    uint64_t inner_nodes;
    uint64_t bytes;  /* of all nodes of the map */
    unsigned height; /* levels of inner nodes above the leaves */
};

/* Counts the map as it is at one instant. Time O(ranges); holds a section meanwhile. */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_stats(const struct rangemap *map,
                                                    struct rangemap_statistics *statistics);

struct rangemap_domain_statistics {
    uint64_t chunk_bytes;   /* taken from the chunk allocator and not given back */
    uint64_t node_bytes;    /* in use by maps or waiting for reclamation */
    uint64_t pending_bytes; /* of these, retired and not yet reclaimed (without open batches) */
    uint64_t pooled_bytes;  /* free nodes, in pieces of 8 KiB of which others may be in use: the next two */
    uint64_t epoch;
    uint64_t retries; /* how often an update lost its place to another one and began again */
    unsigned threads; /* attached now */
    unsigned records; /* attached or parked */
    unsigned maps;
    uint64_t cached_bytes; /* of pooled_bytes, kept by threads for their own next updates, or reserved */
    uint64_t
        pinned_bytes; /* of pooled_bytes, for any thread, but held back from other uses by nodes beside them */
    uint64_t idle_bytes;      /* free as a whole: for nodes of any size, or to be given back */
    uint64_t discarded_bytes; /* of idle_bytes, without memory: never touched, or given back to the system */
};

/*
 * Sums per-thread counters: exact when no thread updates. Then pooled_bytes = cached_bytes + pinned_bytes, and
 * chunk_bytes = node_bytes + pooled_bytes + idle_bytes and what the domain needs for itself: some kilobytes, and
 * one part in 40. `retries` counts from the domain's creation on, threads that have left included. Time O(threads +
 * chunks). Any context.
 */
RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_domain_stats(struct rangemap_domain *domain,
                                                           struct rangemap_domain_statistics *statistics);

/*
 * Checks every invariant of the map's structure in a snapshot of it. 0, or -EUCLEAN with the node and the
 * rule it breaks in message[0..size-1] (may be NULL with size 0). Safe beside updates; holds a section meanwhile. Time
 * O(ranges).
 */
RANGEMAP_API int rangemap_validate(const struct rangemap *map, char *message, size_t size);

enum rangemap_dump_format { RANGEMAP_DUMP_TEXT, RANGEMAP_DUMP_GRAPHVIZ };

/*
 * Writes a snapshot of the tree to `out`, and flushes it. Holds a section meanwhile. -EINVAL, -ENOMEM; -EIO: the stream
 * has an error, from now or before.
 */
RANGEMAP_API int rangemap_dump(const struct rangemap *map, FILE *out, enum rangemap_dump_format format);

/*
 * The search kernel in use: "portable", "avx2", "avx512" or "neon". The best one that the processor has is
 * chosen at start. rangemap_select_kernel() overrides it for the process, for tests and measurements:
 * -ENOENT unknown name, -ENOTSUP the processor lacks it.
 */
RANGEMAP_API const char *rangemap_kernel(void);
RANGEMAP_API int rangemap_select_kernel(const char *name);

#ifdef __cplusplus
}
#endif

#endif
