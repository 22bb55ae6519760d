// SPDX-License-Identifier: BSD-2-Clause
/* A driver's file and its views. */
#include <errno.h>
#include <sys/mman.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/stress/world.h"

void arm(struct driver *driver, uint64_t steps)
{
    unsigned step = (unsigned)prng_below(&driver->prng, steps);

    (void)pm_fault_arm(loaded(&is_cut_short) != 0 ? 0 : step);
}

/* Whether it went well; all that may go wrong is that something ran out. */
static bool went_well(struct driver *driver, long error)
{
    (void)pm_fault_arm(0);
    CHECK(error == 0 || error == -ENOMEM, "%ld", error);
    driver->failed_file_steps += error != 0;
    return error == 0;
}

static void map_view(struct driver *driver, unsigned number)
{
    void *view;

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
    }
}

/* Nobody can pin [first, first + nr_pages) through a view: only the driver makes pages present. */
static void check_absent(const struct driver *driver, uint64_t first, uint64_t nr_pages)
{
    struct page *page;

    for (unsigned v = 0; v < VIEWS; v++) {
        for (uint64_t i = first; i < first + nr_pages && driver->views[v] != 0; i++) {
            CHECK_EQ(get_user_pages((uintptr_t)driver->views[v] + i * PAGE_SIZE, 1, 0, &page), -EFAULT);
        }
    }
}

void change_views(struct driver *driver)
{
    uint64_t first = prng_below(&driver->prng, VIEW_PAGES);
    uint64_t nr_pages = prng_between(&driver->prng, 1, VIEW_PAGES - first);
    unsigned number = (unsigned)prng_below(&driver->prng, VIEWS);

    switch (prng_below(&driver->prng, 3)) {
    case 0:
        unmap_view(driver, number);
        map_view(driver, number);
        break;
    case 1:
        unmap_mapping_pages(&driver->file, first, nr_pages, false);
        check_absent(driver, first, nr_pages);
        break;
    default:
        arm(driver, 6);
        (void)went_well(driver, map_mapping_range(&driver->file, first * PAGE_SIZE, nr_pages * PAGE_SIZE));
    }
}

void fill_file(struct driver *driver, uint64_t base)
{
    uint64_t pfn = PHYS_PFN(base) + 128 + prng_below(&driver->prng, 200);

    for (uint64_t index = 0; index < VIEW_PAGES; index += VIEW_PAGES / 2) {
        arm(driver, 16);
        (void)went_well(driver, filemap_add_pages(&driver->file, index, pfn + index * 2, VIEW_PAGES / 2));
    }
}

void empty_file(struct driver *driver)
{
    CHECK_EQ(truncate_inode_pages(&driver->file, 0), 0);
    CHECK_EQ(mapping_nr_pages(&driver->file), 0);
    check_absent(driver, 0, VIEW_PAGES);
}
