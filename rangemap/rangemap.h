// SPDX-License-Identifier: BSD-2-Clause
/*
 * rangemap: a lock-free concurrent map from closed 64-bit ranges to values.
 *
 * "Which range holds this key, and what is its value?" is answered from any thread without waiting,
 * while any number of threads insert, overwrite and erase ranges.
 *
 * This is the only public header, and the one file longer than 400 lines: it is the reference.
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
 *               one map are linearizable.
 *   Threads     a thread is attached to a map's domain by its first use, and released when it exits.
 *   Signals     lookups and queries may be called from a signal handler of an attached thread. Updates,
 *               create, destroy, attach, defer, poll, synchronize and barrier may not.
 *   Callbacks   split and equality callbacks must be pure and must not call the library; they may run
 *               more than once per operation. Other callbacks may call lookups and updates. All must return:
 *               no exit from the thread, no longjmp, no exception.
 *   Kernel      threads that read much and update little need no fence where membarrier(2) is allowed when
 *               the process first uses the library; it must stay allowed (a seccomp filter installed later
 *               must let it pass), else nothing is reclaimed any more and waiting calls fail with -EPERM. See
 *               rangemap_forgo_membarrier().
 *   Sections    a value that points to memory is safe to dereference only inside a read section that was
 *               begun before the lookup. Every lookup opens a short section of its own.
 */
#ifndef RANGEMAP_RANGEMAP_H
#define RANGEMAP_RANGEMAP_H

#if !defined(__GNUC__)
#error "rangemap needs gcc or clang, or a compiler that takes their extensions and defines __GNUC__"
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

#define RANGEMAP_API __attribute__((visibility("default")))

struct rangemap;
struct rangemap_domain;

/* One range and its value. */
struct rangemap_entry {
    uint64_t start; /* first key, inclusive */
    uint64_t last;  /* last key, inclusive */
    void *value;
};

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
};

/*
 * Creates an empty map in *map. Errors: -EINVAL, -ENOMEM. Lock-free. The map belongs to the caller, who
 * ends it with rangemap_destroy(). The domain must outlive the map.
 */
RANGEMAP_API int rangemap_create(const struct rangemap_options *options, struct rangemap **map);

/*
 * Destroys `map` (NULL is allowed): releases the value of every range left, and returns when no release
 * callback of this map runs or will ever run. No other thread may be using the map or start to, nor may its
 * callbacks. Time O(ranges). May wait for readers of the same domain if the map has a `release` callback; else
 * it does not wait. Then also -EDEADLK: called inside a read section or a callback of the domain; -EPERM: see
 * "Kernel" above.
 */
RANGEMAP_API int rangemap_destroy(struct rangemap *map);

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
RANGEMAP_API int rangemap_read_begin(const struct rangemap *map);

/* Ends the innermost section begun by rangemap_read_begin(). Wait-free. */
RANGEMAP_API void rangemap_read_end(const struct rangemap *map);

/* ------------------------------------------------------------------------------------------------
 * Lookups. -ENOENT: no range holds the key
 * ------------------------------------------------------------------------------------------------ */

/* The value of the range that holds `key`, in *value (NULL: only ask whether there is one). */
RANGEMAP_API int rangemap_lookup(const struct rangemap *map, uint64_t key, void **value);

/* The range that holds `key`, bounds and value as they were at one instant, in *entry. */
RANGEMAP_API int rangemap_find(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry);

/*
 * Looks up `count` keys in one section, several at a time, which hides memory latency. hit[i] tells whether
 * a range holds keys[i]; if so values[i] is its value, else NULL. Each answer is as of some instant during
 * the call; the instants may differ. Returns the number of hits (at most INT_MAX keys are allowed: else
 * -EINVAL) or a negative errno. `values` or `hit` may be NULL if not wanted.
 */
RANGEMAP_API int rangemap_lookup_batch(const struct rangemap *map, const uint64_t *keys, size_t count,
                                       void **values, bool *hit);

/* As rangemap_lookup_batch(), with bounds: entries[i] is all zero where hit[i] is false. */
RANGEMAP_API int rangemap_find_batch(const struct rangemap *map, const uint64_t *keys, size_t count,
                                     struct rangemap_entry *entries, bool *hit);

/*
 * The same for callers that are inside a read section of the map's domain: no section of their own, no
 * thread record looked up. Undefined outside a section or with a NULL map.
 */
RANGEMAP_API int rangemap_lookup_held(const struct rangemap *map, uint64_t key, void **value);
RANGEMAP_API int rangemap_find_held(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry);

/* ------------------------------------------------------------------------------------------------
 * Queries over several ranges: each answer is exact at one instant during the call
 * ------------------------------------------------------------------------------------------------ */

