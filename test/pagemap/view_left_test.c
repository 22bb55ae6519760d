// SPDX-License-Identifier: BSD-2-Clause
/* What is left of views in the library's maps, how generations move, and views that go and come meanwhile. */
#include <errno.h>

#include "pagemap/mapping/mapping.h"
#include "pagemap/view/view.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/recorder.h"

enum { PAGES = 16 };

static struct file_rig rig;

static void set_up(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
}

/* ---- the library's maps ---- */

static bool are_free(struct rangemap *map, uint64_t first, uint64_t last)
{
    return rangemap_is_free(map, first, last) == 1;
}

/* A view of so many pages is found by its addresses and by no others, and so are its pages; then neither. */
static void check_maps(uint64_t nr_pages)
{
    static char behind;
    char *view = file_rig_view(&rig, 0, nr_pages);
    const uint64_t vpn = pm_vpn(view), end = vpn + nr_pages;
    struct rangemap *maps[2] = {pm_tables()->views, pm_tables()->present};

    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(rangemap_store(maps[i], end, end + 1, &behind, NULL, NULL), 0);
        CHECK_EQ(rangemap_store(maps[i], vpn - 2, vpn - 1, &behind, NULL, NULL), 0);
    }
    CHECK_EQ(vm_munmap(view, nr_pages * PAGE_SIZE), 0);
    for (unsigned i = 0; i < 2; i++) {
        void *value = NULL;

        CHECK(are_free(maps[i], vpn, end - 1), "map %u, %u pages", i, (unsigned)nr_pages);
        CHECK_EQ(rangemap_lookup(maps[i], end, &value), 0, "map %u, %u pages", i, (unsigned)nr_pages);
        CHECK_EQ(rangemap_lookup(maps[i], vpn - 1, &value), 0);
        CHECK_EQ(rangemap_carve(maps[i], vpn - 2, end + 1, NULL, NULL), 0);
    }
}

TEST_CASE(view_left, nothing_in_the_maps)
{
    set_up();
    for (uint64_t nr_pages = 1; nr_pages <= PAGES; nr_pages++) {
        check_maps(nr_pages);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(view_left, a_view_is_found_by_its_own_addresses)
{
    char *view;

    set_up();
    view = file_rig_view(&rig, 0, PAGES);
    CHECK(are_free(pm_tables()->views, pm_vpn(view) + PAGES, pm_vpn(view) + PAGES + 4));
    CHECK(are_free(pm_tables()->present, pm_vpn(view) + PAGES, pm_vpn(view) + PAGES + 4));
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_NE(pagemap_view_revocation(view + i * PAGE_SIZE), PAGEMAP_REVOKE_AUTO);
    }
    CHECK_EQ(pagemap_view_revocation(view + PAGES * PAGE_SIZE), PAGEMAP_REVOKE_AUTO);
    CHECK_EQ(pagemap_view_revocation(view - 1), PAGEMAP_REVOKE_AUTO);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_EQ(pagemap_view_revocation(view + i * PAGE_SIZE), PAGEMAP_REVOKE_AUTO);
    }
    file_rig_tear_down(&rig);
}

/* A view that cannot be made, at whichever step, takes no addresses. */
TEST_CASE(view_left, no_addresses_of_views_that_fail)
{
    const size_t bytes = RIG_GB;
    bool all = false;

    set_up();
    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    for (unsigned step = 1; !all; step++) {
        uint64_t before = mapped_bytes();
        void *made;

        (void)pm_fault_arm(step);
        made = vm_mmap(&rig.file, bytes, PROT_READ, 0);
        all = pm_fault_arm(0) != 0;
        CHECK_EQ(!IS_ERR(made), all, "step %u", step);
        if (!IS_ERR(made)) {
            CHECK_EQ(vm_munmap(made, bytes), 0);
        }
        CHECK_LT(mapped_bytes(), before + bytes / 2, "step %u", step);
    }
    file_rig_tear_down(&rig);
}

/* ---- the generation: it has moved when a client is told of the end, for who grabbed a page meanwhile to see ---- */

static uint64_t at_start, at_end;

static bool note_begin(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                       unsigned long seq)
{
    (void)range;
    mmu_interval_set_seq(subscription, seq);
    at_start = rig.file._generation;
    return true;
}

static void note_end(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range)
{
    (void)subscription;
    (void)range;
    at_end = rig.file._generation;
}

static const struct mmu_interval_notifier_ops note_ops = {note_begin, note_end};

static void check_moved(const char *what)
{
    CHECK_GT(at_end, at_start, "%s", what);
    CHECK_EQ(at_end % 2, 0u, "%s", what);
    at_start = at_end = 0;
}

