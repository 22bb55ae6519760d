// SPDX-License-Identifier: BSD-2-Clause
/*
 * drivers/dax: bus.c, super.c and device.c. A character device whose mappings are faulted in, page by page or in huge
 * ones.
 */
#include "test/pagemap/kernel/dax.h"

#define START (16 * RIG_GB)
#define BYTES (64 * RIG_MB)
#define DEVICE_BYTES (8 * RIG_MB)

static struct dax_rig rig;

static void load(void)
{
    kernel_set_up();
    REQUIRE_EQ(pagemap_compat_load("dax"), 0);
    REQUIRE_EQ(pagemap_compat_load("device_dax"), 0);
    REQUIRE_EQ(pagemap_compat_catch_faults(), 0);
}

static void unload(void)
{
    CHECK_EQ(pagemap_compat_unload("device_dax"), 0);
    CHECK_EQ(pagemap_compat_unload("dax"), 0);
    CHECK(kernel_is_free(START, BYTES));
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(warnings_take(), 0);
}

static void set_up(unsigned align)
{
    dax_set_up(&rig, START, BYTES, 0, align);
    REQUIRE_EQ(dax_create(&rig, DEVICE_BYTES), 0);
    REQUIRE(dax_is_bound(&rig), "device-dax takes what no other driver wants");
}

/* Touches the device through a mapping of it; pages come in as they are touched. */
static void check_mapping(unsigned align)
{
    struct file *file = pagemap_compat_open(rig.dev->dev.devt);
    char *view, *linear;

    REQUIRE(!IS_ERR(file));
    CHECK_EQ(PTR_ERR(pagemap_compat_mmap(file, DEVICE_BYTES, PROT_READ, MAP_PRIVATE, 0)), -EINVAL, "private");
    CHECK_EQ(warnings_take(), 0);
    view = pagemap_compat_mmap(file, DEVICE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(view));
    linear = page_address(pfn_to_page(PHYS_PFN(START)));
    CHECK_EQ(mapping_nr_pages(file->f_mapping), 0);
    view[5] = 1;
    CHECK_EQ(mapping_nr_pages(file->f_mapping), align / PAGE_SIZE, "one fault");
    view[DEVICE_BYTES - 1] = 2;
    CHECK_EQ(mapping_nr_pages(file->f_mapping), 2 * align / PAGE_SIZE);
    CHECK_EQ(linear[5], 1);
    CHECK_EQ(linear[DEVICE_BYTES - 1], 2);
    CHECK_EQ(pfn_to_page(PHYS_PFN(START))->mapping, file->f_mapping, "as dax_set_mapping() wrote it");
    CHECK_EQ(pgmap_nr_references(rig.dev->pgmap), 2 * align / PAGE_SIZE,
             "pages in the file, and nobody else");
    CHECK_EQ(pagemap_compat_munmap(view, DEVICE_BYTES), 0);
    CHECK_EQ(pgmap_nr_references(rig.dev->pgmap), 0, "page tables are gone");
    CHECK_EQ(pagemap_compat_close(file), 0);
}

TEST_CASE(dax, mapped_page_by_page)
{
    load();
    set_up(PAGE_SIZE);
    check_mapping(PAGE_SIZE);
    dax_tear_down(&rig);
    unload();
}

TEST_CASE(dax, mapped_in_huge_pages)
{
    load();
    set_up(PMD_SIZE);
    CHECK_EQ(rig.dev->pgmap->vmemmap_shift, 9);
    check_mapping(PMD_SIZE);
    dax_tear_down(&rig);
    unload();
}

/* A second device of two ranges, around a hole that was freed: struct_size() of ranges[] in the driver. */
TEST_CASE(dax, several_ranges_in_one_device)
{
    struct dev_dax *first, *second;
    struct device *dev;

    load();
    dax_set_up(&rig, START, BYTES, 0, PMD_SIZE);
    REQUIRE_EQ(dax_create(&rig, 8 * RIG_MB), 0);
    first = rig.dev;
    CHECK_EQ(pagemap_compat_store(&rig.parent->dev, "dax_region/create", "1"), 1);
    dev = pagemap_compat_find_device("dax0.1");
    REQUIRE_NE(dev, NULL);
    second = to_dev_dax(dev);
    put_device(dev);
    CHECK_EQ(pagemap_compat_store(dev, "size", "8388608"), 7);
    REQUIRE_EQ(pagemap_compat_bind(dev, "device_dax"), 0);
    REQUIRE_EQ(pagemap_compat_unbind(&first->dev), 0);
    CHECK(rig_finds(PHYS_PFN(START), NULL));
    CHECK(rig_finds(PHYS_PFN(START + 8 * RIG_MB), second->pgmap));
    CHECK_EQ(pagemap_compat_store(&first->dev, "size", "25165824"), 8);
    CHECK_EQ(first->nr_range, 2, "grown beyond its neighbour");
    REQUIRE_EQ(pagemap_compat_bind(&first->dev, "device_dax"), 0);
    CHECK_EQ(first->pgmap->nr_range, 2);
    CHECK(rig_finds(PHYS_PFN(START), first->pgmap));
    CHECK(rig_finds(PHYS_PFN(START + 16 * RIG_MB), first->pgmap));
    CHECK(rig_finds(PHYS_PFN(START + 32 * RIG_MB), NULL));
    CHECK_EQ(virt_to_page(page_address(pfn_to_page(PHYS_PFN(START + 20 * RIG_MB)))),
             pfn_to_page(PHYS_PFN(START + 20 * RIG_MB)));
    dax_tear_down(&rig);
    unload();
}

/*
 * 6.1's dev_dax_probe() may leave dev_dax->pgmap set when it fails, and refuse the device ever after: each step has a
 * new one. 0 or the error of the probe whose step number `step` failed; *left: how many steps were to go.
 */
