// SPDX-License-Identifier: BSD-2-Clause
/* What pagemap takes of the process does not grow with the number of references, devices, files and views that were. */
#include <errno.h>
#include <malloc.h>

#include "pagemap/device.h"
#include "pagemap/mmu_notifier.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/sanitized.h"

struct taken {
    size_t heap_bytes, mapped_bytes;
};

static struct taken taken_now(void)
{
    struct taken taken = {.mapped_bytes = mapped_bytes()};

    REQUIRE_EQ(pagemap_barrier(), 0);
    taken.heap_bytes = mallinfo2().uordblks;
    return taken;
}

static void one_reference(void)
{
    struct percpu_ref ref;

    REQUIRE_EQ(percpu_ref_init(&ref, NULL, 0), 0);
    percpu_ref_kill(&ref);
    percpu_ref_exit(&ref);
}

static void one_device(void)
{
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    view = file_rig_view(&rig, 0, 64);
    view[PAGE_SIZE] = 1;
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 1, 0, &page), 1);
    unpin_user_page(page);
    unmap_mapping_pages(&rig.file, 3, 1, false);
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Pages that are refused, a run that is cut, and a page in place of another, of which clients are told. */
static void one_changed_file(void)
{
    static struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 16), 0);
    view = file_rig_view(&rig, 0, 16);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, 3, 2), -EBUSY);
    CHECK_EQ(filemap_add_pages(&rig.file, 3, 100, 2), -EEXIST);
    CHECK_EQ(filemap_replace_page(&rig.file, 5, pfn_to_page(5), pfn_to_page(50)), 0);
    CHECK_EQ(filemap_replace_page(&rig.file, 5, pfn_to_page(5), pfn_to_page(51)), -ESTALE);
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 8 * PAGE_SIZE, 9 * PAGE_SIZE - 1), 0);
    CHECK_EQ(page_index(pfn_to_page(9)), 9u);
    CHECK_EQ(vm_munmap(view, 16 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* ---- each call fails at some step, and is made again ---- */

struct life {
    struct pagemap_memory *memory;
    struct range range;
    struct dev_pagemap pgmap;
    struct percpu_ref ref;
    struct address_space file;
    struct mmu_interval_notifier notifier;
    struct resource *region;
    char *view;
};

static int create_memory(struct life *life)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = 4 * RIG_MB};

    return pagemap_memory_create(&options, &life->memory);
}

static int plug(struct life *life)
{
    return pagemap_memory_plug(life->memory, 0);
}

static int map(struct life *life)
{
    life->range = rig_range(0, 4 * RIG_MB);
    life->pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &life->range, 1);
    return rig_map(&life->pgmap);
}

static int init_reference(struct life *life)
{
    return percpu_ref_init(&life->ref, NULL, 0);
}

static int end_reference(struct life *life)
{
    percpu_ref_kill(&life->ref);
    percpu_ref_exit(&life->ref);
    return 0;
}

static int request_region(struct life *life)
{
    life->region = request_free_mem_region(&iomem_resource, 2 * RIG_MB, "growth");
    return IS_ERR(life->region) ? (int)PTR_ERR(life->region) : 0;
}

static int release_region(struct life *life)
{
    release_mem_region(life->region->start, resource_size(life->region));
    return 0;
}

static int init_file(struct life *life)
{
    return address_space_init(&life->file, "file", NULL);
}

static int add_pages(struct life *life)
{
    return filemap_add_pages(&life->file, 0, 0, 64);
}

static int make_view(struct life *life)
{
    life->view = vm_mmap(&life->file, 64 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    return IS_ERR(life->view) ? (int)PTR_ERR(life->view) : 0;
}

static bool invalidated(struct mmu_interval_notifier *notifier, const struct mmu_notifier_range *range,
                        unsigned long sequence)
{
    (void)range;
    mmu_interval_set_seq(notifier, sequence);
    return true;
}

static int insert_notifier(struct life *life)
{
    static const struct mmu_interval_notifier_ops ops = {.invalidate = invalidated};

    return mmu_interval_notifier_insert(&life->notifier, NULL, (uintptr_t)life->view, 64 * PAGE_SIZE, &ops);
}

static int remove_notifier(struct life *life)
{
    return mmu_interval_notifier_remove(&life->notifier);
}

static int pin(struct life *life)
{
    struct page *page;
    long pinned = pin_user_pages((uintptr_t)life->view, 1, 0, &page);

    if (pinned == 1) {
        unpin_user_page(page);
    }
    return pinned == 1 ? 0 : (int)pinned;
}

static int hide(struct life *life)
{
    unmap_mapping_pages(&life->file, 3, 1, false);
    return 0;
}

static int show(struct life *life)
{
    return map_mapping_range(&life->file, 0, 0);
}

static int end_view(struct life *life)
{
    return vm_munmap(life->view, 64 * PAGE_SIZE);
}

static int truncate_file(struct life *life)
{
    return truncate_inode_pages(&life->file, 0);
}

static int end_file(struct life *life)
{
    return address_space_destroy(&life->file);
}

static int unmap(struct life *life)
{
    return memunmap_pages(&life->pgmap);
}

static int unplug(struct life *life)
{
    return pagemap_memory_unplug(life->memory);
}

static int destroy_memory(struct life *life)
{
    return pagemap_memory_destroy(life->memory);
}

static int (*const calls[])(struct life *) = {
    create_memory,   plug,      map,           init_reference,  end_reference, request_region, release_region,
    init_file,       add_pages, make_view,     insert_notifier, pin,           hide,           show,
    remove_notifier, end_view,  truncate_file, end_file,        unmap,         unplug,         destroy_memory,
};

static void one_refused_life(void)
{
    static unsigned step;
    struct life life;

    memset(&life, 0, sizeof life);
    step = step % 10 + 1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int error;

        (void)pm_fault_arm(step);
        error = calls[i](&life);
        (void)pm_fault_arm(0);
        if (error != 0) {
            CHECK_EQ(calls[i](&life), 0, "call %zu, after it failed at step %u with %d", i, step, error);
        }
    }
    (void)warnings_take();
}

/* ---- */

/* So many lives leave nothing behind, but for a few bytes: what each tenth leaves would be seen. */
static void check_growth(const char *what, void (*live)(void), unsigned warm_up, unsigned lives)
{
    struct taken before, after;

    for (unsigned i = 0; i < warm_up; i++) {
        live();
    }
    before = taken_now();
    for (unsigned i = 0; i < lives; i++) {
        live();
    }
    after = taken_now();
    printf("%s: heap %zu to %zu, mapped %zu to %zu\n", what, before.heap_bytes, after.heap_bytes,
           before.mapped_bytes, after.mapped_bytes);
    CHECK_LE(after.heap_bytes, before.heap_bytes + 1024, "%s: heap", what);
    CHECK_LE(after.mapped_bytes, before.mapped_bytes + lives * 4, "%s: mapped", what);
}

static void references(void)
{
    check_growth("references", one_reference, 2000, 50000);
}

static void devices(void)
{
    check_growth("devices", one_device, 200, 1000);
}

static void changes(void)
{
    check_growth("changes", one_changed_file, 100, 300);
}

static void refusals(void)
{
    warnings_count();
    check_growth("refusals", one_refused_life, 200, 1000);
}

static void run(void (*body)(void))
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer keeps what was freed");
    }
    child_run(body);
}

TEST_CASE(growth, of_references)
{
    run(references);
}

TEST_CASE(growth, of_devices)
{
    run(devices);
}

TEST_CASE(growth, of_changes)
{
    run(changes);
}

TEST_CASE(growth, of_refusals)
{
    run(refusals);
}