TEST_CASE(view_left, the_generation_moves_before_the_end_is_told_of)
{
    struct mmu_interval_notifier by_address, by_page;
    uint64_t before;
    char *view;

    set_up();
    view = file_rig_view(&rig, 0, PAGES);
    REQUIRE_EQ(mmu_interval_notifier_insert(&by_address, NULL, (uintptr_t)view, PAGES * PAGE_SIZE, &note_ops),
               0);
    unmap_mapping_pages(&rig.file, 3, 1, false);
    check_moved("revoked");
    CHECK_EQ(filemap_replace_page(&rig.file, 5, pfn_to_page(5), pfn_to_page(50)), 0);
    check_moved("replaced");
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    check_moved("unmapped");
    CHECK_EQ(mmu_interval_notifier_remove(&by_address), 0);
    REQUIRE_EQ(pagemap_interval_notifier_insert(&by_page, 0, PAGES * PAGE_SIZE, &note_ops), 0);
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 0, 2 * PAGE_SIZE - 1), 0);
    check_moved("truncated");
    CHECK_EQ(mmu_interval_notifier_remove(&by_page), 0);
    before = rig.file._generation;
    unmap_mapping_range(&rig.file, 0, 0, 0);
    CHECK_GT(rig.file._generation, before, "without a view");
    file_rig_tear_down(&rig);
}

/* ---- to the end of files ---- */

TEST_CASE(view_left, the_last_pages_of_any_file)
{
    const uint64_t first = PM_INDEX_END - 2;
    static const uint64_t bytes[] = {0,         UINT64_MAX, 2 * PAGE_SIZE, 2 * PAGE_SIZE - 1, PAGE_SIZE + 1,
                                     PAGE_SIZE, 1};
    static const bool last_goes[] = {true, true, true, true, true, false, false};
    char *view;

    set_up();
    REQUIRE_EQ(filemap_add_pages(&rig.file, first, 100, 2), 0);
    view = file_rig_view(&rig, first, 2);
    for (unsigned i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        unmap_mapping_range(&rig.file, first * PAGE_SIZE, bytes[i], 0);
        CHECK_EQ(touch_read(view, NULL), SIGBUS, "case %u", i);
        CHECK_EQ(touch_read(view + PAGE_SIZE, NULL), last_goes[i] ? SIGBUS : 0, "case %u", i);
        CHECK_EQ(map_mapping_range(&rig.file, first * PAGE_SIZE, bytes[i]), 0);
        CHECK_EQ(touch_read(view, NULL), 0);
        CHECK_EQ(touch_read(view + PAGE_SIZE, NULL), 0);
    }
    CHECK_EQ(vm_munmap(view, 2 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* ---- what is unmapped goes, and another comes, while it is told of ---- */

static struct address_space *file_of_other;
static char *view, *other;
static uint64_t other_pages;

static void put_another_there(struct recorder *recorder)
{
    recorder->then = NULL;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0, "faster");
    if (file_of_other != NULL) {
        other = vm_mmap(file_of_other, other_pages * PAGE_SIZE, PROT_READ, 0);
        REQUIRE(!IS_ERR(other));
    }
}

/* Of no other file, or of that one, with so many pages. If it lies elsewhere this shows less. */
static void check_unmapped_meanwhile(struct address_space *file, uint64_t pages)
{
    struct recorder recorder;

    file_of_other = file;
    other_pages = pages;
    view = file_rig_view(&rig, 0, PAGES);
    recorder_watch(&recorder, false, (uintptr_t)view, PAGES * PAGE_SIZE);
    recorder.then = put_another_there;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), -EINVAL);
    recorder_leave(&recorder);
    if (file != NULL) {
        CHECK_EQ(touch_read(other, NULL), 0, "it stays");
        CHECK_EQ(vm_munmap(other, pages * PAGE_SIZE), 0);
    }
}

/* A view that goes while a part of it is to be revoked: nothing is mapped where it was. */
static void unmap_it(struct recorder *recorder)
{
    recorder->then = NULL;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
}

TEST_CASE(view_left, nothing_at_its_addresses)
{
    struct recorder recorder;

    set_up();
    for (uint64_t index = 0; index < PAGES; index += 5) {
        view = file_rig_view(&rig, 0, PAGES);
        recorder_watch(&recorder, false, (uintptr_t)view, PAGES * PAGE_SIZE);
        recorder.then = unmap_it;
        unmap_mapping_pages(&rig.file, index, 1, false);
        for (unsigned i = 0; i < PAGES; i++) {
            CHECK_EQ(touch_read(view + i * PAGE_SIZE, NULL), SIGSEGV, "page %u", i);
        }
        CHECK_EQ(recorder.ended, 2u);
        recorder_leave(&recorder);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(view_left, another_view_in_its_place_stays)
{
    struct address_space second;

    set_up();
    REQUIRE_EQ(address_space_init(&second, "second", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&second, 0, 200, PAGES), 0);
    check_unmapped_meanwhile(NULL, 0);
    check_unmapped_meanwhile(&second, PAGES);
    check_unmapped_meanwhile(&second, 2 * PAGES);
    check_unmapped_meanwhile(&rig.file, PAGES - 1);
    CHECK_EQ(truncate_inode_pages(&second, 0), 0);
    CHECK_EQ(address_space_destroy(&second), 0);
    file_rig_tear_down(&rig);
}
