// SPDX-License-Identifier: BSD-2-Clause
/* Pages that are present already are shown in a view once more, and the system refuses in the middle. */
#include <errno.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 8 };

/* Each page can be pinned and touched, or neither. Returns how many can. */
static unsigned count_present(const char *view)
{
    unsigned count = 0;

    for (unsigned i = 0; i < PAGES; i++) {
        const char *address = view + i * PAGE_SIZE;
        struct page *page = NULL;
        bool can_be_pinned = get_user_pages((uintptr_t)address, 1, 0, &page) == 1;

        CHECK_EQ(touch_read(address, NULL) == 0, can_be_pinned, "page %u", i);
        if (can_be_pinned) {
            put_page(page);
            count++;
        }
    }
    return count;
}

/* Every step that can fail does. What was lost comes back when there is memory again. */
static void fail_each_step(enum pagemap_revocation how)
{
    struct file_rig rig;
    unsigned lost = 0;
    bool all = false;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pagemap_set_revocation(how), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES / 2), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, PAGES / 2, 40, PAGES / 2), 0);
    view = file_rig_view(&rig, 0, PAGES);
    for (unsigned step = 1; !all; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = map_mapping_range(&rig.file, PAGE_SIZE, (PAGES - 2) * PAGE_SIZE);
        all = pm_fault_arm(0) != 0;
        CHECK(error == 0 || (error == -ENOMEM && !all), "step %u: %d", step, error);
        lost += count_present(view) < PAGES;
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
        CHECK_EQ(count_present(view), PAGES);
        REQUIRE_LT(step, 100u);
    }
    CHECK_GT(lost, 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(show, what_cannot_be_shown_again_cannot_be_pinned)
{
    fail_each_step(PAGEMAP_REVOKE_OVERLAY);
}

TEST_CASE(show, nor_with_userfaultfd)
{
    fail_each_step(PAGEMAP_REVOKE_AUTO);
}
