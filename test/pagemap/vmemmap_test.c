// SPDX-License-Identifier: BSD-2-Clause
/*
 * Struct pages that come and go: where they are and where not, in which blocks of the device, which marks go with them,
 * and what is left where the system refuses a step. By the functions themselves, in children that have no device yet.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <string.h>

#include "pagemap/altmap/altmap.h"
#include "pagemap/vmemmap/touched.h"
#include "pagemap/vmemmap/vmemmap.h"
#include "test/pagemap/anonymous.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/rig.h"
#include "test/pagemap/sanitized.h"
#include "test/pagemap/touch.h"

enum { SECTION = SECTION_SIZE / PAGE_SIZE, SUBSECTION = SUBSECTION_SIZE / PAGE_SIZE };

/* ---- reserving, once ---- */

enum { GROUP = 1 << PM_TOUCHED_SHIFT };

/* A bit for each group of pages, and no byte more; nothing where a step fails. */
static void reserve_marks(void)
{
    const uint64_t pfns = UINT64_C(1) << 33, bytes = pfns / GROUP / 8;
    uint64_t before = mapped_bytes();

    for (unsigned step = 1; step <= 2; step++) {
        (void)pm_fault_arm(step);
        CHECK_EQ(pm_touched_reserve(pfns), -ENOMEM, "step %u", step);
        CHECK_EQ(pm_fault_arm(0), 0);
        CHECK_EQ(pm_touched, NULL);
        CHECK_EQ(mapped_bytes(), before, "step %u", step);
    }
    CHECK_EQ(pm_touched_reserve(pfns), 0);
    CHECK_EQ(mapped_bytes(), before + bytes);
    CHECK_EQ(pm_touched_reserve(pfns), 0, "it is there");
    CHECK_EQ(mapped_bytes(), before + bytes);
    pm_touched_mark(pfns - 1);
    CHECK_EQ(pm_touched_next(0, pfns - 1), pfns - GROUP);
    CHECK_EQ(touch_read((char *)pm_touched + bytes - 1, NULL), 0);
    CHECK_EQ(touch_read((char *)pm_touched + bytes, NULL), SIGSEGV);
    CHECK_EQ(anonymous_wrongly, 0u);
}

static void reserve_pages(void)
{
    const uint64_t pfns = PHYS_PFN(PHYSMEM_END) + 1;
    uint64_t before = mapped_bytes(), after;

    for (unsigned step = 1; step <= 3; step++) {
        (void)pm_fault_arm(step);
        CHECK_EQ(pm_vmemmap_reserve(), -ENOMEM, "step %u", step);
        CHECK_EQ(pm_fault_arm(0), 0);
        CHECK_EQ(vmemmap, NULL);
    }
    CHECK_EQ(pm_vmemmap_reserve(), 0);
    after = mapped_bytes();
    CHECK_EQ(after - before, pfns * sizeof(struct page) + pfns / GROUP / 8);
    CHECK_EQ(pm_vmemmap_reserve(), 0, "it is there");
    CHECK_EQ(mapped_bytes(), after);
    CHECK_EQ(touch_read(vmemmap, NULL), SIGSEGV);
}

/* What was never marked is not written to: it may not be, here, but for the page of the one mark. */
static void clear_what_is_clear(void)
{
    const uint64_t pfns = UINT64_C(1) << 33, bytes = pfns / GROUP / 8;

    REQUIRE_EQ(pm_touched_reserve(pfns), 0);
    pm_touched_mark(5);
    REQUIRE_EQ(mprotect((char *)pm_touched + PAGE_SIZE, bytes - PAGE_SIZE, PROT_READ), 0);
    pm_touched_clear(0, pfns);
    CHECK_EQ(pm_touched_next(0, pfns - 1), UINT64_MAX);
}

TEST_CASE(vmemmap, reserved_once)
{
    touch_install();
    if (SANITIZED) {
        TEST_SKIP("the sanitizer maps memory itself");
    }
    (void)mapped_bytes();
    child_run(reserve_marks);
    child_run(reserve_pages);
    child_run(clear_what_is_clear);
}

/* ---- ordinary memory ---- */

static void prepare(void)
{
    touch_install();
    REQUIRE_EQ(pm_vmemmap_reserve(), 0);
}

