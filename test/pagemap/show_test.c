// SPDX-License-Identifier: BSD-2-Clause
/* Pages that are present already are shown in a view once more, and the system refuses in the middle. */
#include <errno.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/recorder.h"

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

/* ---- what cannot be shown again takes its run of pages with it, and no other ---- */

enum { RUNS = 3, RUN = 4, FROM = 1, TO = RUNS * RUN - 2 };

/* Which pages cannot be pinned. */
static unsigned absent_mask(const char *view)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < RUNS * RUN; i++) {
        struct page *page = NULL;
        bool can_be_pinned = get_user_pages((uintptr_t)view + i * PAGE_SIZE, 1, 0, &page) == 1;

        CHECK_EQ(touch_read(view + i * PAGE_SIZE, NULL) == 0, can_be_pinned, "page %u", i);
        if (can_be_pinned) {
            put_page(page);
        } else {
            mask |= 1u << i;
        }
    }
    return mask;
}

/* As much of the run as was to be shown; its client was told of just that. */
static void check_lost(struct recorder *recorder, const char *view, unsigned *lost)
{
    const unsigned mask = absent_mask(view);

    for (unsigned run = 0; run < RUNS; run++) {
        const unsigned first = run == 0 ? FROM : run * RUN, last = run == RUNS - 1 ? TO : run * RUN + RUN - 1;

        if (mask == (2u << last) - (1u << first)) {
            lost[run]++;
            recorder_check(recorder, MMU_NOTIFY_CLEAR, (uintptr_t)view + first * PAGE_SIZE,
                           (last - first + 1) * PAGE_SIZE);
            return;
        }
    }
    CHECK(false, "no run: %#x", mask);
}

static void lose_runs(enum pagemap_revocation how)
{
    unsigned lost[RUNS] = {0};
    struct recorder recorder;
    struct file_rig rig;
    bool all = false;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pagemap_set_revocation(how), 0);
    for (unsigned run = 0; run < RUNS; run++) {
        REQUIRE_EQ(filemap_add_pages(&rig.file, run * RUN, run * 100, RUN), 0);
    }
    view = file_rig_view(&rig, 0, RUNS * RUN);
    recorder_watch(&recorder, false, (uintptr_t)view, RUNS * RUN * PAGE_SIZE);
    for (unsigned step = 1; !all; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = map_mapping_range(&rig.file, FROM * PAGE_SIZE, (TO - FROM + 1) * PAGE_SIZE);
        all = pm_fault_arm(0) != 0;
        if (error != 0) {
            check_lost(&recorder, view, lost);
        }
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
        CHECK_EQ(absent_mask(view), 0u);
        REQUIRE_LT(step, 100u);
    }
    for (unsigned run = 0; run < RUNS; run++) {
        CHECK_GT(lost[run], 0u, "run %u", run);
    }
    recorder_leave(&recorder);
    CHECK_EQ(vm_munmap(view, RUNS * RUN * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(show, a_run_is_lost_by_itself)
{
    lose_runs(PAGEMAP_REVOKE_AUTO);
    lose_runs(PAGEMAP_REVOKE_OVERLAY);
}
