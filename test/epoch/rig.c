// SPDX-License-Identifier: BSD-2-Clause
#include "test/epoch/rig.h"

#include "test/shim/ctest.h"

void rig_begin(struct rig *rig, const struct rangemap_domain_options *options, unsigned others)
{
    struct rm_roster_walk walk;
    struct rm_thread *thread;

    *rig = (struct rig){.others = 0};
    kernel_reset();
    REQUIRE_EQ(rangemap_domain_create(options, &rig->domain), 0);
    REQUIRE_EQ(rangemap_domain_attach(rig->domain), 0);
    rig->own = rm_thread_existing(rig->domain);
    if (others > 0) {
        guests_come(&rig->guests, rig->domain, others);
    }
    walk = rm_roster_begin(&rig->domain->roster, false);
    while ((thread = rm_roster_next(&walk)) != NULL) {
        if (thread != rig->own) {
            rig->other[rig->others++] = thread;
        }
    }
    REQUIRE_EQ(rig->others, others);
}

void rig_end(struct rig *rig)
{
    kernel_reset();
    if (rig->others > 0) {
        guests_leave(&rig->guests);
    }
    CHECK_EQ(rangemap_domain_destroy(rig->domain), 0);
    kernel.clock_ns = 0;
}
