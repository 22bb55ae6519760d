// SPDX-License-Identifier: BSD-2-Clause
/* A driver's file and its views. */
#include <errno.h>
#include <sys/mman.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/stress/hardware.h"
#include "test/pagemap/stress/world.h"

void arm(struct driver *driver, uint64_t steps)
{
    unsigned step = (unsigned)prng_below(&driver->prng, steps);

    (void)pm_fault_arm(loaded(&is_cut_short) != 0 ? 0 : step);
}

bool went_well(struct driver *driver, long error)
{
    (void)pm_fault_arm(0);
    CHECK(error == 0 || error == -ENOMEM, "%ld", error);
    driver->failed_file_steps += error != 0;
    return error == 0;
}

/* From now on [first, first + nr_pages) is revoked from the view, or not. */
static void mark_gone(struct driver *driver, unsigned number, uint64_t first, uint64_t nr_pages,
                      uint64_t is_gone)
{
    for (uint64_t i = first; i < first + nr_pages; i++) {
        store(&driver->gone[number][i], is_gone);
    }
}

static void mark_gone_everywhere(struct driver *driver, uint64_t first, uint64_t nr_pages, uint64_t is_gone)
{
    for (unsigned v = 0; v < VIEWS; v++) {
        mark_gone(driver, v, first, nr_pages, is_gone);
    }
}

static void map_view(struct driver *driver, unsigned number)
{
    void *view;

    mark_gone(driver, number, 0, VIEW_PAGES, 0);
    arm(driver, 12);
    view = vm_mmap(&driver->file, VIEW_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    if (went_well(driver, IS_ERR(view) ? PTR_ERR(view) : 0)) {
        (void)__atomic_exchange_n(&driver->views[number], (uint64_t)(uintptr_t)view, __ATOMIC_SEQ_CST);
    }
}

void unmap_view(struct driver *driver, unsigned number)
{
    uint64_t view = __atomic_exchange_n(&driver->views[number], 0, __ATOMIC_SEQ_CST);

    if (view != 0) {
        CHECK_EQ(vm_munmap((void *)(uintptr_t)view, VIEW_PAGES * PAGE_SIZE), 0);
        mark_gone(driver, number, 0, VIEW_PAGES, 1);
        hardware_check(driver);
    }
}

struct page *shown_page(const struct driver *driver, unsigned number, uint64_t index)
{
    struct page *page = NULL;

    if (driver->views[number] != 0) {
        long got =
            get_user_pages((uintptr_t)driver->views[number] + index * PAGE_SIZE, 1, FOLL_PCI_P2PDMA, &page);

        CHECK(got == 1 || got == -EFAULT, "%ld", got);
        page = got == 1 ? page : NULL;
    }
    if (page != NULL) {
        put_page(page);
    }
    return page;
}

/*
 * Nobody can pin [first, first + nr_pages) through a view: only the driver makes pages present. Nor has hardware any.
 */
static void check_absent(struct driver *driver, uint64_t first, uint64_t nr_pages)
{
    mark_gone_everywhere(driver, first, nr_pages, 1);
    hardware_check(driver);
    for (unsigned v = 0; v < VIEWS; v++) {
        for (uint64_t i = first; i < first + nr_pages; i++) {
            CHECK_EQ(shown_page(driver, v, i), NULL);
        }
    }
}

void change_views(struct driver *driver)
{
    uint64_t first = prng_below(&driver->prng, VIEW_PAGES);
    uint64_t nr_pages = prng_between(&driver->prng, 1, VIEW_PAGES - first);
    unsigned number = (unsigned)prng_below(&driver->prng, VIEWS);

    switch (prng_below(&driver->prng, 5)) {
    case 0:
        unmap_view(driver, number);
        map_view(driver, number);
        break;
    case 1:
        unmap_mapping_pages(&driver->file, first, nr_pages, false);
        check_absent(driver, first, nr_pages);
        break;
    case 2 ... 3:
        replace_pages(driver);
        break;
    default:
        mark_gone_everywhere(driver, first, nr_pages, 0);
        arm(driver, 6);
        (void)went_well(driver, map_mapping_range(&driver->file, first * PAGE_SIZE, nr_pages * PAGE_SIZE));
    }
}

/* Where they are, for those who find them there; or that they are nowhere. */
static void note_pages(struct driver *driver, uint64_t index, uint64_t pfn, uint64_t nr_pages, bool is_there)
{
    for (uint64_t i = 0; i < nr_pages; i++) {
        store(label_of(pfn_to_page(pfn + i)), is_there ? pfn + i : 0);
        driver->where[index + i] = is_there ? pfn + i : 0;
    }
}

void fill_file(struct driver *driver, uint64_t base)
{
    uint64_t pfn = PHYS_PFN(base) + FILE_PFNS + prng_below(&driver->prng, 200);
    const uint64_t half = VIEW_PAGES / 2;

    for (uint64_t index = 0; index < VIEW_PAGES; index += half) {
        note_pages(driver, index, pfn + index * 2, half, true);
        mark_gone_everywhere(driver, index, half, 0);
        arm(driver, 16);
        if (!went_well(driver, filemap_add_pages(&driver->file, index, pfn + index * 2, half))) {
            note_pages(driver, index, pfn + index * 2, half, false);
        }
    }
}

static void note_empty(struct driver *driver)
{
    for (uint64_t i = 0; i < VIEW_PAGES; i++) {
        if (driver->where[i] != 0) {
            note_pages(driver, i, driver->where[i], 1, false);
        }
    }
}

void empty_file(struct driver *driver)
{
    CHECK_EQ(truncate_inode_pages(&driver->file, 0), 0);
    CHECK_EQ(mapping_nr_pages(&driver->file), 0);
    note_empty(driver);
    check_absent(driver, 0, VIEW_PAGES);
}
