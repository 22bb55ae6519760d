// SPDX-License-Identifier: BSD-2-Clause
/*
 * When a wait tells for whom it waits, and what is counted of it, by a clock that stands where the test puts it:
 * clock_gettime() and syscall() are ours here.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "pagemap/holders/report.h"
#include "pagemap/statistics.h"
#include "test/pagemap/rig.h"
#include "test/pagemap/sanitized.h"
#include "test/shim/system_call.h"

enum { MAX_SLEEPS = 64 };

static struct {
    bool on;
    uint64_t now_ns;
    uint64_t slept_ms[MAX_SLEEPS]; /* UINT64_MAX: without end */
    unsigned sleeps;
} fake;

static uint64_t ns(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int (*next)(clockid_t, struct timespec *);

    if (fake.on && clock == CLOCK_MONOTONIC) {
        *time = (struct timespec){(time_t)(fake.now_ns / 1000000000), (long)(fake.now_ns % 1000000000)};
        return 0;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    return next(clock, time);
}

/* Sleeps up to the deadline, or for a second where there is none. */
long syscall(long number, ...)
{
    long a[SYSTEM_CALL_ARGUMENTS];
    va_list list;

    va_start(list, number);
    system_call_arguments(list, a);
    va_end(list);
    if (fake.on && number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
        const struct timespec *deadline = (const struct timespec *)a[3];
        uint64_t until = deadline == NULL ? fake.now_ns + 1000000000 : ns(deadline);

        REQUIRE_LT(fake.sleeps, (unsigned)MAX_SLEEPS);
        fake.slept_ms[fake.sleeps++] = deadline == NULL ? UINT64_MAX : (until - fake.now_ns) / 1000000;
        fake.now_ns = until;
        errno = ETIMEDOUT;
        return deadline == NULL ? 0 : -1;
    }
    return system_call(number, a);
}

static struct pagemap_memory *memory;
static struct dev_pagemap pgmap;
static uint64_t said_ms[MAX_SLEEPS];
static unsigned says;

static void note(const char *message)
{
    unsigned long long start, waited;

    REQUIRE_EQ(
        sscanf(message, "device memory from %llx on is waited for since %llu ms; held by", &start, &waited),
        2, "%s", message);
    CHECK_EQ(start, RIG_GB);
    REQUIRE_LT(says, (unsigned)MAX_SLEEPS);
    said_ms[says++] = waited;
}

static void set_up(void)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);

    if (SANITIZED) {
        TEST_SKIP("the sanitizer has these calls");
    }
    warnings_count();
    memory = rig_plug(RIG_GB, 2 * RIG_MB);
    pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    (void)pagemap_set_warn_fn(note);
    says = 0;
    fake.sleeps = 0;
    fake.now_ns = UINT64_C(7) * 1000000000 + 999999999;
}

static void tear_down(void)
{
    fake.on = false;
    warnings_count();
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

static unsigned looks_left;

static bool is_last_look(void *unused)
{
    (void)unused;
    return --looks_left == 0;
}

/* A wait of so many looks; the first is before it sleeps, and at a deadline there are two. */
static void wait_for(unsigned looks, struct dev_pagemap *of)
{
    static uint64_t word;

    looks_left = looks;
    says = 0;
    fake.sleeps = 0;
    fake.on = true;
    pm_wait_telling(&word, is_last_look, NULL, of);
    fake.on = false;
}

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics statistics;

    REQUIRE_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
    return statistics;
}

static uint64_t waits_before;
static uint64_t advance_ns;

static bool is_after(void *unused)
{
    if (is_last_look(unused)) {
        CHECK_EQ(stats().waits, waits_before + 1);
        CHECK_EQ(stats().waits_now, 1);
        fake.now_ns += advance_ns;
        return true;
    }
    return false;
}

