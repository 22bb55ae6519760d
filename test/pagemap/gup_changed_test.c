// SPDX-License-Identifier: BSD-2-Clause
/*
 * get_user_pages() and pin_user_pages() while the file changes between their two looks at its generation: what was
 * taken goes back as it was taken. The look in between, rangemap_find_held(), is ours.
 */
#include "pagemap/mapping/mapping.h"
#include "pagemap/statistics.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 8 };

static struct file_rig rig;
static unsigned changes_left; /* one with each look */

int __real_rangemap_find_held(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry);
int __wrap_rangemap_find_held(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry);

int __wrap_rangemap_find_held(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    int result = __real_rangemap_find_held(map, key, entry);

    if (changes_left > 0) {
        changes_left--;
        pm_mapping_bump(&rig.file);
    }
    return result;
}

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics now;

    REQUIRE_EQ(pagemap_stats(&now, sizeof now), 0);
    return now;
}

static void put(bool pins, struct page **pages, unsigned long count)
{
    if (pins) {
        unpin_user_pages(pages, count);
        return;
    }
    for (unsigned long i = 0; i < count; i++) {
        put_page(pages[i]);
    }
}

/* Each of the pages has one more reference, and one pin more if that was asked for. */
static void take_while_it_changes(bool pins, uintptr_t start, unsigned long count)
{
    const struct pagemap_statistics before = stats();
    struct page *pages[PAGES];
    long taken;

    changes_left = 1;
    taken = pins ? pin_user_pages(start, count, 0, pages) : get_user_pages(start, count, 0, pages);
    CHECK_EQ(taken, (long)count);
    CHECK_EQ(changes_left, 0u);
    CHECK_EQ(stats().pins_now, before.pins_now + (pins ? count : 0));
    for (unsigned long i = 0; i < count; i++) {
        CHECK_EQ(page_to_pfn(pages[i]), i);
        CHECK_EQ(page_count(pages[i]), pins ? 1 + GUP_PIN_COUNTING_BIAS : 2, "the file's, and ours");
        CHECK_EQ(page_maybe_dma_pinned(pages[i]), pins);
    }
    put(pins, pages, count);
    CHECK_EQ(stats().pins_now, before.pins_now);
    CHECK_EQ(warnings_take(), 0u);
}

TEST_CASE(gup_changed, what_was_taken_goes_back_as_it_was_taken)
{
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    for (unsigned long count = 1; count <= PAGES; count++) {
        take_while_it_changes(false, (uintptr_t)view, count);
        take_while_it_changes(true, (uintptr_t)view, count);
    }
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
