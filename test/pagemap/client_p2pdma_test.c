// SPDX-License-Identifier: BSD-2-Clause
/* Client sequence D: p2pdma. Chunks of a BAR come from a pool, and are shown to processes. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "test/pagemap/driver_rig.h"
#include "test/pagemap/faults.h"

/* D: p2pdma. Chunks of a BAR come from a pool; each holds a page. Bug 11: the error path freed what devres had. */
TEST_CASE(clients, d_bug11_p2pdma_failed_probe)
{
    struct pagemap_memory *memory = rig_plug(0, 4 * RIG_MB);
    struct range range = rig_range(0, 4 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    struct device dev;
    struct waiter removal;
    struct page *chunk[4];

    warnings_count();
    device_initialize(&dev, "0000:01:00.0");
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    devm_memunmap_pages(&dev, &pgmap); /* the pool could not be made: unmap, then free pgmap */
    memset(&pgmap, 0xaa, sizeof pgmap);
    CHECK_EQ(devres_release_all(&dev), 0, "devres does not point at it any more");
    CHECK(rig_finds(0, NULL));

    pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    rig_freed = 0;
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    for (unsigned i = 0; i < 4; i++) {
        chunk[i] = pagemap_get_page(i * 16);
        REQUIRE_NE(chunk[i], NULL);
        CHECK(is_pci_p2pdma_page(chunk[i]));
    }
    CHECK_EQ(pgmap_nr_references(&pgmap), 4);
    waiter_start(&removal, remove_driver, &dev);
    rig_await_kill(0);
    CHECK_EQ(pagemap_get_page(64), NULL, "no allocation after the kill");
    for (unsigned i = 0; i < 4; i++) {
        CHECK(!waiter_is_done_after(&removal, 500), "%u chunks are out", 4 - i);
        put_page(chunk[i]);
    }
    waiter_join(&removal);
    CHECK_EQ(rig_freed, 4);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

enum { BAR_PAGES = 32 };

/*
 * D, its mmap: chunks of the window are put into a file and shown to a process. A step that fails in the middle leaves
 * neither references (bug 34) nor counts (bug 35) behind, and the removal takes the view away before it waits.
 */
TEST_CASE(clients, d_p2pdma_mmap)
{
    struct pagemap_memory *memory = rig_plug(0, 4 * RIG_MB);
    struct range range = rig_range(0, 4 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    struct device dev;
    struct waiter removal;
    struct address_space file;
    struct page *pinned;
    unsigned failed = 0;
    char *view = NULL;

    warnings_count();
    touch_install();
    device_initialize(&dev, "0000:01:00.0");
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    REQUIRE_EQ(address_space_init(&file, "p2pmem", NULL), 0);
    REQUIRE_EQ(devm_add_action(&dev, revoke_views, &file), 0);
    for (unsigned step = 1; view == NULL; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = filemap_add_pages(&file, 0, 64, BAR_PAGES);
        if (error == 0) {
            view = vm_mmap(&file, BAR_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
        }
        if (pm_fault_arm(0) == 0) {
            failed += error != 0 || IS_ERR(view);
            if (error == 0 && !IS_ERR(view)) { /* the view only fell back to the overlay */
                CHECK_EQ(vm_munmap(view, BAR_PAGES * PAGE_SIZE), 0);
            }
            view = NULL;
            CHECK_EQ(truncate_inode_pages(&file, 0), 0);
        }
        CHECK_EQ(pgmap_nr_references(&pgmap), view == NULL ? 0 : BAR_PAGES);
        CHECK_EQ(page_count(pfn_to_page(64)), 0);
        REQUIRE_LT(step, 100u);
    }
    CHECK_GE(failed, 3u);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(touch_write(view + 5 * PAGE_SIZE, 42), 0);
    CHECK_EQ(pin_user_pages((uintptr_t)view + 5 * PAGE_SIZE, 1, FOLL_WRITE, &pinned), -EREMOTEIO);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view + 5 * PAGE_SIZE, 1, FOLL_WRITE | FOLL_PCI_P2PDMA, &pinned), 1);
    CHECK(is_pci_p2pdma_page(pinned));
    waiter_start(&removal, remove_driver, &dev);
    while (touch_read(view + 31 * PAGE_SIZE, NULL) == 0) {
        (void)sched_yield();
    }
    CHECK(!waiter_is_done_after(&removal, 3000), "a peer has a page");
    CHECK_EQ(touch_by_kernel(view + 5 * PAGE_SIZE), EFAULT);
    CHECK_EQ(*(char *)page_address(pinned), 42, "which it may use until it puts it");
    unpin_user_page(pinned);
    waiter_join(&removal);
    CHECK(rig_finds(64, NULL));
    CHECK_EQ(vm_munmap(view, BAR_PAGES * PAGE_SIZE), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

/* ---- a pool of chunks of several resources ---- */

enum { BARS = 2, CHUNKS = 4, CHUNK_PAGES = 16 };

struct bar {
    struct dev_pagemap pgmap;
    struct range range;
    uint64_t avail; /* a bit for each chunk */
};

static struct bar bars[BARS];

/* The chunk's only page that was grabbed stands for all of it. */
static void chunk_freed(struct page *page)
{
    struct bar *bar = (struct bar *)(void *)page_pgmap(page);
    uint64_t chunk = (page_to_pfn(page) - PHYS_PFN(bar->range.start)) / CHUNK_PAGES;

    (void)__atomic_fetch_or(&bar->avail, UINT64_C(1) << chunk, __ATOMIC_SEQ_CST);
}

static const struct dev_pagemap_ops pool_ops = {chunk_freed, NULL, NULL, NULL};

/* pci_p2pdma_add_resource(): a part of a BAR of `bar_bytes` at `base`, bytes 0: to its end. */
static int add_resource(struct device *dev, struct bar *bar, uint64_t base, uint64_t bar_bytes,
                        bool is_memory, uint64_t bytes, uint64_t offset)
{
    if (!is_memory || offset >= bar_bytes) {
        return -EINVAL;
    }
    bytes = bytes == 0 ? bar_bytes - offset : bytes;
    if (bytes > bar_bytes - offset) {
        return -EINVAL;
    }
    bar->range = rig_range(base + offset, bytes);
    bar->pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &bar->range, 1);
    bar->pgmap.ops = &pool_ops;
    bar->avail = (UINT64_C(1) << CHUNKS) - 1;
    return IS_ERR(devm_memremap_pages(dev, &bar->pgmap)) ? -ENOMEM : 0;
}

/* pci_alloc_p2pmem(): a chunk that cannot be had after all goes back. */
static struct page *alloc_chunk(struct bar *bar)
{
    uint64_t avail = __atomic_load_n(&bar->avail, __ATOMIC_SEQ_CST), bit = avail & -avail;
    uint64_t chunk = avail == 0 ? 0 : (uint64_t)__builtin_ctzll(avail);
    struct page *page;

    if (avail == 0) {
        return NULL;
    }
    (void)__atomic_fetch_and(&bar->avail, ~bit, __ATOMIC_SEQ_CST);
    page = pagemap_get_page(PHYS_PFN(bar->range.start) + chunk * CHUNK_PAGES);
    if (page == NULL) {
        (void)__atomic_fetch_or(&bar->avail, bit, __ATOMIC_SEQ_CST);
    }
    return page;
}

TEST_CASE(clients, d_p2pdma_two_resources)
{
    struct pagemap_memory *memory = rig_plug(0, 16 * RIG_MB);
    struct page *chunks[BARS][CHUNKS];
    struct waiter removal;
    struct device dev;

    warnings_count();
    device_initialize(&dev, "0000:01:00.0");
    CHECK_EQ(add_resource(&dev, &bars[0], 0, 4 * RIG_MB, false, 0, 0), -EINVAL, "ports are no memory");
    CHECK_EQ(add_resource(&dev, &bars[0], 0, 4 * RIG_MB, true, 0, 4 * RIG_MB), -EINVAL, "beyond its end");
    CHECK_EQ(add_resource(&dev, &bars[0], 0, 4 * RIG_MB, true, 4 * RIG_MB, 2 * RIG_MB), -EINVAL);
    REQUIRE_EQ(add_resource(&dev, &bars[0], 0, 4 * RIG_MB, true, 0, 2 * RIG_MB), 0);
    REQUIRE_EQ(add_resource(&dev, &bars[1], 8 * RIG_MB, 4 * RIG_MB, true, 2 * RIG_MB, 0), 0);
    for (unsigned b = 0; b < BARS; b++) {
        for (unsigned i = 0; i < CHUNKS; i++) {
            chunks[b][i] = alloc_chunk(&bars[b]);
            REQUIRE_NE(chunks[b][i], NULL);
        }
        CHECK_EQ(alloc_chunk(&bars[b]), NULL, "all are out");
        CHECK_EQ(pgmap_nr_references(&bars[b].pgmap), CHUNKS, "each resource has its own count");
    }
    put_page(chunks[0][2]);
    CHECK_EQ(bars[0].avail, 1u << 2);
    chunks[0][2] = NULL;
    waiter_start(&removal, remove_driver, &dev);
    rig_await_kill(PHYS_PFN(bars[1].range.start)); /* LIFO */
    put_page(chunks[1][0]);
    CHECK_EQ(alloc_chunk(&bars[1]), NULL, "no allocation after the kill");
    CHECK_EQ(bars[1].avail, 1, "and the pool has it back");
    for (unsigned i = 1; i < CHUNKS; i++) {
        CHECK(!waiter_is_done_after(&removal, 500));
        put_page(chunks[1][i]);
    }
    rig_await_kill(PHYS_PFN(bars[0].range.start));
    CHECK_EQ(alloc_chunk(&bars[0]), NULL);
    CHECK_EQ(bars[0].avail, 1u << 2);
    for (unsigned i = 0; i < CHUNKS; i++) {
        CHECK(!waiter_is_done_after(&removal, 500));
        if (chunks[0][i] != NULL) {
            put_page(chunks[0][i]);
        }
    }
    waiter_join(&removal);
    CHECK_EQ(bars[0].avail & bars[1].avail, (1u << CHUNKS) - 1);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}
