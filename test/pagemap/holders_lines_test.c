// SPDX-License-Identifier: BSD-2-Clause
/* Reports of holders beside a list of who got and put what. */
#include <string.h>

#include "pagemap/holders/report.h"
#include "test/pagemap/file_rig.h"
#include "test/shim/prng.h"

enum { PAGES = 12, NAMES = 4, LINES = 64, ROUNDS = 400, PAGEMAP = PAGES, THINGS = PAGES + 1 };

/* ---- what a report has to say ---- */

/* References of one name; name 0: not recorded. */
struct share {
    unsigned name;
    uint64_t references;
};

/* A page, or the dev_pagemap: its shares in the order in which their names came. */
struct thing {
    struct share share[NAMES];
    unsigned shares;
};

struct line {
    enum pagemap_holder_kind kind;
    uint64_t pfn, nr_pages, references;
    char name[64];
};

struct lines {
    struct line line[LINES];
    unsigned count;
};

static const char *const names[NAMES] = {"-", "a name of more than 31 characters is cut", "disk", "nic"};
static struct thing things[THINGS];
static struct rig_many device;
static const struct range *ranges; /* the device's */
static uint64_t pfns[PAGES], step_pages;

static uint64_t references_of(const struct thing *thing)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < thing->shares; i++) {
        sum += thing->share[i].references;
    }
    return sum;
}

static void add_share(struct thing *thing, unsigned name, uint64_t references)
{
    unsigned i = 0;

    while (i < thing->shares && thing->share[i].name != name) {
        i++;
    }
    thing->share[i] = (struct share){name, references + (i < thing->shares ? thing->share[i].references : 0)};
    thing->shares += i == thing->shares;
}

/* Up to so many off one share; how many are left to take. */
static uint64_t take(struct thing *thing, unsigned i, uint64_t references)
{
    uint64_t taken = thing->share[i].references < references ? thing->share[i].references : references;

    thing->share[i].references -= taken;
    if (thing->share[i].references == 0) {
        thing->shares--;
        memmove(&thing->share[i], &thing->share[i + 1], (thing->shares - i) * sizeof thing->share[0]);
    }
    return references - taken;
}

/* Its own first, then whoever came first. */
static void take_shares(struct thing *thing, unsigned name, uint64_t references)
{
    for (unsigned i = 0; i < thing->shares; i++) {
        if (thing->share[i].name == name) {
            references = take(thing, i, references);
            break;
        }
    }
    while (references > 0) {
        references = take(thing, 0, references);
    }
}

static bool continues(const struct line *last, const struct line *line)
{
    return line->kind == PAGEMAP_HELD_PAGE && last->kind == line->kind &&
           last->references == line->references && last->pfn + last->nr_pages == line->pfn &&
           strcmp(last->name, line->name) == 0;
}

static void expect(struct lines *lines, enum pagemap_holder_kind kind, uint64_t pfn, uint64_t nr_pages,
                   const struct share *share)
{
    struct line made = {kind, pfn, nr_pages, share->references, ""};

    (void)snprintf(made.name, 32, "%s", names[share->name]);
    if (lines->count > 0 && continues(&lines->line[lines->count - 1], &made)) {
        lines->line[lines->count - 1].nr_pages += nr_pages;
        return;
    }
    REQUIRE_LT(lines->count, (unsigned)LINES);
    lines->line[lines->count++] = made;
}

static bool overlaps(uint64_t first, uint64_t last, uint64_t pfn, uint64_t nr_pages)
{
    return pfn <= last && pfn + nr_pages - 1 >= first;
}

static void expect_pages(struct lines *lines, uint64_t first, uint64_t last, const struct range *range)
{
    for (unsigned i = 0; i < PAGES; i++) {
        const bool is_asked_for = range->start <= PFN_PHYS(pfns[i]) && PFN_PHYS(pfns[i]) <= range->end &&
                                  overlaps(first, last, pfns[i], step_pages);

        for (unsigned k = 0; k < things[i].shares && is_asked_for; k++) {
            expect(lines, PAGEMAP_HELD_PAGE, pfns[i], step_pages, &things[i].share[k]);
        }
    }
}

/* Of the bytes [start, end]: range by range, as the driver listed them. */
static struct lines expected(uint64_t start, uint64_t end)
{
    const uint64_t first = PHYS_PFN(start), last = PHYS_PFN(end);
    struct lines lines = {.count = 0};
    bool any = false;

    for (unsigned id = 0; id < device.pgmap.nr_range; id++) {
        const struct range *range = &ranges[id];

        any = any || overlaps(first, last, PHYS_PFN(range->start), range_len(range) / PAGE_SIZE);
        expect_pages(&lines, first, last, range);
    }
    for (unsigned k = 0; k < things[PAGEMAP].shares && any; k++) {
        expect(&lines, PAGEMAP_HELD_PAGEMAP, PHYS_PFN(device.pgmap.range.start),
               range_len(&device.pgmap.range) / PAGE_SIZE, &things[PAGEMAP].share[k]);
    }
    return lines;
}

