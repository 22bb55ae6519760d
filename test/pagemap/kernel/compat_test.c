// SPDX-License-Identifier: BSD-2-Clause
/* What stands behind the headers, where no driver of the tests looks closely: many small things, hence its length. */
#include <linux/badblocks.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/genalloc.h>
#include <linux/idr.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "test/pagemap/kernel/rig.h"

TEST_CASE(compat, numbers_in_text)
{
    unsigned long number = 0;
    bool flag = false;
    int small = 0;
    u8 byte = 0;

    CHECK_EQ(kstrtoul("0x10\n", 0, &number), 0);
    CHECK_EQ(number, 16);
    CHECK_EQ(kstrtoul("12 ", 10, &number), -EINVAL);
    CHECK_EQ(kstrtoul("-1", 10, &number), -EINVAL);
    CHECK_EQ(kstrtoint("-2147483648", 10, &small), 0);
    CHECK_EQ(small, INT_MIN);
    CHECK_EQ(kstrtou8("256", 10, &byte), -ERANGE);
    CHECK_EQ(kstrtobool("on", &flag), 0);
    CHECK(flag);
    CHECK_EQ(kstrtobool("maybe", &flag), -EINVAL);
    CHECK(sysfs_streq("dax0.0\n", "dax0.0"));
    CHECK_EQ(round_up(4097UL, PAGE_SIZE), 2 * PAGE_SIZE);
    CHECK_EQ(order_base_2(512), 9);
    CHECK_EQ(order_base_2(513), 10);
    CHECK(IS_ENABLED(CONFIG_ZONE_DEVICE) && !IS_ENABLED(CONFIG_NOTHING_OF_THE_KIND));
}

TEST_CASE(compat, xarray)
{
    DEFINE_XARRAY(xa);
    unsigned long index, seen = 0;
    void *entry;

    CHECK_EQ(xa_load(&xa, 1), NULL);
    CHECK_EQ(xa_store(&xa, 5, xa_mk_value(50), GFP_KERNEL), NULL);
    CHECK_EQ(xa_to_value(xa_store(&xa, 5, xa_mk_value(51), GFP_KERNEL)), 50);
    CHECK_EQ(xa_insert(&xa, 5, &xa, GFP_KERNEL), -EBUSY);
    CHECK_EQ(xa_insert(&xa, ~0UL, &xa, GFP_KERNEL), 0);
    CHECK_EQ(xa_err(xa_store_range(&xa, 8, 10, xa_mk_value(8), GFP_KERNEL)), 0);
    xa_for_each(&xa, index, entry)
    {
        seen++;
    }
    CHECK_EQ(seen, 5);
    xa_for_each_range(&xa, index, entry, 5, 9)
    {
        xa_erase(&xa, index);
    }
    index = 0;
    CHECK_EQ(xa_find(&xa, &index, ~0UL, XA_PRESENT), xa_mk_value(8));
    CHECK_EQ(index, 10);
    CHECK_EQ(xa_pointer_tag(xa_tag_pointer(&seen, 3)), 3);
    CHECK_EQ(xa_untag_pointer(xa_tag_pointer(&seen, 3)), &seen);
    CHECK(!xa_is_err(&seen) && !xa_is_err(NULL));
    xa_destroy(&xa);
    CHECK(xa_empty(&xa));
}

TEST_CASE(compat, ida_gives_the_lowest)
{
    DEFINE_IDA(ida);

    for (int i = 0; i < 2000; i++) {
        CHECK_EQ(ida_alloc(&ida, GFP_KERNEL), i);
    }
    ida_free(&ida, 700);
    CHECK_EQ(ida_alloc_max(&ida, 1999, GFP_KERNEL), 700);
    CHECK_EQ(ida_alloc_max(&ida, 1999, GFP_KERNEL), -ENOSPC);
    ida_destroy(&ida);
}

