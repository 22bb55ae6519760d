// SPDX-License-Identifier: BSD-2-Clause
/* A page of the file in place of another, in one step: who looks before, sees the one, and after it, the other. */
#include <errno.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/stress/hardware.h"
#include "test/pagemap/stress/world.h"

/* One replacement. */
struct change {
    uint64_t index;
    struct page *old, *new;
    bool was_shown[VIEWS];
};

static bool is_in_file(const struct driver *driver, uint64_t pfn)
{
    for (uint64_t i = 0; i < VIEW_PAGES; i++) {
        if (driver->where[i] == pfn) {
            return true;
        }
    }
    return false;
}

/* Five in six are not in the file. Some was there before, and may be pinned still. */
static struct page *any_other_page(struct driver *driver)
{
    uint64_t first = PHYS_PFN(driver->pgmap.range.start), pfn;

    do {
        pfn = first + prng_between(&driver->prng, FILE_PFNS, FILE_PFNS_END - 1);
    } while (is_in_file(driver, pfn));
    return pfn_to_page(pfn);
}

static void note_shown(const struct driver *driver, struct change *change)
{
    for (unsigned v = 0; v < VIEWS; v++) {
        struct page *shown = shown_page(driver, v, change->index);

        CHECK(shown == NULL || shown == change->old);
        change->was_shown[v] = shown != NULL;
    }
}

static void check_found(struct driver *driver, const struct change *change, const struct page *expected)
{
    struct page *found = find_get_page(&driver->file, change->index);

    CHECK_EQ(found, expected);
    if (found != NULL) {
        put_page(found);
    }
}

/* By a pin, and by a touch. */
static void check_shown(const struct driver *driver, const struct change *change, struct page *expected)
{
    for (unsigned v = 0; v < VIEWS; v++) {
        struct page *shown = shown_page(driver, v, change->index);
        const char *address = (const char *)(uintptr_t)driver->views[v] + change->index * PAGE_SIZE;
        bool may_be_absent = expected == change->old && (is_short || loaded(&is_cut_short) != 0);

        CHECK(shown == (change->was_shown[v] ? expected : NULL) || (shown == NULL && may_be_absent),
              "view %u, %d", v, change->was_shown[v]);
        if (shown != NULL) {
            CHECK_EQ(loaded((const uint64_t *)(const void *)address + 1), page_to_pfn(shown));
        }
    }
}

static void replace_page(struct driver *driver, struct change *change)
{
    int error;

    note_shown(driver, change);
    store(label_of(change->new), page_to_pfn(change->new));
    arm(driver, 10);
    error = filemap_replace_page(&driver->file, change->index, change->old, change->new);
    if (went_well(driver, error)) {
        store(label_of(change->old), 0);
        driver->where[change->index] = page_to_pfn(change->new);
        driver->replaced++;
        hardware_check(driver);
        check_found(driver, change, change->new);
        check_shown(driver, change, change->new);
    } else {
        store(label_of(change->new), 0);
        check_found(driver, change, change->old);
        check_shown(driver, change, change->old);
    }
}

/* A part of a compound page cannot be mapped by itself; a hole has no page. */
static void be_refused(struct driver *driver, const struct change *change)
{
    bool is_compound = driver->pgmap.vmemmap_shift > 0;

    CHECK_EQ(filemap_replace_page(&driver->file, change->index, change->old, change->new),
             is_compound ? -EINVAL : -ESTALE);
    driver->refused += is_compound;
}

void replace_pages(struct driver *driver)
{
    for (uint64_t i = prng_between(&driver->prng, 1, 8); i > 0; i--) {
        struct change change = {.index = prng_below(&driver->prng, VIEW_PAGES)};
        uint64_t pfn = driver->where[change.index];

        change.new = any_other_page(driver);
        change.old = pfn != 0 ? pfn_to_page(pfn) : change.new + 1;
        if (pfn == 0 || driver->pgmap.vmemmap_shift > 0) {
            be_refused(driver, &change);
        } else {
            replace_page(driver, &change);
        }
    }
}
