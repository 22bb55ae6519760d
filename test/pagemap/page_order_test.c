// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages of each order, with each set of functions that a driver may have: what they count, of whom they are, who is
 * told, and who is recorded. One model serves all, hence its length.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "pagemap/holders.h"
#include "pagemap/page/page.h"
#include "pagemap/page/record.h"
#include "pagemap/vmemmap/touched.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 1024, BATCH = 6 };

static struct file_rig rig;
static struct page *refused; /* none is */

/* All pages of the device are of this order. */
static void set_up(enum memory_type type, const struct dev_pagemap_ops *ops, unsigned order)
{
    file_rig_set_up(&rig, type);
    REQUIRE_EQ(memunmap_pages(&rig.pgmap), 0);
    rig.pgmap.ops = ops;
    rig.pgmap.vmemmap_shift = order;
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
}

/* ---- who is told of a page that goes idle ---- */

static unsigned told_of_pages, told_of_folios;

static void note_page(struct page *page)
{
    CHECK_EQ(page, compound_head(pfn_to_page(517)));
    told_of_pages++;
}

static void note_folio(struct folio *folio)
{
    CHECK_EQ((void *)folio, (void *)compound_head(pfn_to_page(517)));
    told_of_folios++;
}

static void put_as_one(struct page *page)
{
    put_page(page);
}

static void put_in_a_batch(struct page *page)
{
    pm_pages_put(&page, 1, false);
}

static void put_twice(struct page *page)
{
    struct page *both[2] = {page, page};

    get_page(page);
    pm_pages_put(both, 2, false);
}

static void put_after_a_pin(struct page *page)
{
    struct page *pinned;

    REQUIRE_EQ(pm_pages_get(&rig.pgmap, 517, 1, true, &pinned, &refused), 1);
    REQUIRE_EQ(pinned, page);
    put_page(page);
    CHECK_EQ(told_of_pages + told_of_folios, 0u, "it is pinned");
    unpin_user_page(page);
}

static const struct dev_pagemap_ops no_function = {NULL, NULL, NULL, NULL},
                                    page_function = {.page_free = note_page},
                                    folio_function = {.folio_free = note_folio},
                                    both_functions = {.page_free = note_page, .folio_free = note_folio};

static const struct {
    const struct dev_pagemap_ops *ops;
    unsigned pages, folios;
} drivers[] = {{NULL, 0, 0},
               {&no_function, 0, 0},
               {&page_function, 1, 0},
               {&folio_function, 0, 1},
               {&both_functions, 0, 1}};