/* The first test, for it knows the longest: to the nanosecond. A wait that does not sleep is none. */
TEST_CASE(telling, waits_are_counted)
{
    static const uint64_t lengths[] = {5, 5000000001, 5000000000, 5000000001, 5000000002, 1};
    static uint64_t word;
    uint64_t longest = 0;

    set_up();
    (void)pagemap_set_holders_delay(0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        waits_before = stats().waits;
        looks_left = 1;
        fake.on = true;
        pm_wait_telling(&word, is_last_look, NULL, &pgmap);
        CHECK_EQ(stats().waits, waits_before, "true at once");
        looks_left = 2;
        advance_ns = lengths[i];
        pm_wait_telling(&word, is_after, NULL, &pgmap);
        fake.on = false;
        CHECK_EQ(looks_left, 0u);
        CHECK_EQ(stats().waits, waits_before + 1);
        CHECK_EQ(stats().waits_now, 0);
        longest = lengths[i] > longest ? lengths[i] : longest;
        CHECK_EQ(stats().longest_wait_ns, longest);
    }
    tear_down();
}

/* Four times as long each time, up to ten minutes; what is said is the sum. */
static void check_delays(unsigned first_ms, const uint64_t *delays, unsigned count)
{
    uint64_t waited = 0;

    (void)pagemap_set_holders_delay(first_ms);
    wait_for(20, &pgmap);
    REQUIRE_GE(says, count);
    REQUIRE_GE(fake.sleeps, count);
    for (unsigned i = 0; i < count; i++) {
        waited += delays[i];
        CHECK_EQ(fake.slept_ms[i], delays[i], "delay %u of %u", i, first_ms);
        CHECK_EQ(said_ms[i], waited, "delay %u of %u", i, first_ms);
    }
}

TEST_CASE(telling, delays)
{
    static const struct {
        unsigned first;
        uint64_t delays[6];
    } cases[] = {
        {1, {1, 4, 16, 64, 256, 1024}},
        {2, {2, 8, 32, 128, 512, 2048}},
        {1000, {1000, 4000, 16000, 64000, 256000, 600000}},
        {37500, {37500, 150000, 600000, 600000, 600000, 600000}},
        {37499, {37499, 149996, 599984, 600000, 600000, 600000}},
        {37501, {37501, 150004, 600000, 600000, 600000, 600000}},
        {120001, {120001, 480004, 600000, 600000, 600000, 600000}},
        {149999, {149999, 599996, 600000, 600000, 600000, 600000}},
        {150001, {150001, 600000, 600000, 600000, 600000, 600000}},
        {199999, {199999, 600000, 600000, 600000, 600000, 600000}},
        {700000, {700000, 600000, 600000, 600000, 600000, 600000}},
    };

    set_up();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_delays(cases[i].first, cases[i].delays, 6);
    }
    tear_down();
}

/* With a delay of 0, and where it is of no device, nothing is said however long it takes. */
TEST_CASE(telling, never)
{
    set_up();
    for (unsigned delay = 0; delay <= 1; delay++) {
        (void)pagemap_set_holders_delay(delay);
        wait_for(5, delay == 0 ? &pgmap : NULL);
        CHECK_EQ(looks_left, 0u);
        CHECK_EQ(says, 0u);
        CHECK_EQ(fake.slept_ms[0], UINT64_MAX);
    }
    CHECK_EQ(pagemap_set_holders_delay(5), 1u);
    CHECK_EQ(pagemap_set_holders_delay(1000), 5u);
    tear_down();
}

/* A teardown with a limit of time that is not 0 is a wait, too. */
TEST_CASE(telling, teardowns_with_a_limit)
{
    struct dev_pagemap *held;
    uint64_t waits;

    set_up();
    (void)pagemap_set_holders_delay(1);
    held = get_dev_pagemap(PHYS_PFN(RIG_GB), NULL);
    REQUIRE_EQ(held, &pgmap);
    for (unsigned limit = 0; limit < 3; limit++) {
        waits = stats().waits;
        fake.sleeps = 0;
        fake.on = true;
        CHECK_EQ(memunmap_pages_timeout(&pgmap, limit), -ETIMEDOUT);
        fake.on = false;
        CHECK_EQ(stats().waits, waits + (limit > 0 ? 1 : 0));
        CHECK_EQ(stats().waits_now, 0);
        CHECK_EQ(says, 0u, "for so long only");
        if (limit > 0) {
            CHECK_EQ(fake.slept_ms[0], limit);
        }
    }
    put_dev_pagemap(held);
    waits = stats().waits;
    CHECK_EQ(memunmap_pages_timeout(&pgmap, 5), 0);
    CHECK_EQ(stats().waits, waits, "nobody to wait for");
    REQUIRE_EQ(rig_map(&pgmap), 0);
    tear_down();
}