static int probe_failing_at(unsigned step, bool of_library, unsigned *left)
{
    int error;

    set_up(PAGE_SIZE);
    REQUIRE_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    (void)(of_library ? pm_fault_arm(step) : pagemap_compat_fail_after(step));
    error = pagemap_compat_bind(&rig.dev->dev, "device_dax");
    *left = of_library ? pm_fault_arm(0) : pagemap_compat_fail_after(0);
    CHECK_EQ(rig_finds(PHYS_PFN(START), NULL), error != 0, "half of a probe is left");
    if (error != 0) {
        CHECK(kernel_is_free(START, BYTES));
    }
    dax_tear_down(&rig);
    return error;
}

static unsigned count_failures(bool of_library)
{
    unsigned left = 0, step = 0;

    while (left == 0 && step < 1000) {
        int error = probe_failing_at(++step, of_library, &left);

        CHECK_EQ(error != 0, left == 0, "step %u", step);
    }
    (void)warnings_take(); /* a teardown that is refused a step says so, and is repeated */
    return step - 1;
}

TEST_CASE(dax, probe_fails_half_way)
{
    struct resource *taken;

    load();
    CHECK_EQ(count_failures(false), 1);
    CHECK_GE(count_failures(true), 8);
    set_up(PAGE_SIZE);
    REQUIRE_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    taken = request_mem_region(START + RIG_MB, PAGE_SIZE, "another's");
    REQUIRE_NE(taken, NULL);
    CHECK_EQ(pagemap_compat_bind(&rig.dev->dev, "device_dax"), -EBUSY);
    release_mem_region(START + RIG_MB, PAGE_SIZE);
    dax_tear_down(&rig);
    unload();
}

static char *shared;

/*
 * Each thread has pages of its own: 6.1's dax_set_mapping() itself races where two threads fault on one page, and
 * ThreadSanitizer takes the mmap(2) that brings a page in for a write.
 */
static void *touch_all(void *number)
{
    for (uint64_t at = (uintptr_t)number * PAGE_SIZE; at < DEVICE_BYTES; at += KERNEL_THREADS * PAGE_SIZE) {
        if (at < DEVICE_BYTES / 2) {
            CHECK_EQ(pagemap_compat_fault(shared + at, true), 0);
        }
        shared[at] = 1;
    }
    return NULL;
}

TEST_CASE(dax, four_threads_fault)
{
    struct file *file;

    load();
    set_up(PAGE_SIZE);
    file = pagemap_compat_open(rig.dev->dev.devt);
    REQUIRE(!IS_ERR(file));
    shared = pagemap_compat_mmap(file, DEVICE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(shared));
    kernel_run(touch_all);
    CHECK_EQ(pgmap_nr_references(rig.dev->pgmap), DEVICE_BYTES / PAGE_SIZE);
    CHECK_EQ(pagemap_compat_munmap(shared, DEVICE_BYTES), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    dax_tear_down(&rig);
    unload();
}

static void *unbind_thread(void *unused)
{
    (void)unused;
    CHECK_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    return NULL;
}

/* Unbinding takes the pages away from a mapping that stays, and waits for who pinned one. */
TEST_CASE(dax, unbound_while_mapped_and_pinned)
{
    struct page *pinned[2];
    pthread_t thread;
    struct file *file;
    char *view;

    load();
    set_up(PAGE_SIZE);
    for (unsigned round = 0; round < 3; round++) {
        file = pagemap_compat_open(rig.dev->dev.devt);
        REQUIRE(!IS_ERR(file));
        view = pagemap_compat_mmap(file, DEVICE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
        REQUIRE(!IS_ERR(view));
        REQUIRE_EQ(pin_user_pages((unsigned long)view, 2, FOLL_WRITE | FOLL_LONGTERM, pinned, NULL), 2,
                   "faults them in");
        CHECK_EQ(page_to_pfn(pinned[1]), PHYS_PFN(START) + 1);
        REQUIRE_EQ(pthread_create(&thread, NULL, unbind_thread, NULL), 0);
        rig_await_kill(PHYS_PFN(START));
        CHECK_EQ(pagemap_compat_fault(view, false), -EFAULT, "the driver is going: its fault refuses");
        CHECK_EQ(request_mem_region(START, PAGE_SIZE, "early"), NULL,
                 "the region is released after the mapping");
        unpin_user_pages(pinned, 2);
        (void)pthread_join(thread, NULL);
        CHECK(kernel_is_free(START, BYTES));
        CHECK_EQ(pagemap_compat_fault(view + PAGE_SIZE, true), -EFAULT);
        CHECK_EQ(pagemap_compat_munmap(view, DEVICE_BYTES), 0);
        CHECK_EQ(pagemap_compat_close(file), 0);
        REQUIRE_EQ(pagemap_compat_bind(&rig.dev->dev, "device_dax"), 0, "bound again");
    }
    dax_tear_down(&rig);
    unload();
}

static int region_again(void)
{
    int error;

    dax_set_up(&rig, START, BYTES, 0, PAGE_SIZE);
    error = dax_create(&rig, DEVICE_BYTES);
    dax_tear_down(&rig);
    CHECK(kernel_is_free(START, BYTES));
    return error;
}

/* Regions come and go, without a driver too. */
TEST_CASE(dax, regions_come_and_go)
{
    kernel_set_up();
    REQUIRE_EQ(pagemap_compat_load("dax"), 0);
    for (unsigned round = 0; round < 20; round++) {
        CHECK_EQ(region_again(), 0);
    }
    CHECK_EQ(pagemap_compat_unload("dax"), 0);
    CHECK_EQ(warnings_take(), 0);
}