static void check_told(unsigned driver, unsigned order)
{
    static void (*const ways[])(struct page *) = {put_as_one, put_in_a_batch, put_twice, put_after_a_pin};

    set_up(MEMORY_DEVICE_GENERIC, drivers[driver].ops, order);
    for (unsigned way = 0; way < sizeof ways / sizeof *ways; way++) {
        struct page *page = pagemap_get_page(517);

        REQUIRE_NE(page, NULL);
        told_of_pages = told_of_folios = 0;
        ways[way](page);
        CHECK_EQ(told_of_pages, drivers[driver].pages, "driver %u, order %u, way %u", driver, order, way);
        CHECK_EQ(told_of_folios, drivers[driver].folios, "driver %u, order %u, way %u", driver, order, way);
        CHECK_EQ(page_count(page), 1);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(page_order, each_set_of_functions)
{
    for (unsigned driver = 0; driver < sizeof drivers / sizeof *drivers; driver++) {
        for (unsigned order = 0; order < 3; order++) {
            check_told(driver, order);
        }
    }
}

/* ---- what is counted, and of which page ---- */

static uint64_t first_of(uint64_t pfn, unsigned order)
{
    return pfn >> order << order;
}

/* The first few of which some are of the same compound page; each has what it is due. */
static void check_counts(uint64_t pfn, unsigned order, bool pin)
{
    const uint64_t weight = pin && order == 0 ? GUP_PIN_COUNTING_BIAS : 1;
    struct page *pages[BATCH];
    uint64_t heads = 0;

    REQUIRE_EQ(pm_pages_get(&rig.pgmap, pfn, BATCH, pin, pages, &refused), BATCH);
    for (uint64_t i = 0; i < BATCH; i++) {
        const uint64_t head = first_of(pfn + i, order), end = head + (UINT64_C(1) << order);
        const uint64_t from = head > pfn ? head : pfn, to = end < pfn + BATCH ? end : pfn + BATCH;

        heads += i == 0 || head == pfn + i;
        CHECK_EQ(pages[i], pfn_to_page(pfn + i));
        CHECK_EQ(compound_head(pages[i]), pfn_to_page(head));
        CHECK_EQ(page_pgmap(pages[i]), &rig.pgmap);
        CHECK_EQ(page_count(pages[i]), 1 + (to - from) * weight);
        CHECK_EQ(page_maybe_dma_pinned(pages[i]), pin, "order %u", order);
    }
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), heads, "order %u", order);
    pm_pages_put(pages, BATCH, pin);
    for (uint64_t i = 0; i < BATCH; i++) {
        CHECK_EQ(page_count(pages[i]), 1);
        CHECK(!page_maybe_dma_pinned(pages[i]), "order %u", order);
    }
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
}

/* Only the first page of a compound page, of that order, of that device. */
static void check_allocation(unsigned order)
{
    struct dev_pagemap other = rig.pgmap;

    for (uint64_t pfn = 512; pfn < 520; pfn++) {
        const int expected = first_of(pfn, order) == pfn ? 0 : -EINVAL;
        struct page *page = pfn_to_page(pfn);

        CHECK_EQ(zone_device_page_init_of(page, &rig.pgmap, order), expected, "order %u", order);
        CHECK_EQ(page_count(page), expected == 0 ? 2 : 1);
        if (expected == 0) {
            unlock_page(page);
            CHECK_EQ(zone_device_page_init_of(page, &rig.pgmap, order), -EBUSY);
            put_page(page);
        }
        CHECK_EQ(zone_device_page_init_of(page, &rig.pgmap, order + 1), -EINVAL);
        CHECK_EQ(zone_device_page_init_of(page, NULL, order), -EINVAL);
        CHECK_EQ(page_count(page), 1);
    }
    other.range = rig_range(RIG_GB, 4 * RIG_MB);
    CHECK_EQ(zone_device_page_init_of(pfn_to_page(0), &other, order), -EINVAL, "not its page");
    CHECK_EQ(zone_device_page_init_of(pfn_to_page(PAGES), &rig.pgmap, order), -EINVAL, "nobody's page");
}

TEST_CASE(page_order, each_order)
{
    for (unsigned order = 0; order <= 10; order++) {
        set_up(MEMORY_DEVICE_GENERIC, &rig_ops, order);
        for (uint64_t pfn = 510; pfn < 514; pfn++) {
            check_counts(pfn, order, false);
            check_counts(pfn, order, true);
        }
        check_counts(0, order, true);
        check_counts(PAGES - BATCH, order, true);
        for (uint64_t pfn = 500; pfn < 530; pfn++) {
            for (uint64_t last = pfn; last < 530; last++) {
                uint64_t end = first_of(pfn, order) + (UINT64_C(1) << order);

                REQUIRE_EQ(pm_next_compound(&rig.pgmap, pfn, last), end <= last ? end : last + 1);
            }
        }
        file_rig_tear_down(&rig);
    }
}

TEST_CASE(page_order, allocated_as_a_whole)
{
    for (unsigned order = 0; order <= 2; order++) {
        set_up(MEMORY_DEVICE_GENERIC, &rig_ops, order);
        check_allocation(order);
        file_rig_tear_down(&rig);
    }
}

