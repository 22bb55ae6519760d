// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* syscall */
#include "rangemap/checked/callbacks.h"
#include "rangemap/checked/known.h"
#include "rangemap/checked/value.h"

#if defined(RM_IS_CHECKED)
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- of one call ---- */

bool rm_checked_is_owner(const struct rangemap *map)
{
    const struct rm_checked_kept *callbacks = rm_checked_callbacks(map);

    return callbacks == NULL || callbacks->theirs.release != NULL; /* not known: it may be */
}

void rm_checked_tell_displaced(const struct rangemap_entry *entry, void *context)
{
    const struct rm_checked_displaced *ours = context;
    const struct rangemap_domain *domain = rm_checked_domain(rangemap_domain_of(ours->call->map));
    struct rm_checked_value *held;

    rm_checked_begin(NULL, domain, 0, ours->call->where);
    held = rm_checked_value_hold(rm_checked_is_owner(ours->call->map), entry->value);
    ours->function(entry, ours->context);
    rm_checked_value_drop(held);
    rm_checked_end(domain, NULL, 0, ours->call->name, ours->call->where);
}

bool rm_checked_ask_equal(const struct rangemap_entry *left, const struct rangemap_entry *right,
                          void *context)
{
    const struct rm_checked_equality *ours = context;
    struct rm_checked_thread *thread = rm_checked_self();
    struct rm_checked_value *held[] = {rm_checked_value_hold(ours->is_owned, left->value),
                                       rm_checked_value_hold(ours->is_owned, right->value)};
    bool equal;

    atomic_fetch_add(&thread->pure, 1);
    equal = ours->function(left, right, ours->context);
    atomic_fetch_sub(&thread->pure, 1);
    rm_checked_value_drop(held[0]);
    rm_checked_value_drop(held[1]);
    return equal;
}

int rm_checked_ask_update(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                          void *context)
{
    struct rm_checked_decision *ours = context;
    struct rm_checked_thread *thread = rm_checked_self();
    struct rm_checked_value *held[] = {
        rm_checked_value_hold(ours->is_owned, part->value),
        rm_checked_value_hold(ours->is_owned, whole != NULL ? whole->value : NULL)};
    int verdict;

    atomic_fetch_add(&thread->pure, 1);
    verdict = ours->function(part, whole, value, ours->context);
    atomic_fetch_sub(&thread->pure, 1);
    rm_checked_value_drop(held[0]);
    rm_checked_value_drop(held[1]);
    if (verdict < 0) {
        ours->refused = verdict;
    }
    return verdict;
}

static bool ask_equal_of_rewrite(const struct rangemap_entry *left, const struct rangemap_entry *right,
                                 void *context)
{
    struct rm_checked_rewrite *ours = context;

    return rm_checked_ask_equal(left, right, &ours->equality);
}

static void tell_displaced_of_rewrite(const struct rangemap_entry *entry, void *context)
{
    struct rm_checked_rewrite *ours = context;

    rm_checked_tell_displaced(entry, &ours->displaced);
}

const struct rangemap_rewrite *rm_checked_rewrite(struct rm_checked_rewrite *ours,
                                                  const struct rangemap_rewrite *how,
                                                  const struct rm_checked_call *call)
{
    if (how == NULL) {
        return NULL;
    }
    ours->how = *how;
    ours->how.context = ours;
    ours->how.equal = how->equal != NULL ? ask_equal_of_rewrite : NULL;
    ours->how.displaced = how->displaced != NULL ? tell_displaced_of_rewrite : NULL;
    ours->displaced = (struct rm_checked_displaced){how->displaced, how->context, call};
    ours->equality = (struct rm_checked_equality){how->equal, how->context, rm_checked_is_owner(call->map)};
    return &ours->how;
}

/* ---- of a map ---- */

static void *ask_split(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    const struct rangemap_options *theirs = &((const struct rm_checked_kept *)context)->theirs;
    struct rm_checked_thread *thread = rm_checked_self();
    struct rm_checked_value *held = rm_checked_value_hold(theirs->release != NULL, whole->value);
    void *part;

    atomic_fetch_add(&thread->pure, 1);
    part = theirs->split(whole, start, last, theirs->context);
    atomic_fetch_sub(&thread->pure, 1);
    rm_checked_value_drop(held);
    return part;
}

static void tell_release(void *value, void *context)
{
    const struct rangemap_options *theirs = &((const struct rm_checked_kept *)context)->theirs;

    rm_checked_value_open(value);
    theirs->release(value, theirs->context);
}

static void tell_retain(void *value, void *context)
{
    const struct rangemap_options *theirs = &((const struct rm_checked_kept *)context)->theirs;
    struct rm_checked_value *held;

    if (theirs->retain == NULL) {
        rm_checked_stop(
            &(struct rm_checked_fault){
                .thread = rm_checked_self(),
                .advice =
                    "Set `retain` beside `release`, or cut no range: the value would be released twice."},
            "a range was cut into two owners of value %p, and the map has `release` without `retain`", value);
    }
    held = rm_checked_value_hold(theirs->release != NULL, value);
    theirs->retain(value, theirs->context);
    rm_checked_value_drop(held);
}

/* Free places, and a lock round them, which nothing is called under. */
static struct {
    atomic_flag locked;
    struct rm_checked_kept *free;
} kept = {.locked = ATOMIC_FLAG_INIT};

static void lock_kept(void)
{
    while (atomic_flag_test_and_set(&kept.locked)) {
        (void)sched_yield();
    }
}

/* One more page of free places. Not by mmap(), which may be a function of the program's that uses a map. */
static void add_kept(void)
{
    enum { PAGE_BYTES = 4096 };
    long page = syscall(SYS_mmap, NULL, (size_t)PAGE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
    struct rm_checked_kept *places = page != -1 ? (struct rm_checked_kept *)(uintptr_t)page : NULL;

    for (size_t i = 0; places != NULL && i < PAGE_BYTES / sizeof *places; i++) {
        places[i].next = kept.free;
        kept.free = &places[i];
    }
}

struct rm_checked_kept *rm_checked_keep(const struct rangemap_options *options, struct rangemap_options *ours)
{
    struct rm_checked_kept *place;

    lock_kept();
    if (kept.free == NULL) {
        add_kept();
    }
    place = kept.free;
    kept.free = place != NULL ? place->next : NULL;
    atomic_flag_clear(&kept.locked);
    if (place == NULL) {
        return NULL;
    }
    place->theirs = *options;
    *ours = *options;
    ours->context = place;
    ours->split = options->split != NULL ? ask_split : NULL;
    ours->release = options->release != NULL ? tell_release : NULL;
    ours->retain = options->release != NULL || options->retain != NULL ? tell_retain : NULL;
    return place;
}

void rm_checked_forget(struct rm_checked_kept *place)
{
    if (place != NULL) {
        lock_kept();
        place->next = kept.free;
        kept.free = place;
        atomic_flag_clear(&kept.locked);
    }
}

void rm_checked_kept_fork_child(void)
{
    atomic_flag_clear(&kept.locked);
}
#endif
