// SPDX-License-Identifier: BSD-2-Clause
/* Sections, snapshots, and what needs one. */
#include "rangemap/checked/check.h"
#include "rangemap/checked/value.h"

#if defined(RM_IS_CHECKED)
#include <time.h>

/* ---- what is open ---- */

bool rm_checked_holds(const struct rm_checked_thread *thread, const struct rangemap_domain *domain)
{
    for (unsigned i = 0; i < atomic_load(&thread->open); i++) {
        if (thread->section[i].domain == domain) {
            return true;
        }
    }
    return false;
}

static bool holds_snapshot(const struct rm_checked_thread *thread, const struct rangemap *map,
                           uint64_t version)
{
    for (unsigned i = 0; i < atomic_load(&thread->open); i++) {
        if (thread->section[i].version == version && atomic_load(&thread->section[i].map) == map) {
            return true;
        }
    }
    return false;
}

/*
 * A handler may interrupt it anywhere: the place is taken before it is filled, and others see no map in it till then.
 */
void rm_checked_begin(const struct rangemap *map, const struct rangemap_domain *domain, uint64_t version,
                      const void *where)
{
    struct rm_checked_thread *thread = rm_checked_self();
    unsigned open = atomic_fetch_add(&thread->open, 1);
    struct rm_checked_section *section = &thread->section[open];

    if (open == RM_CHECKED_SECTIONS) {
        rm_checked_stop(
            &(struct rm_checked_fault){.thread = thread, .at = where, .advice = "Each needs an end."},
            "%u sections are open in one thread", open + 1);
    }
    section->domain = domain;
    section->version = version;
    section->begun_at = where;
    atomic_store(&section->begun_ns, rm_checked_now_ns());
    atomic_store(&section->map, map);
}

/* The innermost section of the domain, or with that snapshot of the map; -1: there is none. */
static int innermost(const struct rm_checked_thread *thread, const struct rangemap_domain *domain,
                     const struct rangemap *map, uint64_t version)
{
    for (int i = (int)atomic_load(&thread->open) - 1; i >= 0; i--) {
        const struct rm_checked_section *section = &thread->section[i];

        if (section->domain == domain && section->version == version &&
            (version == 0 || atomic_load(&section->map) == map)) {
            return i;
        }
    }
    return -1;
}

static void move_section(struct rm_checked_section *to, const struct rm_checked_section *from)
{
    to->domain = from->domain;
    to->version = from->version;
    to->begun_at = from->begun_at;
    atomic_store(&to->begun_ns, atomic_load(&from->begun_ns));
    atomic_store(&to->map, atomic_load(&from->map));
}

void rm_checked_end(const struct rangemap_domain *domain, const struct rangemap *map, uint64_t version,
                    const char *call, const void *where)
{
    struct rm_checked_thread *thread = rm_checked_self();
    int at = innermost(thread, domain, map, version);
    unsigned last = atomic_load(&thread->open) - 1;

    if (at < 0) {
        rm_checked_stop(
            &(struct rm_checked_fault){
                .thread = thread,
                .at = where,
                .advice = "Each end belongs to one begin that succeeded, in the same thread and domain."},
            "%s() without a begin", call);
    }
    rm_checked_lengths(thread);
    for (unsigned i = (unsigned)at; i < last; i++) {
        move_section(&thread->section[i], &thread->section[i + 1]);
    }
    atomic_store(&thread->section[last].begun_ns, 0);
    atomic_store(&thread->section[last].map, NULL);
    atomic_store(&thread->open, last);
    if (!rm_checked_holds(thread, domain)) {
        rm_checked_values_end(thread, domain);
    }
}

/* ---- how long ---- */

void rm_checked_lengths(const struct rm_checked_thread *thread)
{
    uint64_t limit_ns = rm_checked_settings.limit_ns, now_ns = limit_ns != 0 ? rm_checked_now_ns() : 0;
    unsigned open = atomic_load(&thread->open);

    for (unsigned i = 0; limit_ns != 0 && i < open && i < RM_CHECKED_SECTIONS; i++) {
        uint64_t begun_ns = atomic_load(&thread->section[i].begun_ns);

        if (begun_ns != 0 && now_ns > begun_ns && now_ns - begun_ns > limit_ns) {
            rm_checked_stop(
                &(struct rm_checked_fault){
                    .thread = thread,
                    .advice =
                        "Keep sections short, and do not block in them: nothing is reclaimed meanwhile. "
                        "RANGEMAP_CHECKED_LIMIT_MS is the limit."},
                "thread %d holds a section for %llu ms", atomic_load(&thread->tid),
                (unsigned long long)(now_ns - begun_ns) / 1000000);
        }
    }
}

