// SPDX-License-Identifier: BSD-2-Clause
/* Calls where they may not be made. */
#include <signal.h>

#include "mistakes.h"

static void handle(void (*handler)(int))
{
    (void)signal(SIGUSR1, handler);
    (void)raise(SIGUSR1);
}

static void update_in_handler(int signal)
{
    (void)signal;
    regardless(rangemap_store(map, 5, 5, a, NULL, NULL));
}

void update_in_signal_handler(void)
{
    handle(update_in_handler);
}

static void rewrite_in_handler(int signal)
{
    (void)signal;
    regardless(rangemap_splice(map, 5, 5, NULL, 0, NULL));
}

void rewrite_in_signal_handler(void)
{
    handle(rewrite_in_handler);
}

static void allocate_in_handler(int signal)
{
    const struct rangemap_gap_request request = {.length = 1, .high = UINT64_MAX};
    uint64_t start;

    (void)signal;
    regardless(rangemap_gap_allocate(map, &request, a, &start));
}

void allocation_in_signal_handler(void)
{
    handle(allocate_in_handler);
}

static void poll_in_handler(int signal)
{
    (void)signal;
    (void)rangemap_domain_poll(NULL);
}

void poll_in_signal_handler(void)
{
    handle(poll_in_handler);
}

static void *split_that_calls(const struct rangemap_entry *whole, uint64_t start, uint64_t last,
                              void *context)
{
    (void)last, (void)context;
    regardless(rangemap_lookup(map, start, NULL));
    return whole->value;
}

void impure_split(void)
{
    create(&(struct rangemap_options){.split = split_that_calls});
    regardless(rangemap_carve(map, 40, 59, NULL, NULL));
}

static void *split_that_updates(const struct rangemap_entry *whole, uint64_t start, uint64_t last,
                                void *context)
{
    (void)start, (void)last, (void)context;
    regardless(rangemap_insert(map, 100000, 100010, a, NULL));
    return whole->value;
}

void impure_split_that_updates(void)
{
    create(&(struct rangemap_options){.split = split_that_updates});
    regardless(rangemap_carve(map, 40, 59, NULL, NULL));
}

static int decision_that_calls(const struct rangemap_entry *part, const struct rangemap_entry *whole,
                               void **value, void *context)
{
    (void)whole, (void)value, (void)context;
    regardless(rangemap_is_free(map, part->start, part->last));
    return RANGEMAP_KEEP;
}

void impure_decision(void)
{
    regardless(rangemap_update(map, 0, 9, decision_that_calls, NULL, NULL));
}

static bool equality_that_calls(const struct rangemap_entry *left, const struct rangemap_entry *right,
                                void *context)
{
    (void)context;
    regardless(rangemap_lookup(map, left->start, NULL));
    return left->value == right->value;
}

void impure_equality(void)
{
    demand(rangemap_insert(map, 100, 199, a, NULL));
    regardless(rangemap_coalesce(map, 0, UINT64_MAX, equality_that_calls, NULL, NULL));
}

void impure_equality_of_rewrite(void)
{
    const struct rangemap_entry two[] = {{100, 149, a}, {150, 199, a}};
    const struct rangemap_rewrite how = {.join = true, .equal = equality_that_calls};

    regardless(rangemap_splice(map, 100, 199, two, 2, &how));
}

static void wait_and_ignore(void *value, void *context)
{
    (void)value, (void)context;
    regardless(rangemap_domain_synchronize(NULL));
}

void callback_that_waits(void)
{
    create(&(struct rangemap_options){.release = wait_and_ignore});
    demand(rangemap_erase(map, 0, NULL));
    demand(rangemap_domain_barrier(NULL));
}
