// SPDX-License-Identifier: BSD-2-Clause
/*
 * A domain in which the test's thread and so many others have records. The others stand still: the test may do to their
 * records what they would.
 */
#ifndef TEST_EPOCH_RIG_H
#define TEST_EPOCH_RIG_H

#include "rangemap/epoch/attach.h"
#include "test/check/guests.h"
#include "test/epoch/kernel.h"

struct rig {
    struct rangemap_domain *domain;
    struct rm_thread *own, *other[CREW_MAX];
    unsigned others;
    struct guests guests;
};

/* The clock stands from then on, and heavy fences are counted. `options` may be NULL. */
void rig_begin(struct rig *rig, const struct rangemap_domain_options *options, unsigned others);

/* All is the system's again; nothing may be left in the domain. */
void rig_end(struct rig *rig);

#endif
