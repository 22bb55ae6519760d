// SPDX-License-Identifier: BSD-2-Clause
/* Threads that are attached to a domain and do nothing. */
#ifndef TEST_CHECK_GUESTS_H
#define TEST_CHECK_GUESTS_H

#include <semaphore.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"

struct guests {
    struct rangemap_domain *domain;
    struct crew crew;
    sem_t inside, leave;
};

/* Starts `count` of them; returns when all are attached. */
void guests_come(struct guests *guests, struct rangemap_domain *domain, unsigned count);

/* Returns when all have ended, without detaching. */
void guests_leave(struct guests *guests);

#endif
