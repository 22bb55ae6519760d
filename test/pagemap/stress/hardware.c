// SPDX-License-Identifier: BSD-2-Clause
#include "test/pagemap/stress/hardware.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

enum { ATTEMPTS = 8 }; /* of a step */

struct hardware hardware[DRIVERS];

static struct hardware *hardware_of(const struct driver *driver)
{
    return &hardware[driver - drivers];
}

static uint64_t slot_start(const struct hardware *it)
{
    return (uint64_t)(it->driver - drivers) * SLOT_MB * RIG_MB;
}

static bool is_in_file(const struct held *held)
{
    return held->index != UINT64_MAX;
}

/* ---- letting go; with the unit's lock ---- */

static void let_go(const struct unit *unit, struct held *held)
{
    if (held->page != NULL && unit->has_addresses) {
        unpin_user_page(held->page);
    } else if (held->page != NULL && !is_in_file(held)) {
        put_page(held->page);
    }
    held->page = NULL;
}

static bool invalidate(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                       unsigned long cur_seq)
{
    struct unit *unit = (struct unit *)(void *)subscription;
    uint64_t let_go_of = 0;

    (void)pthread_mutex_lock(&unit->lock);
    mmu_interval_set_seq(subscription, cur_seq);
    for (unsigned i = 0; i < HELD; i++) {
        struct held *held = &unit->held[i];

        if (held->page != NULL && range->start <= held->key && held->key < range->end) {
            let_go(unit, held);
            let_go_of++;
        }
    }
    (void)pthread_mutex_unlock(&unit->lock);
    add(&unit->hardware->told, 1);
    add(&unit->hardware->let_go, let_go_of);
    return true;
}

static void let_all_go(struct unit *unit)
{
    (void)pthread_mutex_lock(&unit->lock);
    for (unsigned i = 0; i < HELD; i++) {
        let_go(unit, &unit->held[i]);
    }
    (void)pthread_mutex_unlock(&unit->lock);
}

/* ---- what it has; with the unit's lock ---- */

/* False: it has gone, and the check has failed. */
static bool check_held(const struct unit *unit, const struct held *held)
{
    const struct driver *driver = unit->hardware->driver;
    bool is_there = loaded(&driver->magic) == MAGIC;

    CHECK(is_there, "of a device that was torn down");
    if (is_there && !unit->has_addresses) {
        CHECK_EQ(loaded(&driver->is_dead), 0, "of a device that was killed");
    }
    if (is_there && is_in_file(held)) {
        CHECK_EQ(loaded(label_of(held->page)), page_to_pfn(held->page),
                 "of what is not in the file any more");
    }
    if (is_there && unit->has_addresses) {
        CHECK_EQ(loaded(&driver->gone[held->view][held->index]), 0, "of what was revoked");
    }
    return is_there;
}

static void check_unit(struct unit *unit)
{
    (void)pthread_mutex_lock(&unit->lock);
    for (unsigned i = 0; i < HELD; i++) {
        if (unit->held[i].page != NULL) {
            (void)check_held(unit, &unit->held[i]);
        }
    }
    (void)pthread_mutex_unlock(&unit->lock);
}

/* Reads and writes; nothing that it may use goes meanwhile, since the callback waits for the lock. */
static void use(struct unit *unit)
{
    const uint64_t bit = UINT64_C(1) << (READERS + (unit->hardware - hardware) * UNITS + unit->has_addresses);

    (void)pthread_mutex_lock(&unit->lock);
    for (unsigned i = 0; i < HELD; i++) {
        struct held *held = &unit->held[i];

        if (held->page != NULL && check_held(unit, held)) {
            set_bit(held->page, bit);
            take_bit(held->page, bit);
            add(&unit->hardware->uses, 1);
        }
    }
    (void)pthread_mutex_unlock(&unit->lock);
}

/* ---- looking up; without the lock ---- */

/* What a view shows. The pin lasts. */
static struct page *pin_address(struct unit *unit, struct held *held)
{
    struct prng *prng = &unit->hardware->prng;
    uint64_t view;
    struct page *page;

