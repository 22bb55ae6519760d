// SPDX-License-Identifier: BSD-2-Clause
/* get_user_pages() and its family, by one set of rigs: hence its length. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "test/pagemap/file_rig.h"

static const enum memory_type TYPES[] = {MEMORY_DEVICE_FS_DAX, MEMORY_DEVICE_GENERIC,
                                         MEMORY_DEVICE_PCI_P2PDMA};

static uintptr_t at(const char *view, uint64_t page)
{
    return (uintptr_t)view + page * PAGE_SIZE;
}

TEST_CASE(gup, flags)
{
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 4), 0);
    view = file_rig_view(&rig, 0, 4);
    CHECK_EQ(get_user_pages(at(view, 0), 1, FOLL_PIN, &page), -EINVAL);
    CHECK_EQ(pin_user_pages(at(view, 0), 1, FOLL_GET, &page), -EINVAL);
    CHECK_EQ(pin_user_pages(at(view, 0), 1, 0, NULL), -EINVAL);
    CHECK_EQ(get_user_pages(at(view, 0), 1, FOLL_LONGTERM, &page), -EINVAL);
    CHECK_EQ(get_user_pages(at(view, 0), 1, 0x2, &page), -EINVAL, "unknown");
    CHECK_EQ(get_user_pages_fast(at(view, 0), -1, 0, &page), -EINVAL);
    CHECK_EQ(get_user_pages_fast_only(at(view, 0), 1, FOLL_PIN, &page), 0);
    CHECK_EQ(get_user_pages(at(view, 0), 0, 0, &page), 0);
    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(get_user_pages(at(view, 0), 1, 0, &page), -EINVAL, "inside a read section");
    pagemap_read_unlock();
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 4);
    CHECK_EQ(get_user_pages(at(view, 1), 9, 0, NULL), 3, "counts what is present, holds nothing");
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 4);
    CHECK_EQ(pin_user_pages(at(view, 3) + 5, 1, FOLL_LONGTERM, &page), 1, "device-dax may be long");
    CHECK_EQ(page, pfn_to_page(3));
    unpin_user_page(page);
    CHECK_EQ(vm_munmap(view, 4 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Whatever its type, a page that was pinned can be given back (bug 25: one user never did). */
TEST_CASE(gup, bug25_every_type_is_given_back)
{
    for (unsigned i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        uint64_t idle = TYPES[i] == MEMORY_DEVICE_GENERIC;
        struct file_rig rig;
        struct page *pages[16];
        char *view;

        file_rig_set_up(&rig, TYPES[i]);
        REQUIRE_EQ(filemap_add_pages(&rig.file, 2, 100, 16), 0);
        view = file_rig_view(&rig, 0, 20);
        CHECK_EQ(get_user_pages(at(view, 2), 16, FOLL_WRITE | FOLL_PCI_P2PDMA, pages), 16);
        for (uint64_t p = 0; p < 16; p++) {
            CHECK_EQ(pages[p], pfn_to_page(100 + p));
            CHECK_EQ(page_count(pages[p]), idle + 1);
            CHECK(!page_maybe_dma_pinned(pages[p]));
        }
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 32);
        CHECK_EQ(pin_user_pages(at(view, 3), 1, FOLL_PCI_P2PDMA, pages), 1);
        CHECK_EQ(page_count(pages[0]), idle + 1 + GUP_PIN_COUNTING_BIAS);
        CHECK(page_maybe_dma_pinned(pages[0]));
        unpin_user_page(pages[0]);
        CHECK(!page_maybe_dma_pinned(pages[0]));
        for (uint64_t p = 0; p < 16; p++) {
            put_page(pfn_to_page(100 + p));
        }
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 16);
        CHECK_EQ(vm_munmap(view, 20 * PAGE_SIZE), 0);
        file_rig_tear_down(&rig);
    }
}

/* As in the kernel; but what a page counts while nobody holds it does not count here. */
TEST_CASE(gup, as_many_references_as_a_pin_look_like_one)
{
    struct file_rig rig;
    struct page *page;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    page = pagemap_get_page(100);
    REQUIRE_NE(page, NULL);
    for (unsigned i = 1; i < GUP_PIN_COUNTING_BIAS - 1; i++) {
        get_page(page);
    }
    CHECK(!page_maybe_dma_pinned(page));
    get_page(page);
    CHECK(page_maybe_dma_pinned(page));
    put_page(page);
    CHECK(!page_maybe_dma_pinned(page));
    put_page_many(page, GUP_PIN_COUNTING_BIAS - 1);
    file_rig_tear_down(&rig);
}

