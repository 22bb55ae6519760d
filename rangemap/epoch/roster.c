// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/roster.h"

#include <string.h>

#include "rangemap/base/turn.h"
#include "rangemap/epoch/record.h"

/* The page after `page`, made if need be of the memory of `thread`; NULL: out of memory. */
static struct rm_roster_page *following_page(struct rm_roster_page *page, struct rm_thread *thread)
{
    struct rm_roster_page *made = rm_load_pointer(&page->next);

    if (made != NULL) {
        return made;
    }
    made = rm_thread_alloc(thread, RM_ROSTER_LINES);
    if (made == NULL) {
        return rm_load_pointer(&page->next); /* another thread had the last memory */
    }
    memset(made, 0, sizeof *made);
    if (!rm_cas_full(&page->next, 0, rm_pointer_bits(made))) {
        rm_thread_free(thread, made, RM_ROSTER_LINES);
    }
    return rm_load_pointer(&page->next);
}

static struct rm_roster_page *page_of(struct rm_roster *roster, uint64_t place, struct rm_thread *thread)
{
    struct rm_roster_page *page = &roster->first;

    for (; page != NULL && place >= RM_ROSTER_PLACES; place -= RM_ROSTER_PLACES) {
        page = following_page(page, thread);
    }
    return page;
}

bool rm_roster_add(struct rm_roster *roster, struct rm_thread *thread)
{
    struct rm_roster_page *page;
    uint64_t place;

    do {
        place = rm_load_relaxed(&roster->places); /* a number: the page is looked for by itself */
        page = page_of(roster, place, thread);
        if (page == NULL) {
            return false;
        }
    } while (!rm_cas_relaxed(&roster->places, place, place + 1));
    thread->page = page;
    thread->place = (unsigned)(place % RM_ROSTER_PLACES);
    rm_store_release(&page->record[thread->place], rm_pointer_bits(thread));
    return true;
}

bool rm_roster_is_attached(const struct rm_thread *thread)
{
    return (rm_load_relaxed(&thread->page->attached) >> thread->place & 1) != 0;
}

void rm_roster_recount(struct rm_roster *roster)
{
    const struct rm_roster_page *page = &roster->first;
    uint64_t attached = 0;

    do {
        attached += (uint64_t)__builtin_popcountll(rm_load_relaxed(&page->attached));
        page = rm_load_pointer_relaxed(&page->next);
    } while (page != NULL);
    rm_store_relaxed(&roster->attached, attached);
}

void rm_roster_set_attached(struct rm_roster *roster, const struct rm_thread *thread, bool attached)
{
    uint64_t bit = UINT64_C(1) << thread->place, before;

    do {
        before = rm_load_relaxed(&thread->page->attached);
        if (((before & bit) != 0) == attached) {
            return;
        }
    } while (!rm_cas_full(&thread->page->attached, before, before ^ bit));
    (void)rm_add_relaxed(&roster->attached, attached ? 1 : (uint64_t)0 - 1);
}

/* After this who does not update any more is forgotten, and before twice this. */
#define SPAN_NS UINT64_C(500000000)

/* Of threads that race one begins the next span; a bit that is set meanwhile is set again with the next tick. */
static void begin_span(struct rm_roster *roster, uint64_t now_ns)
{
    if (rm_turn_is_due(&roster->span_ns, SPAN_NS, now_ns)) {
        rm_store_relaxed(&roster->updated, rm_load_relaxed(&roster->updating));
        rm_store_relaxed(&roster->updating, 0);
    }
}

struct rm_roster_rank rm_roster_note_update(struct rm_roster *roster, const struct rm_thread *thread,
                                            uint64_t now_ns)
{
    uint64_t bit = UINT64_C(1) << thread->place, all;

    begin_span(roster, now_ns);
    if ((rm_load_relaxed(&roster->updating) & bit) == 0) {
        rm_or_relaxed(&roster->updating, bit);
    }
    all = rm_load_relaxed(&roster->updating) | rm_load_relaxed(&roster->updated) | bit;
    return (struct rm_roster_rank){(unsigned)__builtin_popcountll(all & (bit - 1)),
                                   (unsigned)__builtin_popcountll(all)};
}