TEST_CASE(compat, pools_and_bad_blocks)
{
    struct gen_pool *pool = gen_pool_create(4, -1);
    struct device dev;
    struct badblocks bb;
    sector_t first;
    int count, owner;
    void *got;
    unsigned long a, b;

    REQUIRE_EQ(gen_pool_add_owner(pool, 0x10000, 0x99000, 64, -1, &owner), 0);
    a = gen_pool_alloc_owner(pool, 17, &got);
    CHECK_EQ(a, 0x10000);
    CHECK_EQ(got, &owner);
    b = gen_pool_alloc(pool, 32);
    CHECK_EQ(b, 0x10020);
    CHECK_EQ(gen_pool_alloc(pool, 1), 0);
    CHECK_EQ(gen_pool_virt_to_phys(pool, b), 0x99020);
    gen_pool_free(pool, a, 17);
    CHECK_EQ(gen_pool_avail(pool), 32);
    gen_pool_free(pool, b, 32);
    gen_pool_destroy(pool);

    (device_initialize)(&dev, "dev");
    REQUIRE_EQ(devm_init_badblocks(&dev, &bb), 0);
    CHECK_EQ(badblocks_set(&bb, 10, 5, 1), 0);
    CHECK_EQ(badblocks_set(&bb, 15, 5, 1), 0);
    CHECK_EQ(bb.count, 1, "joined");
    CHECK_EQ(badblocks_clear(&bb, 12, 2), 0);
    CHECK_EQ(bb.count, 2, "split");
    CHECK_EQ(badblocks_check(&bb, 12, 2, &first, &count), 0);
    CHECK_EQ(badblocks_check(&bb, 13, 4, &first, &count), 1);
    CHECK_EQ(first, 14);
    CHECK_EQ(count, 6);
    (void)devres_release_all(&dev);
}

static struct srcu_struct srcu;
static struct completion inside, may_leave;
static int left_section;

static int reader(void *unused)
{
    int index = srcu_read_lock(&srcu);

    (void)unused;
    complete(&inside);
    wait_for_completion(&may_leave);
    WRITE_ONCE(left_section, 1);
    srcu_read_unlock(&srcu, index);
    while (!kthread_should_stop()) {
        msleep(1);
    }
    return 7;
}

static void let_it_leave(struct work_struct *work)
{
    (void)work;
    complete(&may_leave);
}

TEST_CASE(compat, waiting)
{
    struct task_struct *thread;
    struct work_struct work;

    REQUIRE_EQ(init_srcu_struct(&srcu), 0);
    init_completion(&inside);
    init_completion(&may_leave);
    INIT_WORK(&work, let_it_leave);
    CHECK_EQ(wait_for_completion_timeout(&inside, 2), 0, "nobody completes it yet");
    thread = kthread_run(reader, NULL, "reader");
    REQUIRE(!IS_ERR(thread));
    wait_for_completion(&inside);
    CHECK(schedule_work(&work));
    synchronize_srcu(&srcu);
    CHECK_EQ(READ_ONCE(left_section), 1);
    (void)flush_work(&work);
    CHECK(!cancel_work_sync(&work));
    CHECK_EQ(kthread_stop(thread), 7);
    cleanup_srcu_struct(&srcu);
}

/* ---- a misc device that maps a page of ordinary memory and is told of changes ---- */

static struct page *only_page;
static unsigned invalidations;

static vm_fault_t misc_fault(struct vm_fault *vmf)
{
    if (vmf->pgoff != 0) {
        return VM_FAULT_SIGBUS;
    }
    get_page(only_page);
    vmf->page = only_page;
    return 0;
}

static const struct vm_operations_struct misc_vm_ops = {.fault = misc_fault};

static int misc_mmap(struct file *file, struct vm_area_struct *vma)
{
    (void)file;
    vma->vm_ops = &misc_vm_ops;
    return 0;
}

static int count_invalidation(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
    (void)notifier, (void)range;
    invalidations++;
    return 0;
}

static const struct file_operations misc_fops = {.mmap = misc_mmap};
static const struct mmu_notifier_ops notifier_ops = {.invalidate_range_start = count_invalidation};