/*
 * Whether another thread has a section of the domain that began before; those that are held for too long stop the
 * program.
 */
static bool somebody_holds(const struct rangemap_domain *domain, uint64_t before_ns)
{
    struct rm_checked_thread *self = rm_checked_self(), *thread = rm_checked_first_thread();
    bool found = false;

    for (; thread != NULL; thread = rm_checked_next_thread(thread)) {
        unsigned open = thread != self ? atomic_load(&thread->open) : 0;

        rm_checked_lengths(thread);
        for (unsigned i = 0; i < open && i < RM_CHECKED_SECTIONS; i++) {
            uint64_t begun_ns = atomic_load(&thread->section[i].begun_ns);

            found |= thread->section[i].domain == domain && begun_ns != 0 && begun_ns < before_ns;
        }
    }
    return found;
}

void rm_checked_wait(const struct rangemap_domain *domain)
{
    uint64_t now_ns = rm_checked_now_ns();

    while (rm_checked_settings.limit_ns != 0 && somebody_holds(domain, now_ns)) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* ---- begins and ends ---- */

int RM_CHECKED(rangemap_read_begin)(const struct rangemap *map)
{
    const void *where = RM_CHECKED_WHERE;
    struct rm_checked_call call = rm_checked_lookup(map, "rangemap_read_begin", where);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_read_begin)(map));

    if (result == 0) {
        rm_checked_begin(map, rm_checked_domain(rangemap_domain_of(map)), 0, where);
    }
    return result;
}

int RM_CHECKED(rangemap_read_try_begin)(const struct rangemap *map)
{
    const void *where = RM_CHECKED_WHERE;
    int result = RM_LIBRARY(rangemap_read_try_begin)(map);

    if (result == 0) { /* else it may be a thread that must not be attached, nor noted here */
        struct rm_checked_call call = rm_checked_lookup(map, "rangemap_read_try_begin", where);

        rm_checked_begin(map, rm_checked_domain(rangemap_domain_of(map)), 0, where);
        return rm_checked_leave(&call, 0);
    }
    return result;
}

void RM_CHECKED(rangemap_read_end)(const struct rangemap *map)
{
    const void *where = RM_CHECKED_WHERE;
    struct rm_checked_call call = rm_checked_lookup(map, "rangemap_read_end", where);

    rm_checked_end(rm_checked_domain(rangemap_domain_of(map)), NULL, 0, call.name, where);
    RM_LIBRARY(rangemap_read_end)(map);
    (void)rm_checked_leave(&call, 0);
}

int RM_CHECKED(rangemap_domain_read_begin)(struct rangemap_domain *domain)
{
    const void *where = RM_CHECKED_WHERE;
    int result;

    (void)rm_checked_anywhere("rangemap_domain_read_begin", where);
    result = RM_LIBRARY(rangemap_domain_read_begin)(domain);
    if (result == 0) {
        rm_checked_begin(NULL, rm_checked_domain(domain), 0, where);
    }
    return result;
}

void RM_CHECKED(rangemap_domain_read_end)(struct rangemap_domain *domain)
{
    const void *where = RM_CHECKED_WHERE;

    (void)rm_checked_anywhere("rangemap_domain_read_end", where);
    rm_checked_end(rm_checked_domain(domain), NULL, 0, "rangemap_domain_read_end", where);
    RM_LIBRARY(rangemap_domain_read_end)(domain);
}

int RM_CHECKED(rangemap_snapshot_begin)(const struct rangemap *map, struct rangemap_snapshot *snapshot)
{
    const void *where = RM_CHECKED_WHERE;
    struct rm_checked_call call = rm_checked_lookup(map, "rangemap_snapshot_begin", where);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_snapshot_begin)(map, snapshot));

    if (result == 0) {
        rm_checked_begin(map, rm_checked_domain(rangemap_domain_of(map)), snapshot->version, where);
    }
    return result;
}

void RM_CHECKED(rangemap_snapshot_end)(struct rangemap_snapshot *snapshot)
{
    const void *where = RM_CHECKED_WHERE;

    (void)rm_checked_anywhere("rangemap_snapshot_end", where);
    if (snapshot != NULL && snapshot->map != NULL) {
        rm_checked_end(rm_checked_domain(rangemap_domain_of(snapshot->map)), snapshot->map, snapshot->version,
                       "rangemap_snapshot_end", where);
    } else {
        rm_checked_stop(
            &(struct rm_checked_fault){.thread = rm_checked_self(),
                                       .at = where,
                                       .advice = "A snapshot is ended once, by the thread that took it."},
            "rangemap_snapshot_end() of no snapshot, or of one that was ended");
    }
    RM_LIBRARY(rangemap_snapshot_end)(snapshot);
}