TEST_CASE(gup, partial_results)
{
    struct file_rig rig;
    struct page *pages[1024];
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 1, 0, 700), 0); /* 1..700; then 701, of another run */
    REQUIRE_EQ(filemap_add_pages(&rig.file, 701, 900, 50), 0);
    view = file_rig_view(&rig, 0, 800);
    CHECK_EQ(get_user_pages(at(view, 0), 5, 0, pages), -EFAULT, "a hole first");
    CHECK_EQ(get_user_pages(at(view, 1), 1000, 0, pages), 750, "batches, runs, and a hole at the end");
    CHECK_EQ(pages[699], pfn_to_page(699));
    CHECK_EQ(pages[700], pfn_to_page(900));
    for (unsigned i = 0; i < 750; i++) {
        put_page(pages[i]);
    }
    unmap_mapping_pages(&rig.file, 300, 1, false);
    CHECK_EQ(pin_user_pages(at(view, 290), 100, 0, pages), 10, "up to what was revoked");
    unpin_user_pages(pages, 10);
    CHECK_EQ(pin_user_pages(at(view, 300), 100, 0, pages), -EFAULT);
    CHECK_EQ(pin_user_pages_fast(at(view, 301), 100, 0, pages), 100);
    unpin_user_pages(pages, 100);
    CHECK_EQ(pin_user_pages_fast_only(at(view, 300), 1, 0, pages), 0);
    CHECK_EQ(get_user_pages(at(view, 0) - PAGE_SIZE, 1, 0, pages), -EFAULT, "no view");
    CHECK_EQ(get_user_pages(UINTPTR_MAX, 3, 0, pages), -EFAULT);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 750);
    CHECK_EQ(vm_munmap(view, 800 * PAGE_SIZE), 0);
    CHECK_EQ(get_user_pages(at(view, 5), 1, 0, pages), -EFAULT);
    file_rig_tear_down(&rig);
}