/* ---- a page stands for its compound page, also where another one of it was grabbed ---- */

/* One reference on the compound page, by its first page, as drivers take it. */
static void take_first(enum memory_type type, uint64_t pfn)
{
    if (type == MEMORY_DEVICE_PRIVATE || type == MEMORY_DEVICE_COHERENT) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
        unlock_page(pfn_to_page(pfn));
    } else {
        REQUIRE_EQ(pagemap_get_page(pfn), pfn_to_page(pfn));
    }
}

/* Of pages that nobody grabbed: those of `order` from pfn 512 on, but for the first. */
static void check_ungrabbed(enum memory_type type, unsigned order)
{
    const uint64_t idle = type == MEMORY_DEVICE_GENERIC, first = 512, last = first + (1U << order) - 1;
    struct page *head = pfn_to_page(first), *tails[2] = {pfn_to_page(first + 1), pfn_to_page(last)}, *pin;

    take_first(type, first);
    for (unsigned i = 0; i < 2; i++) {
        get_page(tails[i]);
        put_page_many(tails[i], 1);
        get_page(tails[i]);
        CHECK_EQ(page_count(head), idle + 2 + i, "type %u, order %u", type, order);
        REQUIRE_EQ(pm_pages_get(&rig.pgmap, first, 1, true, &pin, &refused), 1);
        unpin_user_page(tails[i]);
        CHECK(!page_maybe_dma_pinned(head));
    }
    CHECK_EQ(pm_page_pgmap(tails[1]), NULL, "nobody grabbed it");
    REQUIRE_EQ(pm_pages_get(&rig.pgmap, first, 1, true, &pin, &refused), 1);
    REQUIRE_EQ(pm_pages_get(&rig.pgmap, first, 1, true, &pin, &refused), 1);
    unpin_user_pages(tails, 2);
    pm_pages_put(tails, 2, false);
    CHECK_EQ(page_count(head), idle + 1);
    CHECK_EQ(rig_freed, 0);
    put_page(tails[1]);
    CHECK_EQ(page_count(head), idle);
    CHECK_EQ(rig_freed, 1);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
    CHECK_EQ(warnings_take(), 0, "type %u, order %u", type, order);
}

/* Of one whose first page was held, and of others beside one that is. */
static void check_idle(enum memory_type type, unsigned order)
{
    const uint64_t size = UINT64_C(1) << order;
    struct page *idle[3] = {pfn_to_page(512 + 1), pfn_to_page(512 - 1), pfn_to_page(512 + 2 * size + 1)};

    take_first(type, 512 + size);
    for (unsigned i = 0; i < 3; i++) {
        put_page(idle[i]);
        unpin_user_page(idle[i]);
        CHECK_EQ(warnings_take(), 2, "type %u, order %u, page %u", type, order, i);
        get_page(idle[i]);
        CHECK_EQ(warnings_take(), type == MEMORY_DEVICE_GENERIC ? 0 : 1, "type %u, order %u", type, order);
        if (type == MEMORY_DEVICE_GENERIC) { /* as if its driver held it */
            put_page(idle[i]);
        }
    }
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1);
    put_page(pfn_to_page(512 + size));
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(page_order, any_page_stands_for_its_compound_page)
{
    for (unsigned type = 0; type < RIG_NR_TYPES; type++) {
        for (unsigned order = 2; order <= 9; order++) {
            set_up(RIG_TYPES[type], &rig_ops, order);
            rig_freed = 0;
            check_ungrabbed(RIG_TYPES[type], order);
            if (order < 8) {
                check_idle(RIG_TYPES[type], order);
            }
            file_rig_tear_down(&rig);
        }
    }
}