static void note(const struct pagemap_holder *holder, void *context)
{
    struct lines *lines = context;
    struct line *line = &lines->line[lines->count];

    REQUIRE_LT(lines->count++, (unsigned)LINES);
    *line = (struct line){holder->kind, holder->pfn, holder->nr_pages, holder->references, ""};
    (void)snprintf(line->name, sizeof line->name, "%s", holder->name == NULL ? "-" : holder->name);
}

static void check_report(uint64_t start, uint64_t end)
{
    struct lines wanted = expected(start, end), said = {.count = 0};

    REQUIRE_EQ(pagemap_report_holders(start, end, note, &said), (long)wanted.count, "from %#lx to %#lx",
               (unsigned long)start, (unsigned long)end);
    REQUIRE_EQ(said.count, wanted.count);
    for (unsigned i = 0; i < wanted.count; i++) {
        REQUIRE_EQ(said.line[i].kind, wanted.line[i].kind, "line %u", i);
        REQUIRE_EQ(said.line[i].pfn, wanted.line[i].pfn, "line %u", i);
        REQUIRE_EQ(said.line[i].nr_pages, wanted.line[i].nr_pages, "line %u", i);
        REQUIRE_EQ(said.line[i].references, wanted.line[i].references, "line %u", i);
        REQUIRE_STR_EQ(said.line[i].name, wanted.line[i].name, "line %u", i);
    }
}

/* ---- gets, puts and reports at random ---- */

static void get(unsigned thing, unsigned name)
{
    (void)pagemap_set_holder(names[name]);
    if (thing == PAGEMAP) {
        REQUIRE_EQ(get_dev_pagemap(pfns[0], NULL), &device.pgmap);
    } else {
        REQUIRE_NE(pagemap_get_page(pfns[thing] + step_pages - 1), NULL);
    }
    add_share(&things[thing], name, 1);
}

static void put(unsigned thing, unsigned name, uint64_t references)
{
    (void)pagemap_set_holder(names[name]);
    for (uint64_t i = 0; i < references && thing == PAGEMAP; i++) {
        put_dev_pagemap(&device.pgmap);
        take_shares(&things[thing], name, 1);
    }
    if (thing != PAGEMAP) {
        put_page_many(pfn_to_page(pfns[thing]), references);
        take_shares(&things[thing], name, references);
    }
}

/* The first or last byte of a page, or one beside it. */
static uint64_t some_byte(struct prng *prng)
{
    uint64_t pfn = pfns[prng_below(prng, PAGES)] + prng_below(prng, 2) * step_pages;

    return PFN_PHYS(pfn) - prng_below(prng, 2);
}

static void live(struct prng *prng)
{
    unsigned thing = (unsigned)prng_below(prng, THINGS), name = 1 + (unsigned)prng_below(prng, NAMES - 1);
    uint64_t references = references_of(&things[thing]), start = some_byte(prng), end = some_byte(prng);

    if (references == 0 || prng_below(prng, 5) < 3) {
        get(thing, name);
    } else {
        put(thing, name, prng_between(prng, 1, references));
    }
    check_report(start < end ? start : end, start < end ? end : start);
    check_report(0, PHYSMEM_END);
}

static void put_all(void)
{
    for (unsigned i = 0; i < THINGS; i++) {
        put(i, 1, references_of(&things[i]));
    }
    check_report(0, PHYSMEM_END);
}

/* Six pages at the end of the lower range, and six at the beginning of the upper one. */
static void against_the_list(const struct range *its_ranges, unsigned nr, unsigned shift, unsigned stream)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct prng prng = prng_stream(test_seed(), stream);

    ranges = its_ranges;
    device = rig_many(MEMORY_DEVICE_FS_DAX, ranges, nr);
    device.pgmap.vmemmap_shift = shift;
    step_pages = UINT64_C(1) << shift;
    for (unsigned i = 0; i < PAGES; i++) {
        pfns[i] = PHYS_PFN(16 * RIG_MB) + i * step_pages - 6 * step_pages;
        pfns[i] += i >= 6 && nr > 1 ? PHYS_PFN(16 * RIG_MB) : 0;
    }
    REQUIRE_EQ(rig_map(&device.pgmap), 0);
    memset(things, 0, sizeof things);
    for (unsigned i = 0; i < 3; i++) { /* from before names were recorded */
        REQUIRE_NE(pagemap_get_page(pfns[5 + i]), NULL);
    }
    for (unsigned i = 0; i < 3; i++) {
        put_page(pfn_to_page(pfns[5 + i]));
    }
    pagemap_record_holders(true);
    for (unsigned i = 0; i < ROUNDS; i++) {
        live(&prng);
    }
    put_all();
    pagemap_record_holders(false);
    (void)pagemap_set_holder(NULL);
    CHECK_EQ(memunmap_pages(&device.pgmap), 0);
    rig_unplug(memory);
}

TEST_CASE(holders, reports_are_those_of_a_list)
{
    const struct range two[2] = {rig_range(0, 16 * RIG_MB), rig_range(32 * RIG_MB, 16 * RIG_MB)};
    const struct range turned[2] = {two[1], two[0]}, one[2] = {rig_range(0, 32 * RIG_MB), two[1]};

    warnings_count();
    against_the_list(one, 1, 0, 1);
    against_the_list(two, 2, 0, 2);
    against_the_list(turned, 2, 9, 3);
    CHECK_EQ(warnings_take(), 0);
}