/* The lowest range that starts above `key`, or -ENOENT. */
RANGEMAP_API int rangemap_next(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry);

/* The highest range that ends below `key`, or -ENOENT. */
RANGEMAP_API int rangemap_previous(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry);

/* The lowest and the highest range of the map, or -ENOENT if it is empty. */
RANGEMAP_API int rangemap_first(const struct rangemap *map, struct rangemap_entry *entry);
RANGEMAP_API int rangemap_last(const struct rangemap *map, struct rangemap_entry *entry);

/* The lowest range that shares a key with [start, last], or -ENOENT. `entry` may be NULL. */
RANGEMAP_API int rangemap_overlap(const struct rangemap *map, uint64_t start, uint64_t last,
                                  struct rangemap_entry *entry);

/* 1 if every key of [start, last] is held by some range, 0 if not, or a negative errno. */
RANGEMAP_API int rangemap_is_covered(const struct rangemap *map, uint64_t start, uint64_t last);

/* 1 if no key of [start, last] is held by any range, 0 if not, or a negative errno. */
RANGEMAP_API int rangemap_is_free(const struct rangemap *map, uint64_t start, uint64_t last);

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
RANGEMAP_API int rangemap_insert(struct rangemap *map, uint64_t start, uint64_t last, void *value,
                                 struct rangemap_entry *conflict);

/*
 * Makes [start, last] hold `value` whatever was there: ranges inside are dropped, ranges that stick out are
 * cut, all in one step; the parts outside are never invisible. `displaced` may be NULL.
 */
RANGEMAP_API int rangemap_store(struct rangemap *map, uint64_t start, uint64_t last, void *value,
                                rangemap_displaced_fn *displaced, void *context);

/*
 * Frees every key of [start, last]: as rangemap_store(), storing nothing. Succeeds also where nothing was
 * there.
 */
RANGEMAP_API int rangemap_carve(struct rangemap *map, uint64_t start, uint64_t last,
                                rangemap_displaced_fn *displaced, void *context);

/* Erases the whole range that holds `key`; -ENOENT if there is none. *erased (may be NULL) is that range. */
RANGEMAP_API int rangemap_erase(struct rangemap *map, uint64_t key, struct rangemap_entry *erased);

/* Erases the range whose bounds are exactly start and last; -ENOENT if there is none. */
RANGEMAP_API int rangemap_erase_exact(struct rangemap *map, uint64_t start, uint64_t last,
                                      struct rangemap_entry *erased);

/*
 * Gives the range with exactly these bounds the value `desired` if its value is `expected`, whose ownership
 * ends. -ENOENT: there is no such range. -ESTALE: its value is another, written to *actual (may be NULL).
 */
RANGEMAP_API int rangemap_replace(struct rangemap *map, uint64_t start, uint64_t last, void *expected,
                                  void *desired, void **actual);

/* Whether two neighbouring ranges may be joined; pure. `left` ends where `right` begins. */
typedef bool rangemap_equal_fn(const struct rangemap_entry *left, const struct rangemap_entry *right,
                               void *context);

/*
 * Joins runs of touching ranges that lie wholly inside [start, last] and whose neighbours are pairwise
 * equal by `equal` (NULL: same value word). The joined range takes the value of the leftmost. Each run is
 * joined in one atomic step; different runs at different instants. *joined (may be NULL) is the number of
 * ranges that disappeared, also when an error ends the call early.
 */
RANGEMAP_API int rangemap_coalesce(struct rangemap *map, uint64_t start, uint64_t last,
                                   rangemap_equal_fn *equal, void *context, uint64_t *joined);

/*
 * Fills an empty map from `entries`, sorted by start and disjoint, in one step. -ENOTEMPTY: the map is not
 * empty. -EINVAL: entries[*bad] (bad may be NULL) has start > last or does not lie above its predecessor.
 * Time O(count). On failure the map is unchanged and the values stay the caller's.
 */
RANGEMAP_API int rangemap_load(struct rangemap *map, const struct rangemap_entry *entries, size_t count,
                               size_t *bad);

/*
 * Sets memory aside for the calling thread so that its next `updates` updates, on this map, of any kind but
 * rangemap_load() cannot fail with -ENOMEM; each run that rangemap_coalesce() joins counts as one. Reservations
 * for several maps of one domain do not add up: what is set aside is enough for the largest of them, not for
 * their sum. Errors: -EINVAL, -ENOMEM (nothing reserved).
 */
RANGEMAP_API int rangemap_reserve(struct rangemap *map, unsigned updates);

/* ------------------------------------------------------------------------------------------------
 * Gaps
 * ------------------------------------------------------------------------------------------------ */

