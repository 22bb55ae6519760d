// SPDX-License-Identifier: BSD-2-Clause
/* All threads, and what they must have come to. */
#include <pthread.h>

#include "test/pagemap/stress/hardware.h"
#include "test/pagemap/stress/world.h"

uint64_t forbidden, is_cut_short, stop;
bool is_short;

static void join_all(const pthread_t *reader, const pthread_t *driver, pthread_t forker)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        (void)pthread_join(driver[i], NULL);
    }
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    set_timer(0);
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(reader[i], NULL);
    }
    if (!SANITIZED) {
        (void)pthread_join(forker, NULL);
        CHECK_GT(forked, 0);
    }
}

static void check_counts(void)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        CHECK_GT(drivers[i].mapped, 0);
        CHECK_GT(drivers[i].failed, 0);
        CHECK_GT(drivers[i].failed_file_steps, 0);
        CHECK_GT(drivers[i].replaced, 0);
        CHECK_GT(drivers[i].refused, 0);
        hardware_check_counts(&drivers[i]);
    }
    CHECK_GT(loaded(&hits), 0);
    CHECK_GT(loaded(&page_hits), 0);
    CHECK_GT(loaded(&gup_hits), 0);
    CHECK_GT(loaded(&gup_misses), 0);
    CHECK_GT(loaded(&handled), 0);
}

void torture(void (*interfere)(void))
{
    struct pagemap_memory *memory = rig_plug(0, DRIVERS * SLOT_MB * RIG_MB);
    pthread_t reader[READERS], driver[DRIVERS], forker = pthread_self();

    warnings_count();
    block_signals();
    for (unsigned i = 0; i < READERS; i++) {
        REQUIRE_EQ(pthread_create(&reader[i], NULL, read_randomly, (void *)(uintptr_t)i), 0);
    }
    for (unsigned i = 0; i < DRIVERS; i++) {
        set_up_driver(i);
        hardware_start(i);
        REQUIRE_EQ(pthread_create(&driver[i], NULL, drive, &drivers[i]), 0);
    }
    start_signals();
    if (!SANITIZED) {
        REQUIRE_EQ(pthread_create(&forker, NULL, fork_often, NULL), 0);
    }
    if (interfere != NULL) {
        interfere();
    }
    join_all(reader, driver, forker);
    if (loaded(&forbidden) == 0) {
        if (loaded(&is_cut_short) == 0) { /* else they may have come to an end too soon */
            check_counts();
        }
        CHECK_EQ(warnings_take(), 0);
        rig_unplug(memory);
    }
}
