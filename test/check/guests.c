// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/guests.h"

#include "test/shim/ctest.h"

static void attach_and_wait(unsigned index, void *context)
{
    struct guests *guests = context;

    (void)index;
    REQUIRE_EQ(rangemap_domain_attach(guests->domain), 0);
    sem_post(&guests->inside);
    sem_wait(&guests->leave);
}

void guests_come(struct guests *guests, struct rangemap_domain *domain, unsigned count)
{
    guests->domain = domain;
    sem_init(&guests->inside, 0, 0);
    sem_init(&guests->leave, 0, 0);
    crew_start(&guests->crew, count, attach_and_wait, guests);
    for (unsigned i = 0; i < count; i++) {
        sem_wait(&guests->inside);
    }
}

void guests_leave(struct guests *guests)
{
    for (unsigned i = 0; i < guests->crew.count; i++) {
        sem_post(&guests->leave);
    }
    crew_join(&guests->crew);
    sem_destroy(&guests->inside);
    sem_destroy(&guests->leave);
}
