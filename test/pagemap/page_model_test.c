// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages beside a list of what each counts: random gets, puts, pins, allocations and failures of memory, right ones and
 * wrong ones. After each all counts, references, warnings and what the driver was told are those of the list.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <string.h>

#include "pagemap/page/page.h"
#include "test/pagemap/file_rig.h"
#include "test/shim/prng.h"

enum { PAGES = 10, STEPS = 6000, BATCH = 6 };

/* Of a page, or of the compound page that it is the first of. */
struct count {
    uint64_t references, pins;
};

static struct file_rig rig;
static struct count counts[PAGES]; /* by the first page */
static bool poisoned[PAGES], in_file;
static uint64_t pfns[PAGES], freed, warned, pins_now;
static char *view;

static bool is_compound(void)
{
    return rig.pgmap.vmemmap_shift > 0;
}

static bool is_allocated(void)
{
    return rig.pgmap.type == MEMORY_DEVICE_COHERENT || rig.pgmap.type == MEMORY_DEVICE_PRIVATE;
}

/* Pages 0..4 and 5..9 are of one compound page each. */
static struct count *count_of(unsigned i)
{
    return &counts[is_compound() ? i / 5 * 5 : i];
}

static uint64_t weight(bool pin)
{
    return pin && !is_compound() ? GUP_PIN_COUNTING_BIAS : 1;
}

static int take_note(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap, (void)pfn, (void)nr_pages, (void)flags;
    return 0; /* so that pages fail that are in no file, too */
}

static const struct dev_pagemap_ops ops = {rig_page_free, rig_migrate_to_ram, take_note, NULL};

/* ---- what is to come of each call ---- */

static bool may_get(unsigned i)
{
    return !poisoned[i] && (!is_allocated() || count_of(i)->references > 0);
}

static void add(unsigned i, bool pin)
{
    count_of(i)->references += weight(pin);
    count_of(i)->pins += pin && is_compound();
}

/* What went idle is freed, and its pins with it. */
static void drop(unsigned i, uint64_t references)
{
    struct count *count = count_of(i);

    count->references -= references;
    if (count->references == 0) {
        freed++;
        warned += count->pins > 0;
        pins_now -= count->pins;
        count->pins = 0;
    }
}

/* As unpin_user_page() or put_page() of an array: false, and a warning, if it is not held so. */
static void drop_one(unsigned i, bool pin)
{
    struct count *count = count_of(i);

    if (count->references < weight(pin) || (pin && is_compound() && count->pins == 0)) {
        warned++;
        return;
    }
    if (pin) {
        pins_now--;
        count->pins -= is_compound();
    }
    drop(i, weight(pin));
}

static void check_all(void)
{
    struct pagemap_statistics now;
    uint64_t busy = 0;

    REQUIRE_EQ(pagemap_stats(&now, sizeof now), 0);
    CHECK_EQ(now.pins_now, pins_now);
    CHECK_EQ(rig_freed, freed);
    CHECK_EQ(warnings_take(), warned);
    warned = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        const struct count *count = count_of(i);

        busy += count == &counts[i] && count->references > 0;
        REQUIRE_EQ(page_count(pfn_to_page(pfns[i])),
                   count->references + (rig.pgmap.type == MEMORY_DEVICE_GENERIC), "page %u", i);
        REQUIRE_EQ(PageHWPoison(pfn_to_page(pfns[i])), poisoned[i], "page %u", i);
        REQUIRE_EQ(page_maybe_dma_pinned(pfn_to_page(pfns[i])),
                   is_compound() ? count->pins > 0 : count->references >= GUP_PIN_COUNTING_BIAS, "page %u",
                   i);
    }
    REQUIRE_EQ(pgmap_nr_references(&rig.pgmap), busy + (in_file ? PAGES : 0));
}

/* ---- the calls ---- */

static void get_by_pfn(unsigned i)
{
    struct page *page = pagemap_get_page(pfns[i]);

    CHECK_EQ(page, may_get(i) ? pfn_to_page(pfns[i]) : NULL);
    if (page != NULL) {
        add(i, false);
    }
}

/* A page that is held can be got whatever it is; one that is idle if its driver gives such out. */
static void get_again(unsigned i)
{
    get_page(pfn_to_page(pfns[i]));
    if (count_of(i)->references > 0 || (rig.pgmap.type == MEMORY_DEVICE_GENERIC && !poisoned[i])) {
        add(i, false);
    } else {
        warned++;
    }
}

static void put_many(unsigned i, uint64_t n)
{
    put_page_many(pfn_to_page(pfns[i]), n);
    if (n > count_of(i)->references) {
        warned++;
    } else if (n > 0) {
        drop(i, n);
    }
}

static void allocate(unsigned i)
{
    int error = zone_device_page_init(pfn_to_page(pfns[i]));

    CHECK_EQ(error, poisoned[i] ? -EHWPOISON : count_of(i)->references > 0 ? -EBUSY : 0);
    if (error == 0) {
        unlock_page(pfn_to_page(pfns[i]));
        add(i, false);
    }
}