struct rangemap_gap_request {
    uint64_t length;    /* keys wanted, at least 1 */
    uint64_t alignment; /* the start is a multiple of this power of two; 0 means 1 */
    uint64_t low;       /* the window, both inclusive: low <= start, */
    uint64_t high;      /*   start + length - 1 <= high */
    bool from_top;      /* take the highest fitting start instead of the lowest */
};

/*
 * The lowest (highest) free aligned stretch of request->length keys in the window: its first key in
 * *start, exact at one instant. -ENOSPC: there was none. -EINVAL also for length 0, an alignment that is no
 * power of two, or low > high. Time O(ranges between the window's edge and the gap).
 */
RANGEMAP_API int rangemap_gap_find(const struct rangemap *map, const struct rangemap_gap_request *request,
                                   uint64_t *start);

/*
 * Finds such a gap and inserts `value` over it; *start is its first key. -ENOSPC as above. At the instant
 * of insertion the stretch was free; a gap further down that opened meanwhile may be passed over.
 */
RANGEMAP_API int rangemap_gap_allocate(struct rangemap *map, const struct rangemap_gap_request *request,
                                       void *value, uint64_t *start);

/* ------------------------------------------------------------------------------------------------
 * Iteration
 * ------------------------------------------------------------------------------------------------ */

/*
 * An atomic view of a map as it was when the snapshot was taken, until it is ended. Taking one is wait-free
 * and does not disturb writers; while it is held, memory retired in the domain is not reclaimed (it holds
 * a read section of the calling thread, and belongs to that thread).
 */
struct rangemap_snapshot {
    const struct rangemap *map;
    uint64_t version;
};

/* Takes a snapshot of `map`. Errors: -EINVAL, -ENOMEM. */
RANGEMAP_API int rangemap_snapshot_begin(const struct rangemap *map, struct rangemap_snapshot *snapshot);

/* Ends it. Same thread as the begin. */
RANGEMAP_API void rangemap_snapshot_end(struct rangemap_snapshot *snapshot);

/* rangemap_find() in the snapshot. */
RANGEMAP_API int rangemap_snapshot_find(const struct rangemap_snapshot *snapshot, uint64_t key,
                                        struct rangemap_entry *entry);

#define RANGEMAP_CURSOR_ENTRIES 15

/*
 * A position in a map, by key. It stays valid whatever happens to the map, and moves in both directions.
 * Without a snapshot each step returns a range that was there at some instant during the iteration; a range
 * that is present unchanged throughout is returned exactly once. With a snapshot it returns exactly the
 * ranges of the snapshot. It reads ahead up to RANGEMAP_CURSOR_ENTRIES ranges and copies words only: to
 * dereference values, be in a read section from before the last rangemap_cursor_seek() on.
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
RANGEMAP_API int rangemap_cursor_next(struct rangemap_cursor *cursor, struct rangemap_entry *entry);
RANGEMAP_API int rangemap_cursor_previous(struct rangemap_cursor *cursor, struct rangemap_entry *entry);

/*
 * Drops what was read ahead and moves between the keys key-1 and key: next returns the lowest range that
 * ends at or above `key`, previous the highest that starts below it. `key` outside the window -EINVAL.
 */
RANGEMAP_API int rangemap_cursor_seek(struct rangemap_cursor *cursor, uint64_t key);

/* ------------------------------------------------------------------------------------------------
 * Reclamation domains
 * ------------------------------------------------------------------------------------------------ */

/*
 * Where the memory of nodes comes from: a few large chunks, kept until the domain is destroyed. `alloc`
 * returns `bytes` bytes (a multiple of 64 KiB) aligned to `alignment` (a power of two, up to 2 MiB) or NULL;
 * `free` gets the same bytes back. Both must be thread-safe, and lock-free if updates are to be.
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
 * Called when pending bytes pass the soft limit upwards, on the updating thread, outside any section of the
 * library's own. As in any callback, calls that would wait are refused with -EDEADLK.
 */
typedef void rangemap_pressure_fn(struct rangemap_domain *domain, const struct rangemap_blocker *blocker,
                                  void *context);

struct rangemap_domain_options {
    const struct rangemap_chunk_allocator *chunks; /* NULL: mmap, huge pages where they help */
    uint64_t soft_limit_bytes; /* 0: none. Above it, updates reclaim harder and `pressure` is called */
    uint64_t hard_limit_bytes; /* 0: none. At or above it, updates fail with -EBUSY */
    rangemap_pressure_fn *pressure;
    void *context; /* passed to `pressure` */
};

/*
 * A domain is what readers and reclamation have in common: a stalled reader holds up memory of its own
 * domain only. Maps share the default domain unless told otherwise. In the functions below a NULL domain is
 * the default one.
 */
RANGEMAP_API int rangemap_domain_create(const struct rangemap_domain_options *options,
                                        struct rangemap_domain **domain);

