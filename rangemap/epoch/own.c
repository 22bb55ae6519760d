// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/own.h"

/* Belongs to no domain: what threads without a record have as their last one. */
static struct rm_thread no_thread;

_Thread_local struct rm_thread *rm_thread_last __attribute__((tls_model("initial-exec"))) = &no_thread;

static _Thread_local struct rm_thread *root __attribute__((tls_model("initial-exec")));

/* How many domains had been destroyed when the thread last looked for what they left it. */
static _Thread_local uint64_t destroyed_seen __attribute__((tls_model("initial-exec")));

static rm_word destroyed;

/* All bits of a hash are used up behind this many levels, and no two domains have the same hash. */
enum { LEVELS = 64 / RM_OWN_BITS + 1 };

/* Bits of the address of a domain, mixed: the lowest few decide first. */
static uint64_t hash_of(const struct rangemap_domain *domain)
{
    return __builtin_bswap64((uint64_t)(uintptr_t)domain * UINT64_C(0x9e3779b97f4a7c15));
}

static unsigned branch_of(uint64_t *hash)
{
    unsigned branch = *hash % RM_OWN_BRANCHES;

    *hash >>= RM_OWN_BITS;
    return branch;
}

struct rm_thread *rm_thread_existing(const struct rangemap_domain *domain)
{
    uint64_t hash = hash_of(domain);
    struct rm_thread *thread = root;

    for (unsigned level = 0; thread != NULL && level < LEVELS; level++) {
        if (thread->section.global == &domain->epoch) {
            return thread;
        }
        thread = thread->own[branch_of(&hash)];
    }
    return NULL;
}

bool rm_thread_is_own(const struct rm_thread *thread)
{
    return rm_thread_existing(thread->domain) == thread;
}

/* The branch that leads to `thread`, or to where it would be. An orphan is where its domain's address says. */
static struct rm_thread **branch_to(const struct rm_thread *thread)
{
    uint64_t hash = hash_of(thread->domain);
    struct rm_thread **branch = &root;

    while (*branch != NULL && *branch != thread) {
        branch = &(*branch)->own[branch_of(&hash)];
    }
    return branch;
}

void rm_own_add(struct rm_thread *thread)
{
    struct rm_thread **branch = branch_to(thread);

    for (unsigned i = 0; i < RM_OWN_BRANCHES; i++) {
        thread->own[i] = NULL;
    }
    __atomic_signal_fence(__ATOMIC_RELEASE); /* complete before a signal handler can find it */
    *branch = thread;
    rm_thread_last = thread;
}

/* The first branch below that leads somewhere; NULL: none does. */
static struct rm_thread **some_branch(struct rm_thread *thread)
{
    for (unsigned i = 0; i < RM_OWN_BRANCHES; i++) {
        if (thread->own[i] != NULL) {
            return &thread->own[i];
        }
    }
    return NULL;
}

/*
 * Some record without any below takes the place: it gets the branches, is put there, and then leaves its old place.
 * In between a handler finds it in both, and its search, which may go round in a circle, ends after LEVELS.
 */
static void replace_by_leaf(struct rm_thread **branch, struct rm_thread *thread)
{
    struct rm_thread **first = some_branch(thread), **to_leaf = first, **below;
    struct rm_thread *leaf;

    while ((below = some_branch(*to_leaf)) != NULL) {
        to_leaf = below;
    }
    leaf = *to_leaf;
    for (unsigned i = 0; i < RM_OWN_BRANCHES; i++) {
        leaf->own[i] = thread->own[i];
    }
    if (to_leaf == first) {
        to_leaf = leaf->own + (first - thread->own);
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    *branch = leaf;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    *to_leaf = NULL;
}

void rm_own_remove(struct rm_thread *thread)
{
    struct rm_thread **branch = branch_to(thread);

    if (rm_thread_last == thread) {
        rm_thread_last = &no_thread;
    }
    if (*branch == NULL) {
        return;
    }
    if (some_branch(thread) == NULL) {
        *branch = NULL;
    } else {
        replace_by_leaf(branch, thread);
    }
}

void rm_own_forget(void)
{
    rm_thread_last = &no_thread;
    root = NULL;
}

static struct rm_thread *find_orphan(struct rm_thread *thread)
{
    struct rm_thread *found = NULL;

    if (thread == NULL || rm_standing_state(rm_load_acquire(&thread->standing)) == RM_THREAD_ORPHAN) {
        return thread;
    }
    for (unsigned i = 0; i < RM_OWN_BRANCHES && found == NULL; i++) {
        found = find_orphan(thread->own[i]);
    }
    return found;
}

void rm_own_note_destroyed(void)
{
    (void)rm_add_relaxed(&destroyed, 1);
}

struct rm_thread *rm_own_orphan(void)
{
    uint64_t now = rm_load_acquire(&destroyed);
    struct rm_thread *orphan = destroyed_seen != now ? find_orphan(root) : NULL;

    if (orphan == NULL) {
        destroyed_seen = now;
    }
    return orphan;
}

static void renumber(struct rm_thread *thread, int tid)
{
    uint64_t standing;

    if (thread == NULL) {
        return;
    }
    standing = rm_load_relaxed(&thread->standing);
    /* A child made by other means than fork() has no list. */
    rm_store_relaxed(&thread->standing,
                     rm_standing(rm_standing_state(standing), tid, rm_standing_attached(standing)) |
                         (rm_thread_has_list() ? RM_STANDING_LIST : 0));
    for (unsigned i = 0; i < RM_OWN_BRANCHES; i++) {
        renumber(thread->own[i], tid);
    }
}

void rm_own_renumber(int tid)
{
    renumber(root, tid);
}

#if defined(RANGEMAP_EXPLORER) || defined(RANGEMAP_CORES)
struct rm_thread *rm_thread_become(struct rm_thread *thread)
{
    struct rm_thread *before = root;

    root = thread;
    rm_thread_last = thread != NULL ? thread : &no_thread;
    return before;
}
#endif