    held->view = (unsigned)prng_below(prng, VIEWS);
    held->index = prng_below(prng, VIEW_PAGES);
    view = loaded(&unit->hardware->driver->views[held->view]);
    held->key = view + held->index * PAGE_SIZE;
    return view != 0 && pin_user_pages(held->key, 1, FOLL_WRITE | FOLL_PCI_P2PDMA, &page) == 1 ? page : NULL;
}

/*
 * A page of the file, whose reference lasts until the lock is had; or one beyond those that come into the file, and
 * beyond the compound page that has them, whose reference lasts.
 */
static struct page *look_up_page(struct unit *unit, struct held *held)
{
    struct prng *prng = &unit->hardware->prng;
    struct page *page;

    if (prng_below(prng, 4) != 0) {
        held->index = prng_below(prng, VIEW_PAGES);
        page = find_get_page(&unit->hardware->driver->file, held->index);
    } else {
        held->index = UINT64_MAX;
        page = pagemap_get_page(PHYS_PFN(slot_start(unit->hardware)) +
                                prng_between(prng, FILE_PFNS_END, SLOT_MB * RIG_MB / PAGE_SIZE - 1));
    }
    held->key = page == NULL ? 0 : PFN_PHYS(page_to_pfn(page));
    return page;
}

static void give_back(const struct unit *unit, struct page *page)
{
    if (unit->has_addresses) {
        unpin_user_page(page);
    } else {
        put_page(page);
    }
}

/* What its notifier is not of, it would not be told of. */
static bool is_of_interval(const struct unit *unit, const struct held *held)
{
    return unit->start <= held->key && held->key - unit->start < unit->bytes;
}

/* Takes it, in place of another if need be. False: it was invalidated meanwhile. */
static bool try_take(struct unit *unit, const struct held *taken, unsigned long seq)
{
    struct held *held = &unit->held[prng_below(&unit->hardware->prng, HELD)];
    bool is_good;

    (void)pthread_mutex_lock(&unit->lock);
    is_good = !mmu_interval_read_retry(&unit->subscription, seq);
    if (is_good) {
        let_go(unit, held);
        *held = *taken;
    } else {
        unit->hardware->stale++;
    }
    (void)pthread_mutex_unlock(&unit->lock);
    return is_good;
}

static void attempt(struct unit *unit)
{
    unsigned long seq = mmu_interval_read_begin(&unit->subscription);
    struct held held;
    bool is_taken;

    held.view = 0;
    held.page = unit->has_addresses ? pin_address(unit, &held) : look_up_page(unit, &held);
    if (held.page == NULL) {
        return;
    }
    if (prng_below(&unit->hardware->prng, 4) == 0) {
        (void)sched_yield(); /* for others to invalidate it */
    }
    is_taken = is_of_interval(unit, &held) && try_take(unit, &held, seq);
    if (!is_taken || (!unit->has_addresses && is_in_file(&held))) {
        give_back(unit, held.page);
    }
}

/* ---- intervals ---- */

/*
 * All that there may be, or one view, where it lies now; or a part of the device's slot that may have a bound within
 * it.
 */
static void choose_interval(struct unit *unit)
{
    const struct hardware *it = unit->hardware;
    struct prng *prng = &unit->hardware->prng;
    uint64_t view = loaded(&it->driver->views[prng_below(prng, VIEWS)]);
    bool is_wide = prng_below(prng, 2) == 0;

    if (unit->has_addresses) {
        unit->start = is_wide || view == 0 ? 0 : view;
        unit->bytes = is_wide || view == 0 ? UINT64_MAX : VIEW_PAGES * PAGE_SIZE;
    } else {
        unit->start = slot_start(it);
        unit->bytes = is_wide ? SLOT_MB * RIG_MB : prng_between(prng, RIG_MB, SLOT_MB * RIG_MB);
    }
}

