// SPDX-License-Identifier: BSD-2-Clause
/* Each line that is said while a teardown waits for holders, how many there are at most, and for how long it waits. */
#include <string.h>

#include "pagemap/holders/report.h"
#include "test/pagemap/file_rig.h"

enum { LINES = 64 };

static struct rig_many device;

static char said[LINES][128];
static uint64_t said_lines;

static void say(const char *message)
{
    uint64_t line = __atomic_load_n(&said_lines, __ATOMIC_SEQ_CST);

    if (line < LINES) {
        (void)snprintf(said[line], sizeof said[line], "%s", message);
        (void)__atomic_exchange_n(&said_lines, line + 1, __ATOMIC_SEQ_CST);
    }
}

static void unmap(void *pgmap)
{
    CHECK_EQ(memunmap_pages(pgmap), 0);
}

/* Waits for so many lines, each of which is as it should be; then the rest is put. */
static void check_said(struct dev_pagemap *pgmap, const char *const *wanted, unsigned lines,
                       void (*put_them)(void))
{
    struct waiter waiter;

    __atomic_store_n(&said_lines, 0, __ATOMIC_SEQ_CST);
    (void)pagemap_set_warn_fn(say);
    (void)pagemap_set_holders_delay(1);
    waiter_start(&waiter, unmap, pgmap);
    while (__atomic_load_n(&said_lines, __ATOMIC_SEQ_CST) < lines) {
        (void)usleep(1000);
    }
    put_them();
    waiter_join(&waiter);
    for (unsigned i = 0; i < lines; i++) {
        CHECK_NE(strstr(said[i], wanted[i]), NULL, "line %u: %s, not %s", i, said[i], wanted[i]);
    }
    warnings_count();
}

static const struct {
    uint64_t pins, references;
} counts[] = {{0, 1}, {0, 2}, {1, 0}, {2, 0}, {1, 1}, {2, 3}};

enum { COUNTS = sizeof counts / sizeof *counts };

/* Every second page, from 1000 on; and the dev_pagemap twice. */
static void put_counts(void)
{
    for (unsigned i = 0; i < COUNTS; i++) {
        put_page_many(pfn_to_page(1000 + 2 * i),
                      counts[i].pins * GUP_PIN_COUNTING_BIAS + counts[i].references);
    }
    put_dev_pagemap(&device.pgmap);
    put_dev_pagemap(&device.pgmap);
}

TEST_CASE(holders, who_waits_says_it_in_these_words)
{
    static const char *const wanted[] = {
        "from 0x200000 on is waited for since 1 ms; held by",
        "  pfn 0x3e8-0x3e8: 1 reference each: (not recorded)",
        "  pfn 0x3ea-0x3ea: 2 references each: (not recorded)",
        "  pfn 0x3ec-0x3ec: 1 pin each: (not recorded)",
        "  pfn 0x3ee-0x3ee: 2 pins each: (not recorded)",
        "  pfn 0x3f0-0x3f0: 1 pin + 1 each: (not recorded)",
        "  pfn 0x3f2-0x3f2: 2 pins + 3 each: (not recorded)",
        "  the dev_pagemap: 2: (not recorded)",
        "from 0x200000 on is waited for since 5 ms; held by",
    };
    const struct range range = rig_range(2 * RIG_MB, 4 * RIG_MB);
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);

    warnings_count();
    device = rig_many(MEMORY_DEVICE_GENERIC, &range, 1);
    REQUIRE_EQ(rig_map(&device.pgmap), 0);
    for (unsigned i = 0; i < COUNTS; i++) {
        uint64_t references = counts[i].pins * GUP_PIN_COUNTING_BIAS + counts[i].references;

        for (uint64_t k = 0; k < references; k++) {
            REQUIRE_NE(pagemap_get_page(1000 + 2 * i), NULL);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE_EQ(get_dev_pagemap(1000, NULL), &device.pgmap);
    }
    check_said(&device.pgmap, wanted, sizeof wanted / sizeof *wanted, put_counts);
    rig_unplug(memory);
}

/* ---- at most sixteen lines ---- */

static unsigned held_pages;

static void put_every_second(void)
{
    for (unsigned i = 0; i < held_pages; i++) {
        put_page(pfn_to_page(1000 + 2 * i));
    }
}

/* With three looks: 1 ms, four times that, and four times that. */
static void check_limit(unsigned pages, const char *more)
{
    const unsigned shown = pages < 16 ? pages : 16, each = 1 + shown + (more[0] != 0);
    static const char *const since[] = {"since 1 ms", "since 5 ms", "since 21 ms"};
    const char *wanted[LINES];
    unsigned lines = 0;

    REQUIRE_EQ(rig_map(&device.pgmap), 0);
    held_pages = pages;
    for (unsigned i = 0; i < pages; i++) {
        REQUIRE_NE(pagemap_get_page(1000 + 2 * i), NULL);
    }
    for (unsigned look = 0; look < 3; look++) {
        wanted[lines++] = since[look];
        for (unsigned i = 1; i < each; i++) {
            wanted[lines++] = i <= shown ? "1 reference each" : more;
        }
    }
    check_said(&device.pgmap, wanted, lines, put_every_second);
}

TEST_CASE(holders, who_waits_says_sixteen_lines)
{
    const struct range range = rig_range(2 * RIG_MB, 4 * RIG_MB);
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);

    warnings_count();
    device = rig_many(MEMORY_DEVICE_GENERIC, &range, 1);
    check_limit(2, "");
    check_limit(16, "");
    check_limit(17, "  and 1 more");
    check_limit(19, "  and 3 more");
    rig_unplug(memory);
}

/* ---- the wait itself ---- */

static unsigned looks;

static bool is_second_look(void *context)
{
    (void)context;
    return ++looks >= 2;
}

/* Once it is so it is not looked at again: it may be otherwise by then. */
TEST_CASE(holders, what_has_come_true_is_not_asked_for_again)
{
    const struct range range = rig_range(2 * RIG_MB, 4 * RIG_MB);
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);
    uint64_t word = 0;

    warnings_count();
    device = rig_many(MEMORY_DEVICE_GENERIC, &range, 1);
    REQUIRE_EQ(rig_map(&device.pgmap), 0);
    looks = 0;
    pm_wait_telling(&word, is_second_look, NULL, NULL);
    CHECK_EQ(looks, 2u, "nobody to tell of");
    looks = 0;
    pm_wait_telling(&word, is_second_look, NULL, &device.pgmap);
    CHECK_EQ(looks, 2u, "never to be told");
    (void)pagemap_set_holders_delay(600000);
    looks = 0;
    pm_wait_telling(&word, is_second_look, NULL, &device.pgmap);
    CHECK_EQ(looks, 2u);
    looks = 1;
    pm_wait_telling(&word, is_second_look, NULL, &device.pgmap);
    CHECK_EQ(looks, 2u, "true from the start");
    CHECK_EQ(memunmap_pages(&device.pgmap), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}
