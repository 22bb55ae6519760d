// SPDX-License-Identifier: BSD-2-Clause
/* Garbage that counts when it goes, in the shards of a rig. */
#ifndef TEST_EPOCH_THINGS_H
#define TEST_EPOCH_THINGS_H

#include "rangemap/epoch/retire.h"
#include "rangemap/epoch/upkeep.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { THINGS = 3000, VISIT = RM_BAG_ENTRIES };

static struct rig rig;

struct thing {
    struct rm_garbage garbage;
    uint64_t bytes;
    bool is_gone;
};

static struct thing thing[THINGS];
static unsigned things, gone;

static inline bool dispose(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct thing *it = RM_CONTAINER_OF(garbage, struct thing, garbage);

    (void)thread;
    CHECK(!it->is_gone);
    it->is_gone = true;
    --*budget;
    gone++;
    return true;
}

static inline uint64_t bytes_of(const struct rm_garbage *garbage)
{
    return RM_CONTAINER_OF(garbage, struct thing, garbage)->bytes;
}

static const struct rm_garbage_kind quiet = {dispose, bytes_of, false, false},
                                    calling = {dispose, bytes_of, true, false};

static inline void hand_over(struct rm_shard *shard, unsigned count, uint64_t bytes, bool calls_back)
{
    for (; count > 0; count--) {
        struct thing *it = &thing[things++];

        REQUIRE_LE(things, (unsigned)THINGS);
        *it = (struct thing){.bytes = bytes};
        it->garbage.kind = calls_back ? &calling : &quiet;
        rm_reclaim_submit_to(rig.own, shard, &it->garbage);
    }
}

/* The shard's things have their grace period behind them, and wait to be disposed of. */
static inline void fill_ready(struct rm_shard *shard, unsigned count, uint64_t bytes)
{
    struct rm_work work = {.thread = rig.own, .now_ns = 0};

    hand_over(shard, count, bytes, false);
    CHECK(rm_reclaim_visit(shard, &work));
    rig.domain->epoch.epoch += 2;
}

static inline void begin(const struct rangemap_domain_options *options, unsigned others)
{
    rig_begin(&rig, options, others);
    things = gone = 0;
    rig.own->tended_ns = kernel.clock_ns;
    rm_store_relaxed(&rig.domain->roster.reaped_ns, kernel.clock_ns);
}

static inline void end(void)
{
    rm_upkeep_barrier(rig.own);
    CHECK_EQ(gone, things, "nothing is left");
    CHECK_EQ(rm_record_pending_bytes(rig.domain), 0u);
    rig_end(&rig);
}

static inline unsigned gone_in_share(void)
{
    unsigned before = gone;

    rm_upkeep_share(rig.own);
    return gone - before;
}

#endif
