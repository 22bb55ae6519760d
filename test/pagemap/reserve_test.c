// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changes of a file set memory aside for their updates of the library's maps before they make them, so that none fails
 * in the middle. Linked so that both come by here (BUILD): each sets aside what it says, and makes no more updates.
 */
#include "rangemap/rangemap.h"
#include "test/pagemap/file_rig.h"

enum { RESERVES = 64, VIEWS = 4, MAPS = 3, PAGES = 8 };

static unsigned reserved[RESERVES], reserves; /* how much was asked for, each time */
static unsigned left, made, unreserved; /* updates that cannot fail; all; those that might have failed */

__typeof__(rangemap_reserve) real_reserve __asm__("__real_rangemap_reserve");
__typeof__(rangemap_insert) real_insert __asm__("__real_rangemap_insert");
__typeof__(rangemap_store) real_store __asm__("__real_rangemap_store");
__typeof__(rangemap_carve) real_carve __asm__("__real_rangemap_carve");

__typeof__(rangemap_reserve) wrapped_reserve __asm__("__wrap_rangemap_reserve");
__typeof__(rangemap_insert) wrapped_insert __asm__("__wrap_rangemap_insert");
__typeof__(rangemap_store) wrapped_store __asm__("__wrap_rangemap_store");
__typeof__(rangemap_carve) wrapped_carve __asm__("__wrap_rangemap_carve");

int wrapped_reserve(struct rangemap *map, unsigned updates)
{
    reserved[reserves++ % RESERVES] = updates;
    left = updates > left ? updates : left; /* what is left of an earlier one counts */
    return real_reserve(map, updates);
}

static int count(int error)
{
    if (error == 0) {
        made++;
        unreserved += left == 0;
        left -= left > 0;
    }
    return error;
}

int wrapped_insert(struct rangemap *map, uint64_t start, uint64_t last, void *value,
                   struct rangemap_entry *conflict)
{
    return count(real_insert(map, start, last, value, conflict));
}

int wrapped_store(struct rangemap *map, uint64_t start, uint64_t last, void *value,
                  rangemap_displaced_fn *displaced, void *context)
{
    return count(real_store(map, start, last, value, displaced, context));
}

int wrapped_carve(struct rangemap *map, uint64_t start, uint64_t last, rangemap_displaced_fn *displaced,
                  void *context)
{
    return count(real_carve(map, start, last, displaced, context));
}

static void begin(void)
{
    reserves = left = made = unreserved = 0;
}

/* That so many are set aside the `number`th time, in each map: they share what they have. */
static void check_reserved(unsigned number, unsigned updates)
{
    for (unsigned i = number * MAPS; i < (number + 1) * MAPS; i++) {
        REQUIRE_LT(i, reserves);
        CHECK_EQ(reserved[i], updates, "the %uth", i);
    }
}

/* Two updates that undo it; and one, or in a view two, that do it. */
static void check_insertion(struct file_rig *rig, unsigned nr_views)
{
    begin();
    REQUIRE_EQ(filemap_add_pages(&rig->file, 0, 0, PAGES), 0);
    CHECK_EQ(reserves, (2 + nr_views) * MAPS);
    for (unsigned i = 0; i < 2 + nr_views; i++) {
        check_reserved(i, i < 2 ? 3 : 4);
    }
    CHECK_EQ(unreserved, 0u);
    CHECK_EQ(made, 2 + nr_views);
}

static void check_replacement(struct file_rig *rig, unsigned nr_views)
{
    begin();
    REQUIRE_EQ(filemap_replace_page(&rig->file, 3, pfn_to_page(3), pfn_to_page(100)), 0);
    CHECK_EQ(reserves, 1u * MAPS);
    check_reserved(0, 2 * nr_views + 4);
    CHECK_EQ(unreserved, 0u);
    CHECK_EQ(made, 3 + nr_views);
}

/* To hide it from a view needs no memory. */
static void check_removal(struct file_rig *rig, unsigned nr_views)
{
    begin();
    REQUIRE_EQ(filemap_remove_pages(&rig->file, 7 * PAGE_SIZE, 8 * PAGE_SIZE - 1), 0);
    CHECK_EQ(reserves, 1u * MAPS);
    check_reserved(0, 2);
    CHECK_EQ(unreserved, nr_views);
    CHECK_EQ(made, 2 + nr_views);
}

static void check_changes(unsigned nr_views)
{
    char *views[VIEWS];
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    for (unsigned i = 0; i < nr_views; i++) {
        views[i] = file_rig_view(&rig, 0, PAGES);
    }
    check_insertion(&rig, nr_views);
    check_replacement(&rig, nr_views);
    check_removal(&rig, nr_views);
    for (unsigned i = 0; i < nr_views; i++) {
        CHECK_EQ(vm_munmap(views[i], PAGES * PAGE_SIZE), 0);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(reserve, no_change_makes_more_updates_than_it_set_memory_aside_for)
{
    for (unsigned nr_views = 0; nr_views <= VIEWS; nr_views++) {
        check_changes(nr_views);
    }
}
