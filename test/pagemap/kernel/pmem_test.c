// SPDX-License-Identifier: BSD-2-Clause
/*
 * drivers/nvdimm/pmem.c: a disk of persistent memory, whose struct pages may lie in it. Above it drivers/dax/super.c.
 */
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/mm.h>

#include "drivers/nvdimm/pmem.h"
#include "test/pagemap/kernel/nvdimm.h"
#include "test/pagemap/kernel/rig.h"

#define START (64 * RIG_GB)
#define BYTES (32 * RIG_MB)
#define METADATA (2 * RIG_MB)

static struct pagemap_memory *memory;
static struct device *dev;

static void set_up(uint64_t metadata)
{
    kernel_set_up();
    memory = rig_plug(START, BYTES);
    REQUIRE_EQ(pagemap_compat_load("dax"), 0);
    REQUIRE_EQ(pagemap_compat_load("nd_pmem"), 0);
    dev = nvdimm_add(START, BYTES, metadata);
    REQUIRE_NE(dev->driver, NULL, "the driver has taken it");
}

static void tear_down(void)
{
    nvdimm_remove(dev);
    CHECK(kernel_is_free(START, BYTES));
    CHECK_EQ(pagemap_compat_disk("pmem0"), NULL);
    CHECK_EQ(pagemap_compat_unload("nd_pmem"), 0);
    CHECK_EQ(pagemap_compat_unload("dax"), 0);
    rig_unplug(memory);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(warnings_take(), 0);
}

static struct pmem_device *pmem(void)
{
    return dev_get_drvdata(dev);
}

static void check_disk(uint64_t metadata)
{
    struct gendisk *disk = pagemap_compat_disk("pmem0");
    char written[3 * SECTOR_SIZE], seen[3 * SECTOR_SIZE];

    REQUIRE_NE(disk, NULL);
    CHECK_EQ(get_capacity(disk), (BYTES - metadata) / SECTOR_SIZE);
    memset(written, 0x5a, sizeof written);
    CHECK_EQ(pagemap_compat_disk_rw(disk, 8, written, sizeof written, true), 0);
    CHECK_EQ(pagemap_compat_disk_rw(disk, 8, seen, sizeof seen, false), 0);
    CHECK_EQ(memcmp(written, seen, sizeof seen), 0);
    CHECK_EQ(memcmp((char *)pmem()->virt_addr + metadata + 8 * SECTOR_SIZE, written, sizeof written), 0);
    CHECK_EQ(pagemap_compat_disk_rw(disk, get_capacity(disk), seen, SECTOR_SIZE, false), -EINVAL);
}

/* What a file system does that maps files in place. */
static void check_dax(uint64_t metadata)
{
    void *address;
    pfn_t pfn;
    int id = dax_read_lock();
    long pages = dax_direct_access(pmem()->dax_dev, 1, 4, DAX_ACCESS, &address, &pfn);

    dax_read_unlock(id);
    CHECK_EQ(pages, 4);
    CHECK_EQ(pfn_t_to_pfn(pfn), PHYS_PFN(START + metadata) + 1);
    CHECK(pfn_t_devmap(pfn));
    CHECK_EQ(virt_to_page(address), pfn_t_to_page(pfn));
    CHECK_EQ(page_pgmap(pfn_t_to_page(pfn)), &pmem()->pgmap);
    memset(address, 1, PAGE_SIZE);
    CHECK_EQ(dax_zero_page_range(pmem()->dax_dev, 1, 1), 0);
    CHECK_EQ(*(char *)address, 0);
}

static uint64_t told_offset, told_len;

static int notify_failure(struct dax_device *dax_dev, u64 offset, u64 len, int flags)
{
    (void)dax_dev, (void)flags;
    told_offset = offset;
    told_len = len;
    return 0;
}

static const struct dax_holder_operations holder_ops = {.notify_failure = notify_failure};

static void check_poison(uint64_t metadata)
{
    uint64_t pfn = PHYS_PFN(START + metadata) + 3;
    u64 offset;
    struct dax_device *found = fs_dax_get_by_bdev(pmem()->disk->part0, &offset, &told_len, &holder_ops);

    CHECK_EQ(found, pmem()->dax_dev);
    CHECK_EQ(offset, 0);
    CHECK_EQ(memory_failure(pfn, 0), 0);
    CHECK_EQ(told_offset, 3 * PAGE_SIZE, "by way of the driver's op and dax_holder_notify_failure()");
    CHECK_EQ(told_len, PAGE_SIZE);
    CHECK_EQ(pagemap_get_page(pfn), NULL);
    if (metadata > 0) {
        CHECK_EQ(memory_failure(PHYS_PFN(START), 0), -ENXIO, "the altmap");
    }
    CHECK_EQ(unpoison_memory(pfn), 0);
    fs_put_dax(found, &told_len);
}

TEST_CASE(pmem, raw)
{
    set_up(0);
    check_disk(0);
    check_dax(0);
    check_poison(0);
    tear_down();
}

