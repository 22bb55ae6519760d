// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two devices that do DMA, beside a thread that makes pages go in every way there is. One was given addresses, and
 * pins; the other was given pages, and holds nothing: only the protocol keeps it away. Neither ever touches a page
 * after the call that took it has returned.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "test/pagemap/file_rig.h"
#include "test/shim/prng.h"

#if defined(__SANITIZE_THREAD__)
enum { ROUNDS = 50 };
#else
enum { ROUNDS = 200 };
#endif
enum { PAGES = 8, FIRST_PFN = 512 };

struct dma {
    struct mmu_interval_notifier subscription; /* the first member */
    bool pins;                                 /* of addresses; else of pages */
    pthread_mutex_t lock;
    bool active;
    uint64_t index, key; /* the address that it was given */
    struct page *page;
    struct prng prng;
    uint64_t touches, stale, stopped;
    uint64_t steps; /* how often it touched, or looked for something to touch */
};

static struct file_rig rig;
static struct dma devices[2];
static uint64_t view;                             /* its address; 0: there is none */
static uint64_t gone_address[PAGES], gone[PAGES]; /* since a call has returned */
static uint64_t stop;

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void store(uint64_t *word, uint64_t value)
{
    (void)__atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

/* ---- the devices ---- */

static void let_go(struct dma *dma)
{
    if (dma->active && dma->pins) {
        unpin_user_page(dma->page);
    }
    dma->active = false;
}

static bool invalidate(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                       unsigned long cur_seq)
{
    struct dma *dma = (struct dma *)(void *)subscription;

    (void)pthread_mutex_lock(&dma->lock);
    mmu_interval_set_seq(subscription, cur_seq);
    if (dma->active && range->start <= dma->key && dma->key < range->end) {
        let_go(dma);
        dma->stopped++;
    }
    (void)pthread_mutex_unlock(&dma->lock);
    return true;
}

/* With its lock held. The bytes are those of the linear map, which ends with the device. */
static void touch(struct dma *dma)
{
    const uint64_t *word = dma->pins ? &gone_address[dma->index] : &gone[dma->index];

    CHECK_EQ(load(word), 0);
    ((uint64_t *)page_address(dma->page))[dma->pins] += 1;
    (void)__atomic_fetch_add(&dma->touches, 1, __ATOMIC_RELAXED);
}

/* The page, and a reference on it that lasts until it is given back, or until the lock is had. */
static struct page *look_up(struct dma *dma)
{
    struct page *page;

    if (!dma->pins) {
        dma->key = (FIRST_PFN + dma->index) * PAGE_SIZE;
        return find_get_page(&rig.file, dma->index);
    }
    dma->key = load(&view) + dma->index * PAGE_SIZE;
    return dma->key >= PAGES * PAGE_SIZE && pin_user_pages(dma->key, 1, FOLL_WRITE, &page) == 1 ? page : NULL;
}

static void give_back(const struct dma *dma, struct page *page)
{
    if (dma->pins) {
        unpin_user_page(page);
    } else {
        put_page(page);
    }
}

static void start(struct dma *dma)
{
    unsigned long seq = mmu_interval_read_begin(&dma->subscription);
    struct page *page;
    bool stale;

    (void)pthread_mutex_lock(&dma->lock);
    dma->index = prng_below(&dma->prng, PAGES);
    (void)pthread_mutex_unlock(&dma->lock);
    page = look_up(dma);
    if (page == NULL) {
        (void)sched_yield();
        return;
    }
    (void)pthread_mutex_lock(&dma->lock);
    stale = mmu_interval_read_retry(&dma->subscription, seq);
    dma->active = !stale;
    dma->page = page;
    dma->stale += stale;
    (void)pthread_mutex_unlock(&dma->lock);
    if (stale || !dma->pins) {
        give_back(dma, page);
    }
}

static void *run(void *context)
{
    struct dma *dma = context;

    while (!load(&stop)) {
        bool active;

        (void)pthread_mutex_lock(&dma->lock);
        active = dma->active;
        if (active) {
            touch(dma);
        }
        if (active && prng_below(&dma->prng, 64) == 0) {
            let_go(dma);
        }
        (void)pthread_mutex_unlock(&dma->lock);
        if (!active) {
            start(dma);
        }
        (void)__atomic_fetch_add(&dma->steps, 1, __ATOMIC_SEQ_CST);
    }
    (void)pthread_mutex_lock(&dma->lock);
    let_go(dma);
    (void)pthread_mutex_unlock(&dma->lock);
    return NULL;
}

/* Knows no protocol; what it pins is given back soon. */
static void *pin_anything(void *context)
{
    struct prng prng = prng_stream(test_seed(), 77);

    (void)context;
    while (!load(&stop)) {
        uint64_t start_address = load(&view) + prng_below(&prng, PAGES) * PAGE_SIZE;
        struct page *pages[2];
        long got = pin_user_pages(start_address, 2, 0, pages);

        if (got > 0) {
            unpin_user_pages(pages, (unsigned long)got);
        }
    }
    return NULL;
}

/* ---- what goes ---- */

static void mark(uint64_t *words, uint64_t first, uint64_t nr_pages, uint64_t is_gone)
{
    for (uint64_t i = first; i < first + nr_pages; i++) {
        store(&words[i], is_gone);
    }
}

static void wait_beyond(const uint64_t *count, uint64_t value)
{
    while (load(count) <= value) {
        (void)usleep(10);
    }
}

/* From now on no device may touch them, until each of them has had a whole step in which it would. */
static void are_gone(uint64_t *words, uint64_t first, uint64_t nr_pages)
{
    uint64_t before[2];

    mark(words, first, nr_pages, 1);
    for (unsigned i = 0; i < 2; i++) {
        before[i] = load(&devices[i].steps);
    }
    for (unsigned i = 0; i < 2; i++) {
        wait_beyond(&devices[i].steps, before[i] + 1);
    }
}

/* Everything is there: each of them touches something. */
static void let_devices_work(void)
{
    for (unsigned i = 0; i < 2; i++) {
        wait_beyond(&devices[i].touches, load(&devices[i].touches));
    }
}

static void show_view(void)
{
    mark(gone_address, 0, PAGES, 0);
    store(&view, (uint64_t)(uintptr_t)file_rig_view(&rig, 0, PAGES));
}

static void unmap_view(void)
{
    CHECK_EQ(vm_munmap((void *)(uintptr_t)view, PAGES * PAGE_SIZE), 0);
}

static void revoke_part(uint64_t first, uint64_t nr_pages)
{
    unmap_mapping_pages(&rig.file, first, nr_pages, false);
    are_gone(gone_address, first, nr_pages);
    mark(gone_address, first, nr_pages, 0);
    CHECK_EQ(map_mapping_range(&rig.file, first * PAGE_SIZE, nr_pages * PAGE_SIZE), 0);
}

static void break_layout(uint64_t first, uint64_t nr_pages)
{
    dax_break_layout(&rig.file, first * PAGE_SIZE, (first + nr_pages) * PAGE_SIZE - 1);
    are_gone(gone_address, first, nr_pages);
    mark(gone_address, first, nr_pages, 0);
    CHECK_EQ(map_mapping_range(&rig.file, first * PAGE_SIZE, nr_pages * PAGE_SIZE), 0);
}

static void take_out(uint64_t first, uint64_t nr_pages, bool waits)
{
    uint64_t start_byte = first * PAGE_SIZE, end = (first + nr_pages) * PAGE_SIZE - 1;

    CHECK_EQ((waits ? truncate_inode_pages_range : filemap_remove_pages)(&rig.file, start_byte, end), 0);
    mark(gone_address, first, nr_pages, 1);
    are_gone(gone, first, nr_pages);
}

static void put_in(uint64_t first, uint64_t nr_pages)
{
    mark(gone_address, first, nr_pages, 0);
    mark(gone, first, nr_pages, 0);
    CHECK_EQ(filemap_add_pages(&rig.file, first, FIRST_PFN + first, nr_pages), 0);
}

static void poison(uint64_t index)
{
    CHECK_EQ(memory_failure(FIRST_PFN + index, 0), 0);
    mark(gone_address, index, 1, 1);
    are_gone(gone, index, 1);
    mark(gone_address, index, 1, 0);
    mark(gone, index, 1, 0);
    CHECK_EQ(unpoison_memory(FIRST_PFN + index), 0);
    CHECK_EQ(map_mapping_range(&rig.file, index * PAGE_SIZE, PAGE_SIZE), 0);
}

/* The linear map goes with it. */
static void remove_device(void)
{
    take_out(0, PAGES, true);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    put_in(0, PAGES);
}

static void one_way(struct prng *prng)
{
    uint64_t first = prng_below(prng, PAGES), nr_pages = prng_between(prng, 1, PAGES - first);

    switch (prng_below(prng, 8)) {
    case 0:
        unmap_view();
        are_gone(gone_address, 0, PAGES);
        show_view();
        break;
    case 1:
        take_out(first, nr_pages, true);
        put_in(first, nr_pages);
        break;
    case 2:
        take_out(first, nr_pages, false);
        put_in(first, nr_pages);
        break;
    case 3:
        poison(first);
        break;
    case 4:
        break_layout(first, nr_pages);
        break;
    case 5:
        if (prng_below(prng, 4) == 0) {
            remove_device();
        }
        break;
    default:
        revoke_part(first, nr_pages);
    }
}

/* The device that holds pages is told of all of them, the other one of all of the process. */
static void set_up_device(struct dma *dma, unsigned number)
{
    static const struct mmu_interval_notifier_ops ops = {invalidate, NULL};

    *dma = (struct dma){.pins = number == 0};
    dma->prng = prng_stream(test_seed(), 10 + number);
    (void)pthread_mutex_init(&dma->lock, NULL);
    REQUIRE_EQ(dma->pins ? mmu_interval_notifier_insert(&dma->subscription, NULL, 0, UINT64_MAX, &ops)
                         : pagemap_interval_notifier_insert(&dma->subscription, FIRST_PFN * PAGE_SIZE,
                                                            PAGES * PAGE_SIZE, &ops),
               0);
}

static bool has_been_stopped(struct dma *dma)
{
    uint64_t stopped;

    (void)pthread_mutex_lock(&dma->lock);
    stopped = dma->stopped;
    (void)pthread_mutex_unlock(&dma->lock);
    return stopped > 0;
}

/* On `how`. The rig's device is of type GENERIC, whose truncation waits for pins: callbacks end them. */
static void torture(enum pagemap_revocation how)
{
    struct prng prng = prng_stream(test_seed(), 1);
    pthread_t threads[3];

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pagemap_set_revocation(how), 0);
    store(&stop, 0);
    put_in(0, PAGES);
    show_view();
    for (unsigned i = 0; i < 2; i++) {
        set_up_device(&devices[i], i);
        REQUIRE_EQ(pthread_create(&threads[i], NULL, run, &devices[i]), 0);
    }
    REQUIRE_EQ(pthread_create(&threads[2], NULL, pin_anything, NULL), 0);
    for (unsigned i = 0;
         i < ROUNDS * test_scale() || !has_been_stopped(&devices[0]) || !has_been_stopped(&devices[1]); i++) {
        let_devices_work();
        one_way(&prng);
    }
    store(&stop, 1);
    for (unsigned i = 0; i < 3; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i < 2; i++) {
        CHECK_GT(devices[i].touches, 0);
        CHECK_GT(devices[i].stopped, 0);
        (void)printf("device %u: %llu touches, stopped %llu times, %llu times stale\n", i,
                     (unsigned long long)devices[i].touches, (unsigned long long)devices[i].stopped,
                     (unsigned long long)devices[i].stale);
        CHECK_EQ(mmu_interval_notifier_remove(&devices[i].subscription), 0);
        (void)pthread_mutex_destroy(&devices[i].lock);
    }
    unmap_view();
    file_rig_tear_down(&rig);
}

TEST_CASE(notifier_dma, nothing_is_touched_after_it_went)
{
    torture(PAGEMAP_REVOKE_AUTO);
}

TEST_CASE(notifier_dma, nor_with_the_overlay)
{
    torture(PAGEMAP_REVOKE_OVERLAY);
}