/* Those that can be had of a view, up to the first that cannot. */
static void take_by_view(unsigned i, uint64_t n, bool pin)
{
    const uintptr_t address = (uintptr_t)view + i * PAGE_SIZE;
    struct page *pages[PAGES];
    long got = pin ? pin_user_pages(address, n, FOLL_PCI_P2PDMA, pages)
                   : get_user_pages(address, n, FOLL_PCI_P2PDMA, pages);
    unsigned end = i;

    while (end < i + n && end < PAGES && may_get(end)) {
        end++;
    }
    CHECK_EQ(got, end == i ? -EFAULT : (long)(end - i));
    for (; i < end; i++) {
        add(i, pin);
        pins_now += pin;
    }
}

/* Any pages together, of which some may be wrong, or nobody's. */
static void give_back(struct prng *prng, bool pin)
{
    unsigned n = (unsigned)prng_between(prng, 1, BATCH), of[BATCH];
    struct page *pages[BATCH];

    for (unsigned k = 0; k < n; k++) {
        of[k] = (unsigned)prng_below(prng, PAGES + 1);
        pages[k] = pfn_to_page(of[k] == PAGES ? 1 : pfns[of[k]]); /* pfn 1 was never got itself */
    }
    if (pin) {
        unpin_user_pages(pages, n);
    } else {
        pm_pages_put(pages, n, false);
    }
    for (unsigned k = 0; k < n; k++) {
        if (of[k] == PAGES && !is_compound()) {
            warned++;
        } else {
            drop_one(of[k] % PAGES, pin); /* of page 0's compound page, as pfn 1 */
        }
    }
}

static void fail_or_mend(unsigned i)
{
    if (poisoned[i]) {
        CHECK_EQ(unpoison_memory(pfns[i]), 0);
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
        poisoned[i] = false;
    } else {
        CHECK_EQ(unpoison_memory(pfns[i]), -ENXIO);
        CHECK_EQ(memory_failure(pfns[i], 0), is_allocated() ? -ENXIO : 0);
        poisoned[i] = !is_allocated();
    }
}

static void live(struct prng *prng)
{
    unsigned i = (unsigned)prng_below(prng, PAGES);
    uint64_t n = prng_below(prng, 4);

    switch (prng_below(prng, 12)) {
    case 0:
        get_by_pfn(i);
        break;
    case 1:
        get_again(i);
        break;
    case 2:
        put_many(i, n);
        break;
    case 3:
        put_many(i, count_of(i)->references);
        break;
    case 4:
        allocate(i);
        break;
    case 5:
        fail_or_mend(i);
        break;
    case 6:
    case 7:
        give_back(prng, false);
        break;
    case 8:
    case 9:
        give_back(prng, true);
        break;
    default:
        if (in_file) {
            take_by_view(i, n + 1, prng_below(prng, 2) == 0);
        }
    }
}

static void put_all(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        if (poisoned[i]) {
            fail_or_mend(i);
        }
        put_many(i, count_of(i)->references);
    }
}

static uint64_t pins_of_all(void)
{
    struct pagemap_statistics now;

    REQUIRE_EQ(pagemap_stats(&now, sizeof now), 0);
    return now.pins_now;
}

/* Pages 0..4 of the list are the last of the first 2 MiB, and 5..9 the first of the next. */
static void set_up(enum memory_type type, unsigned shift, bool in_a_file)
{
    memset(counts, 0, sizeof counts);
    memset(poisoned, 0, sizeof poisoned);
    file_rig_set_up(&rig, type);
    rig.pgmap.ops = &ops;
    if (shift > 0) {
        file_rig_use_compound_pages(&rig);
    }
    in_file = in_a_file;
    rig_freed = freed = warned = 0;
    pins_now = pins_of_all();
    for (unsigned i = 0; i < PAGES; i++) {
        pfns[i] = 507 + i;
    }
    if (in_file) {
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, pfns[0], PAGES), 0);
        view = file_rig_view(&rig, 0, PAGES);
    }
}

static void against_the_list(enum memory_type type, unsigned shift, bool in_a_file, unsigned stream)
{
    struct prng prng = prng_stream(test_seed(), stream);

    set_up(type, shift, in_a_file);
    for (unsigned i = 0; i < STEPS; i++) {
        live(&prng);
        check_all();
    }
    put_all();
    check_all();
    if (in_file) {
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(page_model, counts_are_those_of_a_list)
{
    unsigned stream = 0;

    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        for (unsigned shift = 0; shift <= 9; shift += 9) {
            against_the_list(RIG_TYPES[i], shift, false, stream++);
            if (RIG_TYPES[i] != MEMORY_DEVICE_PRIVATE && RIG_TYPES[i] != MEMORY_DEVICE_COHERENT) {
                against_the_list(RIG_TYPES[i], shift, true, stream++);
            }
        }
    }
}