TEST_CASE(pmem, struct_pages_in_the_device)
{
    set_up(METADATA);
    CHECK(!pgmap_pfn_valid(&pmem()->pgmap, PHYS_PFN(START + METADATA) - 1));
    CHECK(pgmap_pfn_valid(&pmem()->pgmap, PHYS_PFN(START + METADATA)));
    CHECK_GT(pmem()->pgmap.altmap.alloc, 0);
    check_disk(METADATA);
    check_dax(METADATA);
    check_poison(METADATA);
    tear_down();
}

TEST_CASE(pmem, bad_sectors_are_cleared_by_writing)
{
    char sector[SECTOR_SIZE] = {3};
    struct gendisk *disk;
    unsigned before = nvdimm_cleared();

    nvdimm_set_bad(16, 2);
    set_up(0);
    disk = pagemap_compat_disk("pmem0");
    CHECK_EQ(pagemap_compat_disk_rw(disk, 16, sector, sizeof sector, false), -EIO);
    CHECK_EQ(pagemap_compat_disk_rw(disk, 16, sector, sizeof sector, true), 0);
    CHECK_EQ(nvdimm_cleared(), before + 1);
    CHECK_EQ(pagemap_compat_disk_rw(disk, 16, sector, sizeof sector, false), 0);
    CHECK_EQ(sector[0], 3);
    CHECK_EQ(pagemap_compat_disk_rw(disk, 17, sector, sizeof sector, false), -EIO,
             "its neighbour is still bad");
    nvdimm_set_bad(0, 0);
    tear_down();
}

static int bind_again(void)
{
    int error = pagemap_compat_bind(dev, "nd_pmem");

    if (error == 0) {
        CHECK_EQ(pagemap_compat_unbind(dev), 0);
    }
    CHECK(kernel_is_free(START, BYTES), "half of an attach is left");
    CHECK_EQ(pagemap_compat_disk("pmem0"), NULL);
    return error;
}

/*
 * Up to the mapping: 6.1's pmem_attach_disk() does not undo all that comes after (it returns from between without
 * put_disk(), and pmem->dax_dev is not set where its error path uses it). The first nine steps of the library are
 * regions and the mapping.
 */
TEST_CASE(pmem, attach_fails_half_way)
{
    struct resource *taken;

    set_up(METADATA);
    REQUIRE_EQ(pagemap_compat_unbind(dev), 0);
    for (unsigned step = 1; step <= 9; step++) {
        (void)pm_fault_arm(step);
        CHECK_NE(bind_again(), 0, "step %u of the library", step);
        CHECK_EQ(pm_fault_arm(0), 0);
    }
    for (unsigned step = 1; step <= 4; step++) {
        (void)pagemap_compat_fail_after(step);
        CHECK_NE(bind_again(), 0, "step %u of the driver", step);
        CHECK_EQ(pagemap_compat_fail_after(0), 0);
    }
    (void)warnings_take(); /* a teardown that is refused a step says so, and is repeated */
    taken = request_mem_region(START + RIG_MB, PAGE_SIZE, "another's");
    REQUIRE_NE(taken, NULL);
    CHECK_EQ(pagemap_compat_bind(dev, "nd_pmem"), -EBUSY);
    release_mem_region(START + RIG_MB, PAGE_SIZE);
    CHECK_EQ(bind_again(), 0);
    CHECK_EQ(pagemap_compat_bind(dev, "nd_pmem"), 0);
    tear_down();
}

static void *read_and_write(void *number)
{
    struct gendisk *disk = pagemap_compat_disk("pmem0");
    char sector[SECTOR_SIZE];

    for (unsigned round = 0; round < 200; round++) {
        uint64_t at = (uintptr_t)number * 64 + round % 64;

        memset(sector, (int)(round + 1), sizeof sector);
        CHECK_EQ(pagemap_compat_disk_rw(disk, at, sector, sizeof sector, true), 0);
        memset(sector, 0, sizeof sector);
        CHECK_EQ(pagemap_compat_disk_rw(disk, at, sector, sizeof sector, false), 0);
        CHECK_EQ(sector[7], (char)(round + 1));
    }
    return NULL;
}

static void *unbind_thread(void *unused)
{
    (void)unused;
    CHECK_EQ(pagemap_compat_unbind(dev), 0);
    return NULL;
}

TEST_CASE(pmem, four_threads_and_a_pin)
{
    struct page *page;
    pthread_t thread;

    set_up(METADATA);
    kernel_run(read_and_write);
    page = pagemap_get_page(PHYS_PFN(START + METADATA));
    REQUIRE_NE(page, NULL);
    REQUIRE_EQ(pthread_create(&thread, NULL, unbind_thread, NULL), 0);
    rig_await_kill(PHYS_PFN(START + METADATA));
    CHECK_EQ(request_mem_region(START, PAGE_SIZE, "early"), NULL);
    put_page(page);
    (void)pthread_join(thread, NULL);
    CHECK(kernel_is_free(START, BYTES));
    CHECK_EQ(pagemap_compat_bind(dev, "nd_pmem"), 0, "bound again");
    check_disk(METADATA);
    tear_down();
}