/* Whether exactly those of the span are there, all zero if so. */
static void check_there(const struct pm_span *span, bool is_there)
{
    const uint64_t first = span->start_pfn, last = first + span->nr_pfns - 1;
    unsigned char byte = 1;

    CHECK_EQ(anonymous_wrongly, 0u);
    CHECK_EQ(touch_read(pfn_to_page(first), &byte), is_there ? 0 : SIGSEGV);
    CHECK_EQ(byte, is_there ? 0 : 1);
    CHECK_EQ(touch_read((char *)pfn_to_page(last + 1) - 1, NULL), is_there ? 0 : SIGSEGV);
    CHECK_EQ(touch_read(pfn_to_page(last + 1), NULL), SIGSEGV);
    CHECK_EQ(touch_read((char *)pfn_to_page(first) - 1, NULL), SIGSEGV);
}

/* Marks at both ends of the span, on both sides of each. */
static void mark_around(const struct pm_span *span)
{
    const uint64_t first = span->start_pfn, last = first + span->nr_pfns - 1;

    pm_touched_mark(first - 1);
    pm_touched_mark(first);
    pm_touched_mark(last);
    pm_touched_mark(last + 1);
}

static void check_marks(const struct pm_span *span, bool inside)
{
    const uint64_t first = span->start_pfn, last = first + span->nr_pfns - 1;

    CHECK(pm_is_touched(first - 1));
    CHECK_EQ(pm_is_touched(first), inside);
    CHECK_EQ(pm_is_touched(last), inside);
    CHECK(pm_is_touched(last + 1));
}

static void ordinary_memory(void)
{
    static const uint64_t sizes[] = {SUBSECTION, 3 * SUBSECTION, SECTION, SECTION + SUBSECTION};

    prepare();
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct pm_span span = {.start_pfn = 7 * SUBSECTION, .nr_pfns = sizes[i]};

        (void)pm_fault_arm(1);
        CHECK_EQ(pm_vmemmap_populate(&span), -ENOMEM);
        CHECK_EQ(pm_fault_arm(0), 0);
        check_there(&span, false);
        for (unsigned faults = 3; faults-- > 0;) {
            REQUIRE_EQ(pm_vmemmap_populate(&span), 0);
            check_there(&span, true);
            *(char *)pfn_to_page(span.start_pfn) = 9;
            mark_around(&span);
            if (faults == 2) {
                pm_fault_arm_from(1); /* no step can hide it: it is emptied */
            } else {
                (void)pm_fault_arm(faults);
            }
            CHECK(pm_vmemmap_depopulate(&span));
            (void)pm_fault_arm(0);
            check_marks(&span, false);
            check_there(&span, faults == 2);
        }
    }
}

static void that_cannot_be_emptied(void)
{
    const struct pm_span span = {.start_pfn = SECTION, .nr_pfns = SUBSECTION};

    prepare();
    REQUIRE_EQ(pm_vmemmap_populate(&span), 0);
    mark_around(&span);
    refuse(SYS_madvise, ENOMEM);
    pm_fault_arm_from(1);
    CHECK(!pm_vmemmap_depopulate(&span));
    check_marks(&span, true);
    check_there(&span, true);
}

TEST_CASE(vmemmap, of_ordinary_memory)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer has SIGSEGV and madvise()");
    }
    child_run(ordinary_memory);
    child_run(that_cannot_be_emptied);
}

/* ---- in the device ---- */

/* Sections where one fits, else subsections, each in a block of its own size. */
static void take_blocks(struct vmem_altmap *altmap, const struct pm_span *span)
{
    uint64_t pfn = span->start_pfn, end = pfn + span->nr_pfns;

    while (pfn < end) {
        bool fits = pfn % SECTION == 0 && pfn + SECTION <= end;
        uint64_t pfns = fits ? SECTION : SUBSECTION;

        REQUIRE_NE(pm_altmap_alloc(altmap, pfns * sizeof(struct page) / PAGE_SIZE), UINT64_MAX);
        pfn += pfns;
    }
}

/* A span in a memory which has so many pages in front of it. */
static void in_device(uint64_t start, uint64_t pfns, uint64_t in_front)
{
    const uint64_t bytes = (in_front + pfns) * PAGE_SIZE;
    struct pagemap_memory *memory = rig_plug(start * PAGE_SIZE, bytes);
    struct vmem_altmap altmap = {.base_pfn = start, .reserve = 3, .free = pfns / 32}, expected = altmap;
    const struct pm_span span = {start, pfns, &altmap, memory, in_front * PAGE_SIZE};

    take_blocks(&expected, &span);
    REQUIRE_EQ(pm_vmemmap_populate(&span), 0);
    CHECK_EQ(memcmp(&altmap, &expected, sizeof altmap), 0, "from %u, %u pages", (unsigned)start,
             (unsigned)pfns);
    CHECK_EQ(pagemap_memory_resident(memory), 0);
    check_there(&span, true);
    mark_around(&span);
    pm_fault_arm_from(1);
    CHECK(!pm_vmemmap_depopulate(&span), "what is in the device must not be touched any more");
    (void)pm_fault_arm(0);
    check_marks(&span, true);
    check_there(&span, true);
    CHECK_EQ(memcmp(&altmap, &expected, sizeof altmap), 0);
    CHECK(pm_vmemmap_depopulate(&span));
    check_marks(&span, false);
    check_there(&span, false);
    CHECK_EQ(altmap.alloc, 0);
    CHECK_EQ(altmap.align, expected.align);
    rig_unplug(memory);
}

