// SPDX-License-Identifier: BSD-2-Clause
/* Those who get and put, by random pfns and addresses. */
#include <errno.h>
#include <sched.h>

#include "test/pagemap/stress/world.h"

uint64_t hits, page_hits, gup_hits, gup_misses;

static bool covers(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    for (unsigned i = 0; i < pgmap->nr_range; i++) {
        if (pgmap->ranges[i].start <= PFN_PHYS(pfn) && PFN_PHYS(pfn) <= pgmap->ranges[i].end) {
            return true;
        }
    }
    return false;
}

static void visit_pagemap(uint64_t pfn)
{
    struct dev_pagemap *pgmap = get_dev_pagemap(pfn, NULL);

    if (pgmap != NULL) {
        add(&hits, 1);
        CHECK_EQ(loaded(&driver_of(pgmap)->magic), MAGIC);
        CHECK(covers(pgmap, pfn));
        pgmap = get_dev_pagemap(pfn ^ 512, pgmap);
        put_dev_pagemap(pgmap);
    }
}

void set_bit(struct page *page, uint64_t bit)
{
    CHECK(pgmap_pfn_valid(page_pgmap(page), page_to_pfn(page)));
    CHECK_EQ(loaded(&driver_of(page_pgmap(page))->magic), MAGIC);
    (void)__atomic_fetch_or((uint64_t *)page_address(page), bit, __ATOMIC_SEQ_CST);
}

void take_bit(struct page *page, uint64_t bit)
{
    CHECK_NE(__atomic_fetch_and((uint64_t *)page_address(page), ~bit, __ATOMIC_SEQ_CST) & bit, 0);
}

static void visit_page(uint64_t pfn, uint64_t bit)
{
    struct page *page = pagemap_get_page(pfn);

    if (page != NULL) {
        add(&page_hits, 1);
        set_bit(page, bit);
        (void)sched_yield();
        take_bit(page, bit);
        put_page(page);
        (void)sched_yield(); /* without it: see visit_address() */
    }
}

/* The view may be gone, or be another by now: what was pinned is a page of a mapping all the same. */
static void visit_address(struct prng *prng, uint64_t bit)
{
    struct driver *driver = &drivers[prng_below(prng, DRIVERS)];
    uintptr_t start = loaded(&driver->views[prng_below(prng, VIEWS)]);
    unsigned long nr_pages = prng_between(prng, 1, GUP_PAGES);
    bool pin = prng_below(prng, 2) == 0;
    struct page *pages[GUP_PAGES];
    long got;

    if (start == 0) {
        return;
    }
    start += prng_below(prng, VIEW_PAGES) * PAGE_SIZE;
    got = pin ? pin_user_pages(start, nr_pages, FOLL_WRITE | FOLL_PCI_P2PDMA, pages)
              : get_user_pages(start, nr_pages, FOLL_WRITE | FOLL_PCI_P2PDMA, pages);
    add(got > 0 ? &gup_hits : &gup_misses, 1);
    CHECK(got == -EFAULT || (got > 0 && got <= (long)nr_pages), "%ld", got);
    for (long i = 0; i < got; i++) {
        set_bit(pages[i], bit);
    }
    (void)sched_yield();
    for (long i = 0; i < got; i++) {
        take_bit(pages[i], bit);
        if (pin) {
            unpin_user_page(pages[i]);
        } else {
            put_page(pages[i]);
        }
    }
    /*
     * Who waits until a page is idle must see it idle, and has no precedence over who gets it meanwhile: readers that
     * gave up the processor only while they hold the same compound page would keep it busy for as long as they like.
     */
    (void)sched_yield();
}

static void note_holder(const struct pagemap_holder *holder, void *context)
{
    (void)context;
    CHECK_GT(holder->references, 0);
    CHECK_GT(holder->nr_pages, 0);
}

void *read_randomly(void *context)
{
    uint64_t number = (uint64_t)(uintptr_t)context;
    struct prng prng = prng_stream(test_seed(), number);
    const uint64_t pfns = DRIVERS * SLOT_MB * RIG_MB / PAGE_SIZE;

    take_signals();
    while (!loaded(&stop)) {
        uint64_t pfn = prng_below(&prng, pfns);

        switch (prng_below(&prng, 16)) {
        case 0:
            CHECK_GE(pagemap_report_holders(0, PHYSMEM_END, note_holder, NULL), 0);
            break;
        case 1 ... 5:
            visit_pagemap(pfn);
            break;
        case 6 ... 9:
            visit_page(pfn, UINT64_C(1) << number);
            break;
        default:
            visit_address(&prng, UINT64_C(1) << number);
        }
    }
    return NULL;
}