/* Two devices whose compound pages are of other orders, next to each other. */
TEST_CASE(page_order, stands_for_no_page_of_another_device)
{
    struct range bounds = rig_range(4 * RIG_MB, 2 * RIG_MB);
    struct dev_pagemap next = rig_pgmap(MEMORY_DEVICE_PRIVATE, &bounds, 1);

    set_up(MEMORY_DEVICE_FS_DAX, &rig_ops, 10);
    next.vmemmap_shift = 1;
    REQUIRE_EQ(rig_map(&next), 0);
    take_first(MEMORY_DEVICE_FS_DAX, 0);
    put_page(pfn_to_page(1024 + 7));
    take_first(MEMORY_DEVICE_PRIVATE, 1024);
    put_page(pfn_to_page(1024 + 7));
    CHECK_EQ(warnings_take(), 2);
    CHECK_EQ(page_count(pfn_to_page(0)), 1);
    put_page(pfn_to_page(1024 + 1));
    put_page(pfn_to_page(1023));
    CHECK_EQ(pgmap_nr_references(&next), 0);
    CHECK_EQ(memunmap_pages(&next), 0);
    file_rig_tear_down(&rig);
}

/* ---- who is recorded ---- */

static void check_records(uint64_t pfn, uint64_t nr_pages, uint64_t references)
{
    struct pm_record record[2];

    for (uint64_t i = 0; i < BATCH + 2; i++) {
        bool is_held = references > 0 && i >= 1 && i < 1 + nr_pages;
        unsigned found = pm_recorded(pfn - 1 + i, record, 2);

        REQUIRE_EQ(found, is_held, "page %lu of %lu", (unsigned long)i, (unsigned long)nr_pages);
        if (is_held) {
            CHECK_EQ(record[0].references, references);
            CHECK_STR_EQ(record[0].name, "somebody");
        }
    }
}

TEST_CASE(page_order, each_page_of_a_batch_is_recorded)
{
    struct page *pages[BATCH + 1];

    set_up(MEMORY_DEVICE_FS_DAX, &rig_ops, 0);
    pagemap_record_holders(true);
    CHECK_EQ(pagemap_set_holder("somebody"), NULL);
    for (uint64_t n = 0; n <= BATCH; n++) {
        pages[n] = pfn_to_page(700 + n); /* not to be looked at */
        CHECK_EQ(pm_pages_get(&rig.pgmap, 700, n, false, pages, &refused), n);
        check_records(700, n, 1);
        pm_pages_put(pages, n, false);
        check_records(700, n, 0);
        CHECK_EQ(pm_pages_get(&rig.pgmap, 700, n, true, pages, &refused), n);
        check_records(700, n, GUP_PIN_COUNTING_BIAS);
        unpin_user_pages(pages, n);
        check_records(700, n, 0);
    }
    CHECK_STR_EQ(pagemap_set_holder(NULL), "somebody");
    pagemap_record_holders(false);
    file_rig_tear_down(&rig);
}

static void take_by_pfn(struct page *page)
{
    REQUIRE_EQ(pagemap_get_page(page_to_pfn(page)), page);
}

static void take_again(struct page *page)
{
    get_page(page);
}

static void take_by_allocation(struct page *page)
{
    REQUIRE_EQ(zone_device_page_init(page), 0);
    unlock_page(page);
}