static void in_devices(void)
{
    prepare();
    in_device(SECTION, SECTION, 0);
    in_device(SECTION, SECTION - SUBSECTION, 512);
    in_device(SECTION, SECTION + SUBSECTION, 512);
    in_device(SECTION + SUBSECTION, SECTION, 0);
    in_device(SECTION - SUBSECTION, 2 * SECTION, 512);
    in_device(SUBSECTION, SUBSECTION, 1024);
}

TEST_CASE(vmemmap, in_a_device)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer has SIGSEGV");
    }
    child_run(in_devices);
}

/* A step fails, or all from one on do: what was made before it is taken away, or it is said that it stays. */
static void made_in_part(void)
{
    struct pagemap_memory *memory = rig_plug(SECTION * PAGE_SIZE, 3 * SUBSECTION_SIZE);
    struct vmem_altmap altmap = {.base_pfn = SECTION, .free = 24};
    const struct pm_span span = {SECTION, 3 * SUBSECTION, &altmap, memory, 0};
    unsigned stayed = 0, to_go;
    uint64_t warned;

    prepare();
    warnings_count();
    for (unsigned step = 1;; step++) {
        (void)pm_fault_arm(step);
        if (pm_vmemmap_populate(&span) == 0) {
            break;
        }
        CHECK_EQ(pm_fault_arm(0), 0);
        check_there(&span, false);
        CHECK_EQ(warnings_take(), 0, "step %u", step);
        pm_fault_arm_from(step);
        CHECK_EQ(pm_vmemmap_populate(&span), -ENOMEM);
        to_go = pm_fault_arm(0);
        warned = warnings_take();
        CHECK_EQ(warned, touch_read(pfn_to_page(SECTION), NULL) == 0 ? 1 : 0, "step %u, %u", step, to_go);
        stayed += warned > 0;
        CHECK_EQ(altmap.alloc + altmap.align, 0);
    }
    CHECK_NE(pm_fault_arm(0), 0);
    CHECK_GE(stayed, 2u);
    CHECK(pm_vmemmap_depopulate(&span));
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

TEST_CASE(vmemmap, made_in_part)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer has SIGSEGV");
    }
    child_run(made_in_part);
}

/* Where a struct page is in the device: behind those in front of it, in the block of its piece. */
TEST_CASE(vmemmap, place_in_the_device)
{
    const uint64_t start = 4 * RIG_MB, bytes = 8 * RIG_MB, first = PHYS_PFN(start), free_pages = 60;
    struct pagemap_memory *memory = rig_plug(0, start + bytes);
    struct range range = rig_range(start, bytes), all = rig_range(0, start + bytes);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1),
                       plain = rig_pgmap(MEMORY_DEVICE_GENERIC, &all, 1);
    const uint64_t pfn = first + 3 * SUBSECTION + 77, block = 8 + 3 * 8; /* the fourth block */
    struct page *page, empty = {0};
    char *linear;

    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.base_pfn = first, .reserve = 2, .free = free_pages};
    REQUIRE_EQ(rig_map(&pgmap), 0);
    page = pagemap_get_page(pfn);
    REQUIRE_NE(page, NULL);
    put_page(page);
    CHECK_EQ(pagemap_memory_resident(memory), PAGE_SIZE);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    linear = memremap_pages(&plain, -1);
    REQUIRE(!IS_ERR(linear));
    linear += start + block * PAGE_SIZE + 77 * sizeof(struct page);
    CHECK_NE(memcmp(linear, &empty, sizeof empty), 0);
    memset(linear, 0, sizeof empty);
    for (uint64_t i = 0; i < PAGE_SIZE; i++) {
        CHECK_EQ(linear[(int64_t)i - (int64_t)(77 % 64 * sizeof empty)], 0, "byte %u", (unsigned)i);
    }
    CHECK_EQ(memunmap_pages(&plain), 0);
    rig_unplug(memory);
}