/*
 * Runs everything deferred, then frees the domain and all its memory. -EBUSY: it still has maps; -EINVAL:
 * NULL or the default domain; -EDEADLK: called inside a section or callback of it; -ENOMEM; -EPERM. May wait
 * for readers. No
 * other thread may be using the domain; threads may stay attached to it and exit later.
 */
RANGEMAP_API int rangemap_domain_destroy(struct rangemap_domain *domain);

/*
 * Attaches the calling thread now instead of at its first use: from then on lookups are wait-free and legal
 * in its signal handlers. -ENOMEM. Attaching twice is harmless.
 */
RANGEMAP_API int rangemap_domain_attach(struct rangemap_domain *domain);

/*
 * Detaches it early (thread exit does so by itself): its memory becomes available to other threads. -EBUSY
 * inside a section. A later use attaches it again.
 */
RANGEMAP_API int rangemap_domain_detach(struct rangemap_domain *domain);

/* Sections without a map at hand; see rangemap_read_begin(). */
RANGEMAP_API int rangemap_domain_read_begin(struct rangemap_domain *domain);
RANGEMAP_API void rangemap_domain_read_end(struct rangemap_domain *domain);

/* Embedded in an object that rangemap_domain_defer() is to dispose of. The members are private. */
struct rangemap_deferred {
    void *opaque[4];
};

typedef void rangemap_deferred_fn(struct rangemap_deferred *deferred);

/*
 * Calls run(deferred) once, after every section that is open now has ended, on any thread that uses the
 * domain. Make the object unreachable for new readers first. Lock-free; -ENOMEM only if the thread cannot be
 * attached.
 */
RANGEMAP_API int rangemap_domain_defer(struct rangemap_domain *domain, struct rangemap_deferred *deferred,
                                       rangemap_deferred_fn *run);

/*
 * Does a bounded share of reclamation now, without waiting. For threads that stop updating for long, and for
 * event loops. Returns 1 if there may be more to do, 0 if not, or a negative errno.
 */
RANGEMAP_API int rangemap_domain_poll(struct rangemap_domain *domain);

/* Waits until every section that is open now has ended. -EDEADLK inside a section or a callback; -EPERM. */
RANGEMAP_API int rangemap_domain_synchronize(struct rangemap_domain *domain);

/*
 * Waits until all that was retired or deferred before the call, by any thread, has been disposed of, but for
 * the nodes (not values) of the last few updates of each other thread. What callbacks defer meanwhile may be left.
 * -EDEADLK inside a section or a callback; -EPERM.
 */
RANGEMAP_API int rangemap_domain_barrier(struct rangemap_domain *domain);

/* The thread that blocks reclamation most, if any. Wait-free; any context. */
RANGEMAP_API int rangemap_domain_blocker(struct rangemap_domain *domain, struct rangemap_blocker *blocker);

/*
 * For children made by other means than fork() (for which a handler is installed): call it first thing in
 * the child. Threads that do not exist there no longer block reclamation. What they had in hand is lost in the
 * child: nodes stay in the pool, and values and deferred objects in a part of the garbage that another thread
 * was just disposing of are never released there. The forking thread must not have been inside an update or a
 * callback of the library.
 */
RANGEMAP_API void rangemap_after_fork_in_child(void);

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
RANGEMAP_API int rangemap_stats(const struct rangemap *map, struct rangemap_statistics *statistics);

struct rangemap_domain_statistics {
    uint64_t chunk_bytes;   /* taken from the chunk allocator */
    uint64_t node_bytes;    /* in use by maps or waiting for reclamation */
    uint64_t pending_bytes; /* of these, retired and not yet reclaimed (without open batches) */
    uint64_t pooled_bytes;  /* freed nodes kept for reuse; the rest of chunk_bytes was never used */
    uint64_t epoch;
    uint64_t retries; /* how often an update lost its place to another one and began again */
    unsigned threads; /* attached now */
    unsigned records; /* attached or parked */
    unsigned maps;
};

/*
 * Sums per-thread counters: exact when nobody updates. `retries` counts from the domain's creation on, threads
 * that have left included. Time O(threads). Any context.
 */
RANGEMAP_API int rangemap_domain_stats(struct rangemap_domain *domain,
                                       struct rangemap_domain_statistics *statistics);

/*
 * Checks every invariant of the map's structure in a snapshot of it. 0, or -EUCLEAN with the node and the
 * rule it breaks in message[0..size-1] (may be NULL with size 0). Safe beside updates. Time O(ranges).
 */
RANGEMAP_API int rangemap_validate(const struct rangemap *map, char *message, size_t size);

enum rangemap_dump_format { RANGEMAP_DUMP_TEXT, RANGEMAP_DUMP_GRAPHVIZ };

/* Writes a snapshot of the tree to `out`. -EINVAL, -ENOMEM, -EIO. */
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
