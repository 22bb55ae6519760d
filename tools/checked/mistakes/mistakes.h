// SPDX-License-Identifier: BSD-2-Clause
/* What the files of mistakes have in common. */
#ifndef MISTAKES_H
#define MISTAKES_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"

extern char a[2];            /* a value */
extern struct rangemap *map; /* holds [0, 99] */

static inline void demand(int result)
{
    if (result < 0) {
        fprintf(stderr, "mistakes: error %d\n", -result);
        exit(3);
    }
}

/* Whatever it returns: the mistake is what counts. */
static inline void regardless(int result)
{
    (void)result;
}

static inline void do_nothing(void *value, void *context)
{
    (void)value, (void)context;
}

static inline void run_thread(void *(*body)(void *))
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, body, NULL);
    (void)pthread_join(thread, NULL);
}

static inline void create(const struct rangemap_options *options)
{
    demand(rangemap_create(options, &map));
    demand(rangemap_insert(map, 0, 99, a, NULL));
}

/* Each of these makes its mistake once, or would. */
#define MISTAKES(MISTAKE)                                                                                    \
    MISTAKE(end_without_begin)                                                                               \
    MISTAKE(end_twice)                                                                                       \
    MISTAKE(end_in_another_domain)                                                                           \
    MISTAKE(end_in_another_thread)                                                                           \
    MISTAKE(end_of_another_map)                                                                              \
    MISTAKE(end_snapshot_twice)                                                                              \
    MISTAKE(end_snapshot_as_section)                                                                         \
    MISTAKE(forgotten_end)                                                                                   \
    MISTAKE(held_outside)                                                                                    \
    MISTAKE(held_in_another_domain)                                                                          \
    MISTAKE(snapshot_after_end)                                                                              \
    MISTAKE(cursor_after_end)                                                                                \
    MISTAKE(snapshot_of_another_thread)                                                                      \
    MISTAKE(long_section)                                                                                    \
    MISTAKE(wait_for_long_section)                                                                           \
    MISTAKE(exit_in_section)                                                                                 \
    MISTAKE(destroy_twice)                                                                                   \
    MISTAKE(use_after_destroy)                                                                               \
    MISTAKE(update_after_destroy)                                                                            \
    MISTAKE(destroy_in_section)                                                                              \
    MISTAKE(destroy_in_use)                                                                                  \
    MISTAKE(destroy_while_looked_up)                                                                         \
    MISTAKE(release_without_retain)                                                                          \
    MISTAKE(hard_limit_in_section)                                                                           \
    MISTAKE(reservation_exceeded)                                                                            \
    MISTAKE(reversed_range)                                                                                  \
    MISTAKE(reversed_range_of_update)                                                                        \
    MISTAKE(update_in_signal_handler)                                                                        \
    MISTAKE(rewrite_in_signal_handler)                                                                       \
    MISTAKE(allocation_in_signal_handler)                                                                    \
    MISTAKE(poll_in_signal_handler)                                                                          \
    MISTAKE(impure_split)                                                                                    \
    MISTAKE(impure_split_that_updates)                                                                       \
    MISTAKE(impure_decision)                                                                                 \
    MISTAKE(impure_equality)                                                                                 \
    MISTAKE(impure_equality_of_rewrite)                                                                      \
    MISTAKE(callback_that_waits)                                                                             \
    MISTAKE(value_after_release)                                                                             \
    MISTAKE(value_after_section)                                                                             \
    MISTAKE(value_without_section)                                                                           \
    MISTAKE(value_of_cursor_after_section)                                                                   \
    MISTAKE(values_in_sections)                                                                              \
    MISTAKE(values_of_a_forgotten_map)                                                                       \
    MISTAKE(values_that_updates_tell_of)                                                                     \
    MISTAKE(none)

#define DECLARE(name) void name(void);
MISTAKES(DECLARE)

#endif
