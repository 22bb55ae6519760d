// SPDX-License-Identifier: BSD-2-Clause
/* Who holds a device: the report, by a call and by a teardown that waits; recording of names. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

enum { LINES = 32 };

/* What a report said. */
struct report {
    struct pagemap_holder line[LINES];
    char name[LINES][64];
    unsigned lines;
};

static void note(const struct pagemap_holder *holder, void *context)
{
    struct report *report = context;

    REQUIRE_LT(report->lines, (unsigned)LINES);
    report->line[report->lines] = *holder;
    (void)snprintf(report->name[report->lines++], 64, "%s", holder->name == NULL ? "-" : holder->name);
}

static struct report report_of(uint64_t start, uint64_t end)
{
    struct report report = {.lines = 0};

    CHECK_EQ(pagemap_report_holders(start, end, note, &report), (long)report.lines);
    return report;
}

/* Whether exactly one line says this. */
static bool says(const struct report *report, enum pagemap_holder_kind kind, uint64_t pfn, uint64_t nr_pages,
                 uint64_t references, const char *name)
{
    unsigned found = 0;

    for (unsigned i = 0; i < report->lines; i++) {
        const struct pagemap_holder *line = &report->line[i];

        found += line->kind == kind && line->pfn == pfn && line->nr_pages == nr_pages &&
                 line->references == references && strcmp(report->name[i], name) == 0;
    }
    return found == 1;
}

static struct report report_all(void)
{
    return report_of(0, PHYSMEM_END);
}