static void insert(struct unit *unit)
{
    static const struct mmu_interval_notifier_ops ops = {invalidate, NULL};

    choose_interval(unit);
    REQUIRE_EQ(unit->has_addresses
                   ? mmu_interval_notifier_insert(&unit->subscription, NULL, unit->start, unit->bytes, &ops)
                   : pagemap_interval_notifier_insert(&unit->subscription, unit->start, unit->bytes, &ops),
               0);
    unit->hardware->inserted++;
}

/* From then on it would not be told. Another removal, or an invalidation, may be under way. */
static void take_away(struct unit *unit)
{
    let_all_go(unit);
    CHECK_EQ(mmu_interval_notifier_remove(&unit->subscription), 0);
}

/* ---- the thread ---- */

static void step(struct hardware *it)
{
    struct unit *unit = &it->units[prng_below(&it->prng, UNITS)];

    if (prng_below(&it->prng, 4) == 0) {
        take_away(unit);
        insert(unit);
    }
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        attempt(unit);
    }
    (void)sched_yield();
    for (unsigned i = 0; i < UNITS; i++) {
        use(&it->units[i]);
    }
    add(&it->steps, 1);
}

static void *run(void *context)
{
    struct hardware *it = context;

    take_signals();
    while (!loaded(&it->stop)) {
        step(it);
    }
    for (unsigned i = 0; i < UNITS; i++) {
        take_away(&it->units[i]);
    }
    return NULL;
}

/* Inserted here: each REQUIRE is the test's, and the driver need not wait for it. */
void hardware_start(unsigned number)
{
    struct hardware *it = &hardware[number];

    it->driver = &drivers[number];
    it->prng = prng_stream(test_seed(), 200 + number);
    for (unsigned i = 0; i < UNITS; i++) {
        it->units[i].hardware = it;
        it->units[i].has_addresses = i == 0;
        (void)pthread_mutex_init(&it->units[i].lock, NULL);
        insert(&it->units[i]);
    }
    REQUIRE_EQ(pthread_create(&it->thread, NULL, run, it), 0);
}

/* ---- for the driver ---- */

void hardware_stop(const struct driver *driver)
{
    struct hardware *it = hardware_of(driver);

    (void)__atomic_exchange_n(&it->stop, 1, __ATOMIC_SEQ_CST);
    (void)pthread_join(it->thread, NULL);
}

void hardware_check(const struct driver *driver)
{
    for (unsigned i = 0; i < UNITS; i++) {
        check_unit(&hardware_of(driver)->units[i]);
    }
}

void hardware_await(const struct driver *driver)
{
    const uint64_t *steps = &hardware_of(driver)->steps;
    uint64_t before = loaded(steps);

    while (loaded(steps) < before + 2) { /* one of them began after this */
        (void)usleep(10);
    }
}

void hardware_check_counts(const struct driver *driver)
{
    const struct hardware *it = hardware_of(driver);

    CHECK_GT(it->uses, 0);
    CHECK_GT(it->told, 0);
    CHECK_GT(it->let_go, 0, "when it was told");
    CHECK_GT(it->inserted, UNITS);
    (void)printf(
        "driver %u: %llu pages replaced; its hardware: %llu uses, told %llu times and let %llu pages "
        "go, %llu times stale\n",
        (unsigned)(driver - drivers), (unsigned long long)driver->replaced, (unsigned long long)it->uses,
        (unsigned long long)it->told, (unsigned long long)it->let_go, (unsigned long long)it->stale);
}

/* ---- in a child ---- */

static uint64_t count_told(void)
{
    uint64_t told = 0;

    for (unsigned i = 0; i < DRIVERS; i++) {
        told += loaded(&hardware[i].told);
    }
    return told;
}

bool hardware_is_told_in_child(void)
{
    uint64_t before = count_told();
    struct mmu_notifier_range range;

    mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, NULL, NULL, 0, UINT64_MAX);
    mmu_notifier_invalidate_range_start(&range);
    mmu_notifier_invalidate_range_end(&range);
    return count_told() != before;
}
