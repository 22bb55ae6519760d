// SPDX-License-Identifier: BSD-2-Clause
/* drivers/dax/kmem.c: device memory that becomes ordinary memory. */
#include "test/pagemap/kernel/dax.h"

#include <linux/gfp.h>
#include <linux/memory.h>

#define START (16 * RIG_GB)
#define BLOCK (128 * RIG_MB)

static struct dax_rig rig;

static void load(void)
{
    kernel_set_up();
    REQUIRE_EQ(pagemap_compat_load("dax"), 0);
    REQUIRE_EQ(pagemap_compat_load("kmem"), 0);
}

static void unload(void)
{
    CHECK_EQ(pagemap_compat_unload("kmem"), 0);
    CHECK_EQ(pagemap_compat_unload("dax"), 0);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(warnings_take(), 0);
}

/* As an administrator does: kmem takes only what it is told to. */
static void set_up(uint64_t start, uint64_t bytes, int node)
{
    dax_set_up(&rig, start, bytes, node, PMD_SIZE);
    REQUIRE_EQ(dax_create(&rig, bytes), 0);
    CHECK(!dax_is_bound(&rig));
}

static bool take(void)
{
    CHECK_EQ(pagemap_compat_store_driver("dax", "kmem", "new_id", "dax0.0"), 6);
    return dax_is_bound(&rig);
}

static void forget(void)
{
    CHECK_EQ(pagemap_compat_store_driver("dax", "kmem", "remove_id", "dax0.0"), 6);
}

TEST_CASE(kmem, memory_is_used_and_taken_away)
{
    struct page *pages[64];

    load();
    set_up(START - RIG_MB * 2, 2 * BLOCK + 4 * RIG_MB, 0);
    REQUIRE(take());
    CHECK_EQ(region_intersects(START, 2 * BLOCK, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE), REGION_INTERSECTS);
    CHECK_EQ(rig_try_map(START, START + 2 * RIG_MB - 1), -ENOMEM, "no device may lie there");
    CHECK_EQ(warnings_take(), 1);
    for (unsigned i = 0; i < 64; i++) {
        pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
        REQUIRE_NE(pages[i], NULL);
        CHECK(!is_zone_device_page(pages[i]));
        CHECK(page_to_phys(pages[i]) >= START && page_to_phys(pages[i]) < START + 2 * BLOCK);
        memset(page_address(pages[i]), (int)i, PAGE_SIZE);
    }
    CHECK_EQ(remove_memory(START, 2 * BLOCK), -EBUSY, "pages are in use");
    for (unsigned i = 0; i < 64; i++) {
        CHECK_EQ(*(char *)page_address(pages[i]), (char)i);
        __free_page(pages[i]);
    }
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    CHECK(kernel_is_free(START, 2 * BLOCK));
    CHECK_EQ(pagemap_compat_bind(&rig.dev->dev, "kmem"), 0, "and back");
    CHECK_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    forget();
    dax_tear_down(&rig);
    unload();
}

TEST_CASE(kmem, what_it_refuses)
{
    load();
    set_up(START, BLOCK, -1);
    CHECK(!take(), "no node");
    forget();
    dax_tear_down(&rig);
    set_up(START + RIG_MB * 2, BLOCK, 0);
    CHECK(!take(), "no whole block is left after alignment");
    forget();
    dax_tear_down(&rig);
    unload();
}

static int bind_again(void)
{
    int error = pagemap_compat_bind(&rig.dev->dev, "kmem");

    if (error == 0) {
        CHECK_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    }
    CHECK(kernel_is_free(START, BLOCK));
    return error;
}

TEST_CASE(kmem, probe_fails_half_way)
{
    load();
    set_up(START, BLOCK, 0);
    REQUIRE(take());
    CHECK_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    CHECK_GE(kernel_fail_each_step(false, bind_again), 2);
    CHECK_GE(kernel_fail_each_step(true, bind_again), 5);
    forget();
    dax_tear_down(&rig);
    unload();
}

static void *churn(void *number)
{
    struct page *pages[32];

    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 32; i++) {
            pages[i] = alloc_page(GFP_KERNEL);
            if (pages[i] != NULL) {
                *(uintptr_t *)page_address(pages[i]) = (uintptr_t)number;
            }
        }
        for (unsigned i = 0; i < 32; i++) {
            if (pages[i] != NULL) {
                CHECK_EQ(*(uintptr_t *)page_address(pages[i]), (uintptr_t)number);
                __free_page(pages[i]);
            }
        }
    }
    return NULL;
}

TEST_CASE(kmem, four_threads_use_it)
{
    load();
    set_up(START, BLOCK, 0);
    REQUIRE(take());
    kernel_run(churn);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(pagemap_compat_unbind(&rig.dev->dev), 0);
    CHECK(kernel_is_free(START, BLOCK), "counts are zero: it could go");
    forget();
    dax_tear_down(&rig);
    unload();
}