/* ---- what needs one ---- */

static struct rm_checked_call held(const struct rangemap *map, const char *name, const void *where)
{
    struct rm_checked_call call = rm_checked_lookup(map, name, where);

    if (map == NULL || !rm_checked_holds(call.thread, rm_checked_domain(rangemap_domain_of(map)))) {
        rm_checked_stop(
            &(struct rm_checked_fault){
                .thread = call.thread,
                .at = where,
                .advice = "Begin a section of the map's domain first, or call the function without _held."},
            "%s() outside of a section of the map's domain", name);
    }
    return call;
}

int RM_CHECKED(rangemap_lookup_held)(const struct rangemap *map, uint64_t key, void **value)
{
    struct rm_checked_call call = held(map, "rangemap_lookup_held", RM_CHECKED_WHERE);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_lookup_held)(map, key, value));

    if (result == 0 && value != NULL) {
        rm_checked_value_seen(call.thread, map, *value);
    }
    return result;
}

int RM_CHECKED(rangemap_find_held)(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    struct rm_checked_call call = held(map, "rangemap_find_held", RM_CHECKED_WHERE);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_find_held)(map, key, entry));

    if (result == 0) {
        rm_checked_value_seen(call.thread, map, entry->value);
    }
    return result;
}

static struct rm_checked_call in_snapshot(const struct rangemap *map, uint64_t version, const char *name,
                                          const void *where)
{
    struct rm_checked_call call = rm_checked_lookup(map, name, where);

    if (!holds_snapshot(call.thread, map, version)) {
        rm_checked_stop(
            &(struct rm_checked_fault){
                .thread = call.thread,
                .at = where,
                .advice = "A snapshot is used between its begin and its end, by the thread that took it."},
            "%s() in a snapshot that this thread does not hold", name);
    }
    return call;
}

static struct rm_checked_call snapshot_call(const struct rangemap_snapshot *snapshot, const char *name,
                                            const void *where)
{
    return snapshot != NULL ? in_snapshot(snapshot->map, snapshot->version, name, where)
                            : rm_checked_lookup(NULL, name, where); /* which the library refuses */
}

int RM_CHECKED(rangemap_snapshot_find)(const struct rangemap_snapshot *snapshot, uint64_t key,
                                       struct rangemap_entry *entry)
{
    struct rm_checked_call call = snapshot_call(snapshot, "rangemap_snapshot_find", RM_CHECKED_WHERE);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_snapshot_find)(snapshot, key, entry));

    if (result == 0) {
        rm_checked_value_seen(call.thread, call.map, entry->value);
    }
    return result;
}

int RM_CHECKED(rangemap_snapshot_gap_next)(const struct rangemap_snapshot *snapshot, uint64_t key,
                                           struct rangemap_gap *gap)
{
    struct rm_checked_call call = snapshot_call(snapshot, "rangemap_snapshot_gap_next", RM_CHECKED_WHERE);

    return rm_checked_leave(&call, RM_LIBRARY(rangemap_snapshot_gap_next)(snapshot, key, gap));
}

/* A cursor belongs to a snapshot if it has a version; without one it needs no section. */
static struct rm_checked_call step(const struct rangemap_cursor *cursor, const char *name, const void *where)
{
    if (cursor == NULL || cursor->version == UINT64_MAX) { /* RM_VERSION_CURRENT */
        return rm_checked_lookup(cursor != NULL ? cursor->map : NULL, name, where);
    }
    return in_snapshot(cursor->map, cursor->version, name, where);
}

int RM_CHECKED(rangemap_cursor_next)(struct rangemap_cursor *cursor, struct rangemap_entry *entry)
{
    struct rm_checked_call call = step(cursor, "rangemap_cursor_next", RM_CHECKED_WHERE);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_cursor_next)(cursor, entry));

    if (result == 0) {
        rm_checked_value_seen(call.thread, call.map, entry->value);
    }
    return result;
}

int RM_CHECKED(rangemap_cursor_previous)(struct rangemap_cursor *cursor, struct rangemap_entry *entry)
{
    struct rm_checked_call call = step(cursor, "rangemap_cursor_previous", RM_CHECKED_WHERE);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_cursor_previous)(cursor, entry));

    if (result == 0) {
        rm_checked_value_seen(call.thread, call.map, entry->value);
    }
    return result;
}
#endif
