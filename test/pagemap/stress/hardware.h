// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device beside each driver that does DMA by the protocol of pagemap/mmu_notifier.h. It has two units. One was
 * given addresses of views, and pins what they show. The other was given pages: those of the file it holds without a
 * reference, others with one. Both let go when they are told; otherwise now and then, when they take something else
 * or are told of something else.
 *
 * The driver marks what has gone when the call that took it has returned: then neither unit may have it.
 * hardware_check() looks at once, and each use looks again.
 */
#ifndef PAGEMAP_TEST_STRESS_HARDWARE_H
#define PAGEMAP_TEST_STRESS_HARDWARE_H

#include <pthread.h>

#include "pagemap/mmu_notifier.h"
#include "test/pagemap/stress/world.h"

enum { UNITS = 2, HELD = 4 };

struct held {
    struct page *page; /* NULL: nothing */
    uint64_t key;      /* the address; or the physical one */
    uint64_t index;    /* in the file; UINT64_MAX: it is not of the file, and there is a reference */
    unsigned view;     /* of an address */
};

struct unit {
    struct mmu_interval_notifier subscription; /* the first member */
    struct hardware *hardware;
    bool has_addresses;
    uint64_t start, bytes; /* its interval's */
    pthread_mutex_t lock;  /* of `held`; taken in the callback */
    struct held held[HELD];
};

struct hardware {
    struct driver *driver;
    struct unit units[UNITS];
    struct prng prng;
    pthread_t thread;
    uint64_t stop;
    uint64_t steps; /* of some attempts each */
    uint64_t told, let_go, uses, stale, inserted;
};

extern struct hardware hardware[DRIVERS];

/* Of drivers[number], whose file is set up. With signals blocked, and before the driver starts. */
void hardware_start(unsigned number);

/* For its driver, before the file ends. */
void hardware_stop(const struct driver *driver);

/* For the driver, when something has gone: no unit has it. */
void hardware_check(const struct driver *driver);

/* For the driver, when there are pages: until it has tried to get some. */
void hardware_await(const struct driver *driver);

/* Whether it worked, and was told while it had something. */
void hardware_check_counts(const struct driver *driver);

/* In a child of a fork: whether a callback of the parent's is called for what is invalidated there. */
bool hardware_is_told_in_child(void);

#endif
