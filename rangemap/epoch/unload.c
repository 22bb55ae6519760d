// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the library itself has mapped goes back: when asked, and by itself when the library or plugin that it is a part
 * of is closed. At the process's exit nothing goes: there other threads may still be at work.
 */
#include "rangemap/epoch/unload.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "rangemap/base/system.h"
#include "rangemap/epoch/attach.h"
#include "rangemap/epoch/retire.h"
#include "rangemap/epoch/section.h"
#include "rangemap/epoch/upkeep.h"

/* ---- when asked ---- */

static bool is_in_use(const struct rm_thread *thread, bool others_are_done)
{
    return !rm_thread_is_own(thread) && (!others_are_done || rm_section_is_open(thread));
}

/* Maps, sections, or threads that may come back to the domain. Records of threads that are gone are parked first. */
static bool has_users(struct rangemap_domain *domain, bool others_are_done)
{
    struct rm_roster_walk walk;
    const struct rm_thread *thread;
    bool has = rm_load_relaxed(&domain->maps) != 0; /* a count; the caller has ended all uses */

    rm_thread_reap(domain, UINT_MAX);
    walk = rm_roster_begin(&domain->roster, false);
    while (!has && (thread = rm_roster_next(&walk)) != NULL) {
        has = is_in_use(thread, others_are_done);
    }
    return has;
}

/* A thread whose domain was destroyed while it was attached looks at its record when it calls the library next. */
static bool has_orphan_of_others(void)
{
    uint32_t numbers = rm_record_numbers();
    int self = rm_thread_number();

    for (uint32_t i = 0; i < numbers; i++) {
        const struct rm_thread *thread = rm_record_at(i);
        uint64_t standing = thread != NULL ? rm_load_relaxed(&thread->standing) : 0;

        if (rm_standing_state(standing) == RM_THREAD_ORPHAN && rm_standing_tid(standing) != self &&
            !rm_standing_is_gone(standing)) {
            return true;
        }
    }
    return false;
}

/* What waits in the default domain is ended, and so is the domain. */
static int end_default(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_thread_current(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    if (rm_section_is_open(thread) || thread->reclaiming) {
        return -EDEADLK;
    }
    do { /* callbacks may have deferred again */
        rm_busy_enter(thread);
        rm_retire_close(thread);
        rm_busy_leave(thread);
        rm_upkeep_barrier(thread);
    } while (!rm_reclaim_is_empty(domain));
    if (rm_load_relaxed(&domain->maps) != 0) { /* likewise */
        return -EBUSY;
    }
    rm_thread_release_all(domain);
    rm_domain_drop_default();
    return 0;
}

int rm_unload(bool others_are_done)
{
    struct rangemap_domain *domain = rm_domain_existing(NULL);
    int result = 0;

    if (rm_domain_others() != 0 || (domain != NULL && has_users(domain, others_are_done)) ||
        (!others_are_done && has_orphan_of_others())) {
        return -EBUSY;
    }
    if (domain != NULL) {
        result = end_default(domain);
    }
    if (result == 0) {
        rm_own_forget();
        rm_record_unmap_all();
    }
    return result;
}

/* ---- when it is closed ---- */

/* An object that the loader keeps (-z nodelete) is told of its end at exit only. */
extern const Elf64_Dyn rm_dynamic[] __asm__("_DYNAMIC") __attribute__((weak, visibility("hidden")));

static bool stays_loaded(void)
{
    const Elf64_Dyn *entry = rm_dynamic;

    if (entry == NULL) {
        return true; /* linked statically: no object of its own */
    }
    while (entry->d_tag != DT_NULL && entry->d_tag != DT_FLAGS_1) {
        entry++;
    }
    return entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & DF_1_NODELETE) != 0;
}

/*
 * Exit and dlclose() both run destructors. But exit runs what atexit() was given first, if it was given after the
 * program had begun; dlclose() runs that in the midst of the destructors: after those without a priority, before
 * those with one.
 */
static bool destructors_run;
static bool exits = true; /* as long as nobody has told: if atexit() has no room, nothing goes */

static void note_exit(void)
{
    exits = !destructors_run;
}

void rm_unload_prepare(void)
{
#if defined(RM_TSAN)
    (void)note_exit; /* its atexit() calls what has been unmapped: it forgets which object a function is of */
#else
    (void)atexit(note_exit);
#endif
}

__attribute__((destructor)) static void note_destructors(void)
{
    destructors_run = true;
}

/* After the plugin's own destructors, which may destroy its maps. */
__attribute__((destructor(101))) static void unload(void)
{
    if (!exits && !stays_loaded() && rm_unload(false) == 0) {
        rm_process_forget();
    }
}
