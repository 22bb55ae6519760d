// SPDX-License-Identifier: BSD-2-Clause
/* A page of a file in place of another: what there is of it, each error, and beside readers, pins and devices. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "pagemap/statistics.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/recorder.h"
#include "test/shim/prng.h"

/* ThreadSanitizer takes an mmap() for a write to all of it, which races with who reads there, and is slow. */
#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#else
#define TSAN 0
#endif

enum { ROUNDS = TSAN ? 100 : 2000 };
enum { PAGES = 4, WORDS = PAGE_SIZE / sizeof(uint64_t) };

static struct file_rig rig;

static uint64_t *bytes_of(uint64_t pfn)
{
    return page_address(pfn_to_page(pfn));
}

/* What the page at `index` of the file is to hold. */
static void fill(uint64_t pfn, uint64_t index)
{
    for (uint64_t i = 0; i < WORDS; i++) {
        __atomic_store_n(&bytes_of(pfn)[i], index << 32 | i, __ATOMIC_RELAXED);
    }
}

static void scribble(uint64_t pfn)
{
    for (uint64_t i = 0; i < WORDS; i++) {
        __atomic_store_n(&bytes_of(pfn)[i], UINT64_MAX, __ATOMIC_RELAXED);
    }
}

static bool is_whole(const uint64_t *words, uint64_t index)
{
    for (uint64_t i = 0; i < WORDS; i++) {
        if (__atomic_load_n(&words[i], __ATOMIC_RELAXED) != (index << 32 | i)) {
            return false;
        }
    }
    return true;
}

static int replace(uint64_t index, uint64_t old, uint64_t pfn)
{
    return filemap_replace_page(&rig.file, index, pfn_to_page(old), pfn_to_page(pfn));
}

static void set_up(enum memory_type type, enum pagemap_revocation how)
{
    file_rig_set_up(&rig, type);
    REQUIRE_EQ(pagemap_set_revocation(how), 0);
}

/* Of memory that is allocated, whose pages are their driver's again when they are put. */
static void allocate(uint64_t pfn)
{
    if (rig.pgmap.type == MEMORY_DEVICE_COHERENT) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
        unlock_page(pfn_to_page(pfn));
    }
}

/* Pages 0 .. 3 at the same indexes. */
static void put_in(void)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        allocate(i);
        fill(i, i);
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
}

static uint64_t pfn_at(const char *address)
{
    struct page *page;

    REQUIRE_EQ(get_user_pages((uintptr_t)address, 1, 0, &page), 1);
    put_page(page);
    return page_to_pfn(page);
}