/* Bug 24: permission before any page is taken. */
TEST_CASE(gup, bug24_no_write_to_a_read_only_view)
{
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1), 0);
    view = vm_mmap(&rig.file, PAGE_SIZE, PROT_READ, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(get_user_pages(at(view, 0), 1, FOLL_WRITE, &page), -EFAULT);
    CHECK_EQ(page_count(pfn_to_page(0)), 1);
    CHECK_EQ(fixup_user_fault(at(view, 0), FOLL_WRITE), -EFAULT);
    CHECK_EQ(fixup_user_fault(at(view, 0), 0), 0);
    CHECK_EQ(get_user_pages(at(view, 0), 1, 0, &page), 1);
    put_page(page);
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Bug 26: pins without an end are refused where a truncation would have to wait for them. */
TEST_CASE(gup, bug26_longterm)
{
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1), 0);
    view = file_rig_view(&rig, 0, 1);
    CHECK_EQ(pin_user_pages(at(view, 0), 1, FOLL_LONGTERM, &page), -EOPNOTSUPP);
    CHECK_EQ(pin_user_pages(at(view, 0), 1, 0, &page), 1);
    unpin_user_page(page);
    unmap_mapping_range(&rig.file, 0, 0, 1);
    CHECK_EQ(pin_user_pages(at(view, 0), 1, FOLL_LONGTERM, &page), -EOPNOTSUPP,
             "said of the view, not the page");
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);

    file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(0)), 0);
    unlock_page(pfn_to_page(0));
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1), 0);
    view = file_rig_view(&rig, 0, 1);
    CHECK_EQ(pin_user_pages(at(view, 0), 1, FOLL_LONGTERM, &page), -EBUSY);
    CHECK_EQ(pin_user_pages(at(view, 0), 1, 0, &page), 1);
    unpin_user_page(page);
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* A peer's window is no memory for the unsuspecting: only with a flag that says so, and not for long. */
TEST_CASE(gup, pages_of_a_peer)
{
    struct file_rig rig;
    struct page *pages[4];
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_PCI_P2PDMA);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 4), 0);
    view = file_rig_view(&rig, 0, 4);
    CHECK_EQ(pin_user_pages(at(view, 0), 4, FOLL_WRITE, pages), -EREMOTEIO);
    CHECK_EQ(get_user_pages(at(view, 0), 4, 0, pages), -EREMOTEIO);
    CHECK_EQ(get_user_pages(at(view, 0), 4, 0, NULL), -EREMOTEIO);
    CHECK_EQ(pin_user_pages_fast(at(view, 0), 4, 0, pages), -EREMOTEIO);
    CHECK_EQ(get_user_pages_fast(at(view, 0), 4, 0, pages), -EREMOTEIO);
    CHECK_EQ(get_user_pages_fast_only(at(view, 0), 4, 0, pages), 0);
    CHECK_EQ(pin_user_pages_fast_only(at(view, 0), 4, 0, pages), 0);
    CHECK_EQ(pin_user_pages(at(view, 0), 4, FOLL_LONGTERM, pages), -EREMOTEIO);
    CHECK_EQ(pin_user_pages(at(view, 0), 4, FOLL_LONGTERM | FOLL_PCI_P2PDMA, pages), -EINVAL);
    CHECK_EQ(get_user_pages(at(view, 0), 4, FOLL_PCI_P2PDMA, NULL), 4);
    CHECK_EQ(fixup_user_fault(at(view, 0), FOLL_WRITE), 0, "a fault is not asked for a page");
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 4, "the file's");
    CHECK_EQ(pin_user_pages_fast_only(at(view, 0), 4, FOLL_PCI_P2PDMA, pages), 4);
    unpin_user_pages(pages, 4);
    CHECK_EQ(vm_munmap(view, 4 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* As kernel clients end their pins: of an array, and of pages one after the other, more than are taken at once. */
TEST_CASE(gup, pins_of_pages_that_were_written)
{
    enum { PINS = 150 };
    struct file_rig rig;
    struct page *pages[PINS];
    char *view;

    for (unsigned is_compound = 0; is_compound < 2; is_compound++) {
        file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
        if (is_compound != 0) {
            file_rig_use_compound_pages(&rig);
        }
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
        view = file_rig_view(&rig, 0, 1024);
        for (unsigned make_dirty = 0; make_dirty < 2; make_dirty++) {
            REQUIRE_EQ(pin_user_pages(at(view, 400), PINS, FOLL_WRITE | FOLL_FORCE, pages), PINS);
            unpin_user_pages_dirty_lock(pages, 20, make_dirty != 0);
            CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1024 + (is_compound != 0 ? 2 : PINS - 20));
            unpin_user_page_range_dirty_lock(pages[20], PINS - 20, make_dirty != 0);
            CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1024);
            CHECK(trylock_page(pages[20]), "it is not locked");
            unlock_page(pages[20]);
        }
        unpin_user_page_range_dirty_lock(pages[0], 0, true);
        CHECK_EQ(warnings_take(), 0);
        unpin_user_page_range_dirty_lock(pages[0], (unsigned long)-EFAULT, true);
        unpin_user_pages_dirty_lock(pages, (unsigned long)-EFAULT, true);
        CHECK_EQ(warnings_take(), 2);
        CHECK_EQ(vm_munmap(view, 1024 * PAGE_SIZE), 0);
        file_rig_tear_down(&rig);
    }
}