/* By its first page, of each way to take one. */
TEST_CASE(page_order, each_reference_is_recorded)
{
    static void (*const ways[])(struct page *) = {take_by_pfn, take_again, take_by_allocation};
    struct pm_record record[2];

    pagemap_record_holders(true);
    CHECK_EQ(pagemap_set_holder("somebody"), NULL);
    for (unsigned order = 0; order < 3; order++) {
        set_up(MEMORY_DEVICE_GENERIC, &rig_ops, order);
        for (unsigned way = 0; way < sizeof ways / sizeof *ways; way++) {
            const uint64_t head = first_of(519, order);

            for (uint64_t n = 1; n <= 3 && (n == 1 || ways[way] != take_by_allocation); n++) {
                ways[way](pfn_to_page(519));
                REQUIRE_EQ(pm_recorded(head, record, 2), 1u, "order %u, way %u", order, way);
                CHECK_EQ(record[0].references, n, "order %u, way %u", order, way);
                CHECK_EQ(page_count(pfn_to_page(519)), 1 + n);
            }
            for (uint64_t n = page_count(pfn_to_page(519)) - 1; n > 0; n--) {
                REQUIRE_EQ(pm_recorded(head, record, 2), 1u);
                CHECK_EQ(record[0].references, n);
                put_page(pfn_to_page(519));
            }
            CHECK_EQ(pm_recorded(head, record, 2), 0u, "order %u, way %u", order, way);
        }
        REQUIRE_EQ(get_dev_pagemap(5, NULL), &rig.pgmap);
        REQUIRE_EQ(get_dev_pagemap(6, NULL), &rig.pgmap);
        REQUIRE_EQ(pm_recorded(pm_pagemap_key(&rig.pgmap), record, 2), 1u);
        CHECK_EQ(record[0].references, 2);
        put_dev_pagemap(&rig.pgmap);
        put_dev_pagemap(&rig.pgmap);
        CHECK_EQ(pm_recorded(pm_pagemap_key(&rig.pgmap), record, 2), 0u);
        file_rig_tear_down(&rig);
    }
    CHECK_STR_EQ(pagemap_set_holder(NULL), "somebody");
    pagemap_record_holders(false);
}

/* ---- what was never grabbed, or is nobody's ---- */

TEST_CASE(page_order, filled_from_the_first_to_the_last)
{
    set_up(MEMORY_DEVICE_FS_DAX, &rig_ops, 0);
    pagemap_fill_pages(&rig.pgmap, 100, 100);
    pagemap_fill_pages(&rig.pgmap, 102, 104);
    for (uint64_t pfn = 99; pfn <= 105; pfn++) {
        bool is_filled = pfn == 100 || (pfn >= 102 && pfn <= 104);

        CHECK_EQ(pm_page_pgmap(pfn_to_page(pfn)), is_filled ? &rig.pgmap : NULL, "pfn %u", (unsigned)pfn);
        CHECK_EQ(page_pgmap(pfn_to_page(pfn)), &rig.pgmap);
    }
    file_rig_tear_down(&rig);
}

/* As before the first device: no page is anybody's, and nothing is looked into. */
TEST_CASE(page_order, before_there_are_marks)
{
    uint64_t *marks;

    set_up(MEMORY_DEVICE_FS_DAX, &rig_ops, 0);
    marks = pm_touched;
    pm_touched = NULL;
    CHECK_EQ(page_pgmap(pfn_to_page(5)), &rig.pgmap);
    CHECK_EQ(page_pgmap(pfn_to_page(PAGES)), NULL);
    CHECK_EQ(page_count(pfn_to_page(PAGES)), 0);
    CHECK_EQ(page_address(pfn_to_page(PAGES)), NULL);
    pm_touched = marks;
    file_rig_tear_down(&rig);
}

/* Of a device that is gone for its users: what is put that nobody has is no last put once more. */
TEST_CASE(page_order, put_wrongly_after_the_end)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct page *page;
    uint64_t told = 0;

    REQUIRE_GE(fd, 0);
    for (unsigned order = 0; order < 2; order++) {
        set_up(MEMORY_DEVICE_FS_DAX, &rig_ops, order);
        page = pagemap_get_page(6);
        REQUIRE_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
        put_page(page);
        pm_pages_put(&page, 1, false);
        put_page(page);
        CHECK_EQ(warnings_take(), 2);
        CHECK_EQ(read(fd, &told, sizeof told), (ssize_t)sizeof told);
        CHECK_EQ(told, 1, "once");
        CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
        CHECK_EQ(read(fd, &told, sizeof told), -1, "nor later");
        REQUIRE_EQ(rig_map(&rig.pgmap), 0);
        file_rig_tear_down(&rig);
    }
    (void)close(fd);
}