static void views_show_the_new_one(enum pagemap_revocation how)
{
    uint64_t references;
    char *view, *twin;

    set_up(MEMORY_DEVICE_GENERIC, how);
    put_in();
    view = file_rig_view(&rig, 0, PAGES);
    twin = file_rig_view(&rig, 1, 2);
    fill(10, 1);
    bytes_of(10)[7] = 99;
    references = pgmap_nr_references(&rig.pgmap);
    CHECK_EQ(replace(1, 1, 10), 0);
    CHECK_EQ(((uint64_t *)(void *)(view + PAGE_SIZE))[7], 99);
    CHECK_EQ(((uint64_t *)(void *)twin)[7], 99);
    CHECK_EQ(pfn_at(view + PAGE_SIZE), 10);
    CHECK_EQ(pfn_at(twin), 10);
    CHECK(is_whole((uint64_t *)(void *)(twin + PAGE_SIZE), 2), "its neighbours are as they were");
    CHECK_EQ(page_index(pfn_to_page(10)), 1);
    CHECK_EQ(page_index(pfn_to_page(1)), UINT64_MAX);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), references);
    CHECK_EQ(mapping_nr_pages(&rig.file), PAGES);
    unmap_mapping_pages(&rig.file, 1, 1, false);
    CHECK_EQ(touch_read(view + PAGE_SIZE, NULL), SIGBUS, "it is revoked like any other");
    CHECK_EQ(touch_read(twin, NULL), SIGBUS);
    CHECK_EQ(replace(1, 10, 1), 0);
    CHECK_EQ(touch_read(view + PAGE_SIZE, NULL), SIGBUS, "what was absent stays so");
    CHECK_EQ(map_mapping_range(&rig.file, PAGE_SIZE, PAGE_SIZE), 0);
    CHECK_EQ(pfn_at(twin), 1);
    CHECK_EQ(vm_munmap(twin, 2 * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(replace, views_show_the_new_one)
{
    views_show_the_new_one(PAGEMAP_REVOKE_AUTO);
    views_show_the_new_one(PAGEMAP_REVOKE_OVERLAY);
}

/* Without memory, or mappings, at any step: old or new in all views, and again. */
static void each_step_may_fail(enum pagemap_revocation how)
{
    char *view, *twin;
    unsigned step, left;

    set_up(MEMORY_DEVICE_GENERIC, how);
    put_in();
    view = file_rig_view(&rig, 0, PAGES);
    twin = file_rig_view(&rig, 0, PAGES);
    for (step = 1, left = 0; left == 0; step++) {
        uint64_t now = pfn_at(view);
        int error;

        fill(40 - now, 0);
        (void)pm_fault_arm(step);
        error = replace(0, now, 40 - now);
        left = pm_fault_arm(0);
        CHECK(error == 0 || error == -ENOMEM, "%d", error);
        CHECK(is_whole((uint64_t *)(void *)view, 0));
        CHECK(is_whole((uint64_t *)(void *)twin, 0));
        CHECK_EQ(pfn_at(view), error == 0 ? 40 - now : now);
        CHECK_EQ(pfn_at(twin), pfn_at(view));
        CHECK_EQ(page_index(pfn_to_page(40 - pfn_at(view))), UINT64_MAX);
        REQUIRE_LE(step, 200);
    }
    CHECK_GT(step, 6u);
    CHECK_EQ(vm_munmap(twin, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(replace, each_step_may_fail)
{
    each_step_may_fail(PAGEMAP_REVOKE_AUTO);
    each_step_may_fail(PAGEMAP_REVOKE_OVERLAY);
}

/* To private memory, of which no CPU has the bytes, and back. */
TEST_CASE(replace, to_private_memory_and_back)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap device = rig_pgmap(MEMORY_DEVICE_PRIVATE, &range, 1);
    const uint64_t pfn = PHYS_PFN(RIG_GB);
    char *view;

    set_up(MEMORY_DEVICE_GENERIC, PAGEMAP_REVOKE_AUTO);
    REQUIRE_EQ(rig_map(&device), 0);
    put_in();
    view = file_rig_view(&rig, 0, PAGES);
    CHECK_EQ(replace(0, 0, pfn), -EAGAIN, "it is not allocated");
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
    unlock_page(pfn_to_page(pfn));
    rig_freed = 0;
    CHECK_EQ(replace(0, 0, pfn), 0);
    CHECK_EQ(touch_read(view, NULL), SIGBUS);
    CHECK_EQ(page_count(pfn_to_page(0)), 1, "GENERIC and idle");
    CHECK_EQ(replace(0, pfn, 9), 0);
    CHECK_EQ(rig_freed, 1, "the file's reference was put");
    CHECK_EQ(pfn_at(view), 9, "it can be seen again");
    CHECK_EQ(touch_read(view, NULL), 0);
    CHECK_EQ(pgmap_nr_references(&device), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(memunmap_pages(&device), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(replace, who_is_concerned_is_told)
{
    struct recorder by_address, by_page, other;
    char *view;

    set_up(MEMORY_DEVICE_GENERIC, PAGEMAP_REVOKE_AUTO);
    put_in();
    view = file_rig_view(&rig, 0, PAGES);
    recorder_watch(&by_address, false, (uintptr_t)view, PAGES * PAGE_SIZE);
    recorder_watch(&by_page, true, 0, PAGES * PAGE_SIZE);
    recorder_watch(&other, true, 10 * PAGE_SIZE, PAGE_SIZE);
    CHECK_EQ(replace(2, 2, 10), 0);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, (uintptr_t)view + 2 * PAGE_SIZE, PAGE_SIZE);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 2 * PAGE_SIZE, PAGE_SIZE);
    recorder_check(&other, MMU_NOTIFY_CLEAR, 0, 0);
    recorder_leave(&by_address);
    recorder_leave(&by_page);
    recorder_leave(&other);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Of two views and the page, each by itself; and of what they watch no more than that page. */
TEST_CASE(replace, each_view_is_told_of_once)
{
    struct recorder of_view[2], by_page;
    char *views[2];

    set_up(MEMORY_DEVICE_GENERIC, PAGEMAP_REVOKE_AUTO);
    put_in();
    for (unsigned i = 0; i < 2; i++) {
        views[i] = file_rig_view(&rig, i, 3);
        recorder_watch(&of_view[i], false, (uintptr_t)views[i], 3 * PAGE_SIZE);
    }
    recorder_watch(&by_page, true, 0, PAGES * PAGE_SIZE);
    for (unsigned round = 0; round < 4; round++) {
        CHECK_EQ(replace(2, round % 2 == 0 ? 2 : 10, round % 2 == 0 ? 10 : 2), 0);
        for (unsigned i = 0; i < 2; i++) {
            recorder_check(&of_view[i], MMU_NOTIFY_CLEAR, (uintptr_t)views[i] + (2 - i) * PAGE_SIZE,
                           PAGE_SIZE);
        }
        recorder_check(&by_page, MMU_NOTIFY_CLEAR, 2 * PAGE_SIZE, round % 2 == 0 ? PAGE_SIZE : 0);
    }
    unmap_mapping_pages(&rig.file, 2, 1, false);
    for (unsigned i = 0; i < 2; i++) {
        of_view[i].begun = of_view[i].ended = 0;
    }
    CHECK_EQ(replace(2, 2, 10), 0);
    for (unsigned i = 0; i < 2; i++) {
        recorder_check(&of_view[i], MMU_NOTIFY_CLEAR, 0, 0); /* it shows none */
        recorder_leave(&of_view[i]);
        CHECK_EQ(vm_munmap(views[i], 3 * PAGE_SIZE), 0);
    }
    recorder_leave(&by_page);
    file_rig_tear_down(&rig);
}

/* ---- beside readers ---- */

static char *shown[2];
static uint64_t stop, reads, pins, finds;

static void add(uint64_t *word)
{
    (void)__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
}

static uint64_t next_index(struct prng *prng)
{
    return prng_below(prng, PAGES);
}

/* Through the views, and by pins, which hold a page as it was; a fault or an error is a failure of the test. */
static void *look(void *number)
{
    struct prng prng = prng_stream(test_seed(), 10 + (uint64_t)(uintptr_t)number);

    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        uint64_t index = next_index(&prng);
        char *address = shown[prng_below(&prng, 2)] + index * PAGE_SIZE;
        struct page *page = NULL;

        if (!TSAN) {
            CHECK(is_whole((uint64_t *)(void *)address, index), "index %u", (unsigned)index);
        }
        add(&reads);
        CHECK_EQ(pin_user_pages((uintptr_t)address, 1, FOLL_WRITE, &page), 1);
        if (page != NULL) {
            CHECK(is_whole(page_address(page), index));
            unpin_user_page(page);
            add(&pins);
        }
        page = find_get_page(&rig.file, index);
        CHECK_NE(page, NULL);
        if (page != NULL) {
            CHECK(is_whole(page_address(page), index));
            put_page(page);
            add(&finds);
        }
    }
    return NULL;
}

static bool all_have_looked(void)
{
    return __atomic_load_n(&reads, __ATOMIC_RELAXED) > 0 && __atomic_load_n(&pins, __ATOMIC_RELAXED) > 0 &&
           __atomic_load_n(&finds, __ATOMIC_RELAXED) > 0;
}

/*
 * The other page of the index, with the same bytes; the old one is somebody else's as soon as nobody holds it. Until
 * they have been looked at in each way as well: readers may have no processor for long.
 */
static void move_pages(unsigned rounds)
{
    struct prng prng = prng_stream(test_seed(), 1);
    uint64_t pfn[PAGES];

    for (uint64_t i = 0; i < PAGES; i++) {
        pfn[i] = i;
    }
    for (unsigned i = 0; i < rounds || !all_have_looked(); i++) {
        uint64_t index = next_index(&prng), other = pfn[index] < 100 ? index + 100 : index;

        allocate(other);
        fill(other, index);
        REQUIRE_EQ(replace(index, pfn[index], other), 0);
        wait_on_page_idle(pfn_to_page(pfn[index]));
        scribble(pfn[index]);
        pfn[index] = other;
    }
}

/* A page that was absent for a moment is none that was refused: it was looked for again, and found. */
static uint64_t refusals(void)
{
    struct pagemap_statistics of;

    REQUIRE_EQ(pagemap_stats(&of, sizeof of), 0);
    return of.refused_no_view + of.refused_absent + of.refused_killed;
}

static void beside_readers(enum memory_type type, enum pagemap_revocation how, unsigned rounds)
{
    pthread_t threads[3];
    uint64_t refused;

    set_up(type, how);
    put_in();
    refused = refusals();
    stop = 0;
    reads = pins = finds = 0;
    for (unsigned i = 0; i < 2; i++) {
        shown[i] = file_rig_view(&rig, 0, PAGES);
    }
    for (uintptr_t i = 0; i < 3; i++) {
        REQUIRE_EQ(pthread_create(&threads[i], NULL, look, (void *)i), 0);
    }
    move_pages(rounds);
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 3; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    CHECK_GT(reads, 0);
    CHECK_GT(pins, 0);
    CHECK_GT(finds, 0);
    CHECK_EQ(refusals() - refused, 0);
    CHECK_EQ(vm_munmap(shown[0], PAGES * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(shown[1], PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(replace, ten_thousand_beside_readers_and_pins)
{
    beside_readers(MEMORY_DEVICE_GENERIC, PAGEMAP_REVOKE_AUTO, 2 * ROUNDS * test_scale());
    beside_readers(MEMORY_DEVICE_GENERIC, PAGEMAP_REVOKE_OVERLAY, ROUNDS * test_scale());
    beside_readers(MEMORY_DEVICE_COHERENT, PAGEMAP_REVOKE_AUTO, 2 * ROUNDS * test_scale());
}