TEST_CASE(gup, compound_pages_count_pins_apart)
{
    struct file_rig rig;
    struct page *pages[3];
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    file_rig_use_compound_pages(&rig);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    view = file_rig_view(&rig, 0, 1024);
    CHECK_EQ(pin_user_pages(at(view, 511), 3, 0, pages), 3);
    CHECK_EQ(page_count(pages[0]), 2);
    CHECK_EQ(page_count(pages[1]), 3);
    CHECK(page_maybe_dma_pinned(pages[0]));
    CHECK(page_maybe_dma_pinned(pfn_to_page(600)), "and so is a tail that nobody grabbed");
    CHECK(page_maybe_dma_pinned(pages[2]));
    for (unsigned i = 0; i < 2000; i++) {
        get_page(pages[0]);
    }
    unpin_user_page(pages[0]);
    CHECK(!page_maybe_dma_pinned(pages[0]), "exact, however many hold it");
    put_page_many(pages[0], 2000);
    unpin_user_pages(pages + 1, 2);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1024);
    CHECK_EQ(vm_munmap(view, 1024 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* ---- against a revoker ---- */

static struct file_rig shared;
static char *shared_view;
static uint64_t stop, exclusive, granted, refused;

/*
 * Bug 23: who revokes and then sees a page idle may take it for its own. `exclusive` is set between that and the
 * restoring; a pin that is granted meanwhile is one that the revoker has not seen.
 */
static void *pin_randomly(void *context)
{
    struct page *pages[8];
    unsigned number = (unsigned)(uintptr_t)context;

    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        long n = pin_user_pages(at(shared_view, 0), 1 + number * 3, 0, pages);

        if (n > 0) {
            CHECK_EQ(__atomic_load_n(&exclusive, __ATOMIC_SEQ_CST), 0);
            (void)__atomic_fetch_add(&granted, 1, __ATOMIC_SEQ_CST);
            unpin_user_pages(pages, (unsigned long)n);
        } else {
            CHECK_EQ(n, -EFAULT);
            (void)__atomic_fetch_add(&refused, 1, __ATOMIC_SEQ_CST);
        }
    }
    return NULL;
}

/* Of one more pin; while the pages are revoked each is refused. */
static void await_refusal(void)
{
    uint64_t before = __atomic_load_n(&refused, __ATOMIC_SEQ_CST);

    while (__atomic_load_n(&refused, __ATOMIC_SEQ_CST) == before) {
        (void)sched_yield();
    }
}

static void revoke_and_own(unsigned round)
{
    if (round % 4 == 3) {
        CHECK_EQ(truncate_inode_pages(&shared.file, 0), 0);
    } else {
        unmap_mapping_range(&shared.file, 0, 0, 1);
    }
    if (page_count(pfn_to_page(0)) == 0) {
        (void)__atomic_exchange_n(&exclusive, 1, __ATOMIC_SEQ_CST);
        (void)sched_yield();
        (void)__atomic_exchange_n(&exclusive, 0, __ATOMIC_SEQ_CST);
    }
    if (round < 8) { /* in each way; later it is left to chance who comes when */
        await_refusal();
    }
    if (round % 4 == 3) {
        CHECK_EQ(filemap_add_pages(&shared.file, 0, 0, 8), 0);
    } else {
        CHECK_EQ(map_mapping_range(&shared.file, 0, 0), 0);
    }
}

TEST_CASE(gup, bug23_a_pin_that_raced_is_undone)
{
    pthread_t threads[2];

    stop = exclusive = granted = refused = 0;
    file_rig_set_up(&shared, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&shared.file, 0, 0, 8), 0);
    shared_view = file_rig_view(&shared, 0, 8);
    for (uintptr_t i = 0; i < 2; i++) {
        REQUIRE_EQ(pthread_create(&threads[i], NULL, pin_randomly, (void *)i), 0);
    }
    for (unsigned round = 0; round < 1000 * test_scale(); round++) {
        revoke_and_own(round);
    }
    while (__atomic_load_n(&granted, __ATOMIC_SEQ_CST) == 0) {
        (void)sched_yield();
    }
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    CHECK_GT(refused, 0);
    CHECK_EQ(vm_munmap(shared_view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&shared);
}

static void unmap_device(void *pgmap)
{
    CHECK_EQ(memunmap_pages(pgmap), 0);
}

static void truncate_all(void *file)
{
    CHECK_EQ(truncate_inode_pages(file, 0), 0);
}

/* Bug 10: I/O is under way when the driver goes. Bug 22: what is refused then keeps nothing. */
TEST_CASE(gup, bug10_bug22_teardown_waits_for_pins)
{
    struct waiter truncation, teardown;
    struct page *pages[4], *none[4];
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 4), 0);
    view = file_rig_view(&rig, 0, 4);
    REQUIRE_EQ(pin_user_pages(at(view, 0), 4, FOLL_WRITE | FOLL_LONGTERM, pages), 4);
    waiter_start(&teardown, unmap_device, &rig.pgmap);
    rig_await_kill(0);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(pin_user_pages(at(view, 0), 4, 0, none), -EFAULT, "killed, though still present");
    }
    waiter_start(&truncation, truncate_all, &rig.file);
    CHECK(!waiter_is_done_after(&truncation, 2000));
    memset(page_address(pages[3]), 3, PAGE_SIZE);
    unpin_user_pages(pages, 3);
    CHECK(!waiter_is_done_after(&truncation, 2000));
    CHECK(!waiter_is_done_after(&teardown, 0));
    CHECK_EQ(*(char *)page_address(pages[3]), 3);
    unpin_user_page(pages[3]);
    waiter_join(&truncation);
    waiter_join(&teardown);
    CHECK_EQ(vm_munmap(view, 4 * PAGE_SIZE), 0);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}