TEST_CASE(holders, files_pages_and_bare_references)
{
    struct page *pages[8];
    struct file_rig rig;
    struct report report;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(report_all().lines, 0, "nobody");
    CHECK_EQ(pagemap_report_holders(1, 0, note, &report), -EINVAL);
    CHECK_EQ(pagemap_report_holders(0, 1, NULL, NULL), -EINVAL);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 5, 100, 20), 0);
    view = file_rig_view(&rig, 5, 20);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 8, 0, pages), 8);
    REQUIRE_NE(pagemap_get_page(900), NULL);
    REQUIRE_NE(get_dev_pagemap(0, NULL), NULL);

    report = report_all();
    CHECK_EQ(report.lines, 4);
    CHECK(says(&report, PAGEMAP_HELD_BY_FILE, 100, 20, 1, "file"));
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 100, 8, GUP_PIN_COUNTING_BIAS, "-"));
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 900, 1, 1, "-"));
    CHECK(says(&report, PAGEMAP_HELD_PAGEMAP, 0, 1024, 1, "-"), "its own references are not told of");
    report = report_of(PFN_PHYS(900), PFN_PHYS(900) + 1);
    CHECK_EQ(report.lines, 2);
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 900, 1, 1, "-"));
    CHECK_EQ(report_of(4 * RIG_MB, PHYSMEM_END).lines, 0, "what is beyond it has no holder");
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(report_all().lines, 4, "dying");
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);

    put_dev_pagemap(&rig.pgmap);
    put_page(pfn_to_page(900));
    unpin_user_pages(pages, 8);
    report = report_all();
    CHECK_EQ(report.lines, 1, "the file");
    CHECK_EQ(vm_munmap(view, 20 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void *report_meanwhile(void *report)
{
    *(struct report *)report = report_all();
    return NULL;
}

/* A whole report within another, by a second thread. */
static void note_meanwhile(const struct pagemap_holder *holder, void *report)
{
    pthread_t thread;

    (void)holder;
    REQUIRE_EQ(pthread_create(&thread, NULL, report_meanwhile, report), 0);
    (void)pthread_join(thread, NULL);
}

TEST_CASE(holders, reports_do_not_tell_of_each_other)
{
    struct report within = {.lines = 0};
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_NE(pagemap_get_page(7), NULL);
    CHECK_EQ(pagemap_report_holders(0, PHYSMEM_END, note_meanwhile, &within), 1);
    CHECK_EQ(within.lines, 1, "the page, not the other report's reference");
    CHECK(says(&within, PAGEMAP_HELD_PAGE, 7, 1, 1, "-"));
    REQUIRE_NE(get_dev_pagemap(0, NULL), NULL);
    CHECK_EQ(pagemap_report_holders(0, PHYSMEM_END, note_meanwhile, &within), 2);
    CHECK_EQ(within.lines, 2);
    CHECK(says(&within, PAGEMAP_HELD_PAGEMAP, 0, 1024, 1, "-"), "a holder's own is told of as ever");
    put_dev_pagemap(&rig.pgmap);
    put_page(pfn_to_page(7));
    file_rig_tear_down(&rig);
}

TEST_CASE(holders, recorded_by_name)
{
    struct page *pages[4];
    struct file_rig rig;
    struct report report;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 4), 0);
    view = file_rig_view(&rig, 0, 4);
    REQUIRE_NE(pagemap_get_page(50), NULL);
    pagemap_record_holders(true);
    CHECK_EQ(pagemap_set_holder("nic"), NULL);
    REQUIRE_EQ(get_user_pages((uintptr_t)view, 4, 0, pages), 4);
    get_page(pages[3]);
    CHECK_STR_EQ(pagemap_set_holder("disk"), "nic");
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 1, 0, pages), 1);
    REQUIRE_NE(get_dev_pagemap(0, NULL), NULL);
    REQUIRE_NE(pagemap_get_page(50), NULL);

    report = report_all();
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 0, 1, 1, "nic"));
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 0, 1, GUP_PIN_COUNTING_BIAS, "disk"));
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 1, 2, 1, "nic"), "neighbours that are held alike");
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 3, 1, 2, "nic"));
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 50, 1, 1, "disk"));
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 50, 1, 1, "-"), "from before");
    CHECK(says(&report, PAGEMAP_HELD_PAGEMAP, 0, 1024, 1, "disk"));
    CHECK_EQ(report.lines, 8, "and the file");

    unpin_user_page(pages[0]);
    report = report_all();
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 0, 3, 1, "nic"), "a put under its name takes its own off");
    get_page(pages[1]);
    (void)pagemap_set_holder("nic");
    put_page(pages[1]);
    report = report_all();
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 1, 1, 1, "disk"), "whoever came first: the one that is left");
    get_page(pages[1]);
    (void)pagemap_set_holder("disk");
    put_page(pages[1]);
    (void)pagemap_set_holder(NULL);
    put_page_many(pages[3], 2);
    report = report_all();
    CHECK(!says(&report, PAGEMAP_HELD_PAGE, 3, 1, 2, "nic"), "who puts for another takes the other's off");
    pagemap_record_holders(false);
    report = report_all();
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 0, 3, 1, "-"), "forgotten");
    for (unsigned i = 0; i < 3; i++) {
        put_page(pfn_to_page(i));
    }
    put_page_many(pfn_to_page(50), 2);
    put_dev_pagemap(&rig.pgmap);
    CHECK_EQ(vm_munmap(view, 4 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* No memory for a record: the reference is there, and has no name. */
TEST_CASE(holders, recording_may_fail)
{
    struct file_rig rig;
    struct report report;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    pagemap_record_holders(true);
    (void)pagemap_set_holder("short of memory");
    (void)pm_fault_arm(1);
    REQUIRE_NE(pagemap_get_page(7), NULL);
    CHECK_EQ(pm_fault_arm(0), 0);
    report = report_all();
    CHECK(says(&report, PAGEMAP_HELD_PAGE, 7, 1, 1, "-"));
    put_page(pfn_to_page(7));
    (void)pagemap_set_holder(NULL);
    pagemap_record_holders(false);
    file_rig_tear_down(&rig);
}

/* Several ranges, compound pages, and an altmap whose struct pages nobody may read. */
TEST_CASE(holders, ranges_compound_pages_and_altmap)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range ranges[2] = {rig_range(0, 16 * RIG_MB), rig_range(32 * RIG_MB, 16 * RIG_MB)};
    struct range other = rig_range(48 * RIG_MB, 16 * RIG_MB);
    struct rig_many many = rig_many(MEMORY_DEVICE_FS_DAX, ranges, 2);
    struct dev_pagemap pmem = rig_pgmap(MEMORY_DEVICE_FS_DAX, &other, 1);
    const uint64_t second = PHYS_PFN(ranges[1].start), third = PHYS_PFN(other.start);
    struct report report;

    warnings_count();
    many.pgmap.vmemmap_shift = 9;
    pmem.flags = PGMAP_ALTMAP_VALID;
    pmem.altmap = (struct vmem_altmap){.base_pfn = third, .reserve = 1, .free = 127};
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    REQUIRE_EQ(rig_map(&pmem), 0);
    REQUIRE_NE(pagemap_get_page(second + 513), NULL);
    REQUIRE_NE(pagemap_get_page(second + 600), NULL);
    REQUIRE_NE(pagemap_get_page(third + 128), NULL);
    REQUIRE_NE(get_dev_pagemap(0, NULL), NULL);
    report = report_all();
    CHECK_EQ(report.lines, 3, "each dev_pagemap once, however many ranges it has");
    CHECK(says(&report, PAGEMAP_HELD_PAGE, second + 512, 512, 2, "-"));
    CHECK(says(&report, PAGEMAP_HELD_PAGE, third + 128, 1, 1, "-"));
    CHECK(says(&report, PAGEMAP_HELD_PAGEMAP, 0, 4096, 1, "-"));
    put_page_many(pfn_to_page(second + 513), 2);
    put_page(pfn_to_page(third + 128));
    put_dev_pagemap(&many.pgmap);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    CHECK_EQ(memunmap_pages(&pmem), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

/* ---- teardowns that wait ---- */

static char told[LINES][200];
static uint64_t told_lines;

static void tell(const char *message)
{
    uint64_t line = __atomic_load_n(&told_lines, __ATOMIC_SEQ_CST);

    if (line < LINES) {
        (void)snprintf(told[line], sizeof told[line], "%s", message);
        (void)__atomic_exchange_n(&told_lines, line + 1, __ATOMIC_SEQ_CST);
    }
}

static bool was_told(const char *text)
{
    uint64_t lines = __atomic_load_n(&told_lines, __ATOMIC_SEQ_CST);

    for (uint64_t i = 0; i < lines; i++) {
        if (strstr(told[i], text) != NULL) {
            return true;
        }
    }
    return false;
}

static void wait_until_told(const char *text)
{
    while (!was_told(text)) { /* for ever, if it never comes: the test's timeout says so */
        (void)usleep(1000);
    }
}

static void unmap(void *pgmap)
{
    CHECK_EQ(memunmap_pages(pgmap), 0);
}

static void truncate_file(void *file)
{
    CHECK_EQ(truncate_inode_pages(file, 0), 0);
}

/* The second delay is four times the first, so each wait is asked for once. */
TEST_CASE(holders, who_waits_says_for_whom)
{
    struct file_rig rig;
    struct report report;
    struct waiter waiter;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    (void)pagemap_set_warn_fn(tell);
    (void)pagemap_set_holders_delay(20);
    pagemap_record_holders(true);
    (void)pagemap_set_holder("reader 3");
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 100, 10), 0);
    REQUIRE_NE(pagemap_get_page(105), NULL);
    waiter_start(&waiter, truncate_file, &rig.file);
    wait_until_told("pfn 0x69-0x69: 1 reference each: reader 3");
    CHECK(was_told("pfn 0x64-0x6d: in file file"));
    report = report_all();
    CHECK_EQ(report.lines, 2, "who waits is no holder");
    CHECK(!waiter_is_done_after(&waiter, 0));
    put_page(pfn_to_page(105));
    waiter_join(&waiter);

    __atomic_store_n(&told_lines, 0, __ATOMIC_SEQ_CST);
    REQUIRE_NE(pagemap_get_page(200), NULL);
    REQUIRE_NE(get_dev_pagemap(0, NULL), NULL);
    waiter_start(&waiter, unmap, &rig.pgmap);
    wait_until_told("the dev_pagemap: 1: reader 3");
    CHECK(was_told("pfn 0xc8-0xc8: 1 reference each: reader 3"));
    CHECK(!was_told("in file"));
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 2, "exact while it waits, too");
    report = report_all();
    CHECK_EQ(report.lines, 2, "and by a call of another thread");
    put_page(pfn_to_page(200));
    CHECK(!waiter_is_done_after(&waiter, 0));
    put_dev_pagemap(&rig.pgmap);
    waiter_join(&waiter);

    (void)pagemap_set_holder(NULL);
    pagemap_record_holders(false);
    CHECK_EQ(pagemap_set_holders_delay(0), 20);
    warnings_count();
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

/* ---- against everything at once ---- */

static struct file_rig shared;
static uint64_t stop, reports;

static void *get_and_put(void *name)
{
    (void)pagemap_set_holder(name);
    for (uint64_t i = 0; !__atomic_load_n(&stop, __ATOMIC_SEQ_CST); i++) {
        struct page *page = pagemap_get_page(i % 512);
        struct dev_pagemap *pgmap = get_dev_pagemap(i % 1024, NULL);

        put_dev_pagemap(pgmap);
        if (page != NULL) {
            put_page(page);
        }
    }
    return NULL;
}

static void count(const struct pagemap_holder *holder, void *context)
{
    (void)context;
    CHECK_GT(holder->references, 0);
    CHECK_LE(holder->references, 1000);
    (void)__atomic_fetch_add(&reports, 1, __ATOMIC_SEQ_CST);
}

static void *report_randomly(void *context)
{
    (void)context;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        (void)pagemap_report_holders(0, PHYSMEM_END, count, NULL);
    }
    return NULL;
}

/* Reports and the switch run beside gets, puts, and mappings that come and go; nothing leaks. */
TEST_CASE(holders, reports_beside_teardowns)
{
    char names[2][8] = {"first", "second"};
    pthread_t threads[3];

    file_rig_set_up(&shared, MEMORY_DEVICE_FS_DAX);
    pagemap_record_holders(true);
    REQUIRE_EQ(pthread_create(&threads[0], NULL, get_and_put, names[0]), 0);
    REQUIRE_EQ(pthread_create(&threads[1], NULL, get_and_put, names[1]), 0);
    REQUIRE_EQ(pthread_create(&threads[2], NULL, report_randomly, NULL), 0);
    for (unsigned i = 0; i < 100 * test_scale() || __atomic_load_n(&reports, __ATOMIC_SEQ_CST) == 0; i++) {
        CHECK_EQ(memunmap_pages(&shared.pgmap), 0);
        REQUIRE_EQ(rig_map(&shared.pgmap), 0);
        pagemap_record_holders(i % 8 != 0);
    }
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 3; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    CHECK_EQ(report_all().lines, 0);
    pagemap_record_holders(false);
    file_rig_tear_down(&shared);
}