TEST_CASE(compat, misc_device_with_a_page)
{
    struct miscdevice misc = {.minor = MISC_DYNAMIC_MINOR, .name = "one_page", .fops = &misc_fops};
    struct mmu_notifier notifier = {.ops = &notifier_ops};
    struct file *file;
    char *view;

    kernel_set_up();
    only_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
    REQUIRE_NE(only_page, NULL);
    REQUIRE_EQ(misc_register(&misc), 0);
    REQUIRE_EQ(mmu_notifier_register(&notifier, current->mm), 0);
    file = pagemap_compat_open(misc.this_device->devt);
    REQUIRE(!IS_ERR(file));
    view = pagemap_compat_mmap(file, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(copy_to_user(view, "x", 1), 0);
    CHECK_EQ(*(char *)page_address(only_page), 'x');
    CHECK_EQ(page_count(only_page), 2);
    CHECK_EQ(copy_to_user(view + PAGE_SIZE, "x", 1), 1, "SIGBUS to a program");
    unmap_mapping_range(file->f_mapping, 0, 0, 1);
    CHECK_EQ(invalidations, 1);
    CHECK_EQ(page_count(only_page), 1, "the page table's reference went");
    CHECK_EQ(pagemap_compat_fault(view, false), 0, "and can be had again");
    CHECK_EQ(pagemap_compat_munmap(view, 2 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    mmu_notifier_unregister(&notifier, current->mm);
    misc_deregister(&misc);
    CHECK_EQ(page_count(only_page), 1);
    __free_page(only_page);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(compat, what_is_present_is_not_written_against_the_area)
{
    char ours = 'o', copy[2] = "";
    char *view;

    kernel_set_up();
    view = pagemap_compat_mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(pagemap_compat_fault(view, true), -EFAULT);
    CHECK_EQ(pagemap_compat_fault(view, false), 0);
    CHECK_EQ(view[0], 0, "it is present");
    CHECK_EQ(pagemap_compat_fault(view, false), 0);
    CHECK_EQ(pagemap_compat_fault(view, true), -EFAULT);
    CHECK_EQ(copy_to_user(view, &ours, 1), 1);
    CHECK_EQ(clear_user(view, 2), 2);
    CHECK_EQ(copy_from_user(copy, view + PAGE_SIZE - 1, 2), 0);

    CHECK_EQ(pagemap_compat_fault(&ours, false), -EFAULT, "no area has it");
    CHECK_EQ(copy_to_user(copy, &ours, 1), 0);
    CHECK_EQ(copy[0], 'o');
    CHECK_EQ(pagemap_compat_munmap(view, 2 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(warnings_take(), 0);
}

static unsigned came_back;

static void back_to_the_pool(struct page *page)
{
    (void)page;
    came_back++;
}

/* Shows a page of a pool as p2pdma does since 6.2, in an area of its own; `keeps_one`: its reference. */
static void show_page_of_pool(struct dev_pagemap *pgmap, bool keeps_one)
{
    struct page *page = pfn_to_page(PHYS_PFN(pgmap->range.start) + 7);
    char *view = pagemap_compat_mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

    REQUIRE(!IS_ERR(view));
    came_back = 0;
    set_page_count(page, 1);
    CHECK_EQ(vm_insert_page(vma_lookup(&init_mm, (unsigned long)view), (unsigned long)view, page), 0);
    if (!keeps_one) {
        put_page(page);
    }
    view[0] = 5;
    CHECK_EQ(*(char *)page_address(page), 5, "it is mapped");
    CHECK_EQ(came_back, keeps_one ? 0 : 1);
    CHECK_EQ(pgmap_nr_references(pgmap), keeps_one ? 2 : 1, "the file's, and the page's");
    CHECK_EQ(pagemap_compat_munmap(view, PAGE_SIZE), 0);
    if (keeps_one) {
        CHECK_EQ(came_back, 0);
        put_page(page);
    }
    CHECK_EQ(came_back, 1);
    CHECK_EQ(pgmap_nr_references(pgmap), 0);
}

/* A difference: an insertion keeps the device, and not the page. */
TEST_CASE(compat, a_page_of_a_pool_is_held_by_its_driver)
{
    static const struct dev_pagemap_ops ops = {.page_free = back_to_the_pool};
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);

    warnings_count();
    pgmap.ops = &ops;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    show_page_of_pool(&pgmap, false);
    show_page_of_pool(&pgmap, true);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(compat, registers_are_mapped_without_pages)
{
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_MB);
    u32 *registers = ioremap(RIG_GB + 64, 128);

    REQUIRE_NE(registers, NULL);
    writel(0x1234, registers);
    CHECK_EQ(readl(registers), 0x1234);
    CHECK_EQ(ioremap(3 * RIG_GB, 64), NULL, "nothing is there");
    iounmap(registers);
    CHECK(rig_finds(PHYS_PFN(RIG_GB), NULL));
    rig_unplug(memory);
}

/* Pages of newer kernels' form: the folio is told, and order and pagemap are arguments. */
static unsigned folios_freed;

static void folio_free(struct folio *folio)
{
    CHECK_EQ(folio_order(folio), 9);
    CHECK_EQ(folio_nr_pages(folio), 512);
    CHECK_EQ(folio->pgmap, page_pgmap(&folio->page));
    folios_freed++;
}

TEST_CASE(compat, later_forms)
{
    static const struct dev_pagemap_ops ops = {.folio_free = folio_free};
    struct pagemap_memory *memory = rig_plug(RIG_GB, 4 * RIG_MB);
    struct dev_pagemap pgmap = {.type = MEMORY_DEVICE_COHERENT,
                                .ops = &ops,
                                .owner = &folios_freed,
                                .nr_range = 1,
                                .vmemmap_shift = 9,
                                .range = {.start = RIG_GB, .end = RIG_GB + 4 * RIG_MB - 1}};
    struct page *page = pfn_to_page(PHYS_PFN(RIG_GB) + 512);
    struct dev_pagemap *found;

    REQUIRE(!IS_ERR(memremap_pages(&pgmap, NUMA_NO_NODE)));
    found = get_dev_pagemap(page_to_pfn(page));
    CHECK_EQ(found, &pgmap);
    put_dev_pagemap(found);
    CHECK_EQ(zone_device_page_init(page, &pgmap, 0), -EINVAL, "its pages are of order 9");
    CHECK_EQ(zone_device_page_init(page + 1, &pgmap, 9), -EINVAL, "not the first");
    CHECK_EQ(zone_device_page_init(page, NULL, 9), -EINVAL, "of nobody");
    CHECK_EQ(zone_device_page_init(page + 1024, &pgmap, 9), -EINVAL, "beyond its last");
    CHECK_EQ(zone_device_page_init(page, &pgmap, 9), 0);
    unlock_page(page);
    CHECK_EQ(folio_ref_count(page_folio(page + 7)), 1);
    folio_put(page_folio(page + 7));
    CHECK_EQ(folios_freed, 1);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

/* ---- of 6.6: huge_fault() with an order; of 6.1 and later: who owns a device's node ---- */

static unsigned orders[2], nr_orders;

static vm_fault_t huge_fault(struct vm_fault *vmf, unsigned int order)
{
    (void)vmf;
    orders[nr_orders++ % 2] = order;
    return VM_FAULT_FALLBACK;
}

static int huge_mmap(struct file *file, struct vm_area_struct *vma)
{
    static const struct vm_operations_struct huge_vm_ops = {.fault = misc_fault, .huge_fault = huge_fault};

    (void)file;
    vma->vm_ops = &huge_vm_ops;
    return 0;
}

static char *no_node(struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid)
{
    (void)dev, (void)mode;
    *uid = GLOBAL_ROOT_UID;
    *gid = GLOBAL_ROOT_GID;
    return NULL;
}

static const struct device_type node_type = {.name = "node", .devnode = no_node};

TEST_CASE(compat, huge_faults_are_told_their_order)
{
    static const struct file_operations fops = {.mmap = huge_mmap};
    struct miscdevice misc = {.minor = MISC_DYNAMIC_MINOR, .name = "huge", .fops = &fops};
    struct file *file;
    void *view;

    kernel_set_up();
    CHECK_NE(node_type.devnode, NULL);
    only_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
    REQUIRE_NE(only_page, NULL);
    REQUIRE_EQ(misc_register(&misc), 0);
    file = pagemap_compat_open(misc.this_device->devt);
    REQUIRE(!IS_ERR(file));
    view = pagemap_compat_mmap(file, PUD_SIZE, PROT_READ, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(pagemap_compat_fault(view, false), 0);
    CHECK_EQ(nr_orders, 2);
    CHECK_EQ(orders[0], 18);
    CHECK_EQ(orders[1], 9);
    CHECK_EQ(pagemap_compat_munmap(view, PUD_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    misc_deregister(&misc);
    __free_page(only_page);
    CHECK_EQ(warnings_take(), 0);
}

static struct dev_pagemap generic = {
    .type = MEMORY_DEVICE_GENERIC, .nr_range = 1, .range = {.start = RIG_GB, .end = RIG_GB + 4 * RIG_MB - 1}};

static void *unmap_generic(void *unused)
{
    (void)unused;
    memunmap_pages(&generic);
    return NULL;
}

/* vfio's put_pfn() lets go of a page only if pfn_valid(). */
TEST_CASE(compat, holders_find_pages_of_a_dying_device)
{
    struct pagemap_memory *memory = rig_plug(RIG_GB, 4 * RIG_MB);
    unsigned long pfn = PHYS_PFN(RIG_GB) + 9;
    char *start = memremap_pages(&generic, NUMA_NO_NODE);
    pthread_t thread;

    REQUIRE(!IS_ERR(start));
    REQUIRE_NE(pagemap_get_page(pfn), NULL);
    REQUIRE_EQ(pthread_create(&thread, NULL, unmap_generic, NULL), 0);
    rig_await_kill(pfn);
    for (unsigned i = 0; i < 10; i++) {
        CHECK_EQ(virt_to_page(start + 9 * PAGE_SIZE + 5), pfn_to_page(pfn));
        CHECK_EQ(phys_to_virt(PFN_PHYS(pfn) + 5), start + 9 * PAGE_SIZE + 5);
        CHECK(virt_addr_valid(start + 9 * PAGE_SIZE));
        CHECK(pfn_valid(pfn));
        msleep(1);
    }
    put_page(pfn_to_page(pfn));
    (void)pthread_join(thread, NULL);
    CHECK(!pfn_valid(pfn));
    CHECK(!virt_addr_valid(start + 9 * PAGE_SIZE));
    CHECK_EQ(phys_to_virt(PFN_PHYS(pfn)), NULL);
    rig_unplug(memory);
}
