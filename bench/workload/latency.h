// SPDX-License-Identifier: BSD-2-Clause
/* The loops of mix.h with lookups or updates timed one by one, and what keeps them company. */
#ifndef RANGEMAP_BENCH_WORKLOAD_LATENCY_H
#define RANGEMAP_BENCH_WORKLOAD_LATENCY_H

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <type_traits>

#include "bench/workload/clock.h"
#include "bench/workload/histogram.h"
#include "bench/workload/mix.h"

namespace bench
{

template <class Map>
inline void look_up_timed(const Map &subject, const uint64_t *key, MixTally &tally, Histogram &ticks)
{
    uint64_t begin = ticks_begin();
    look_up_alone(subject, key, 1, tally);
    ticks.record(ticks_end() - begin);
}

// A tenth of updates or none: each thread looks up and updates.
template <class Map>
void timed_loop(Map &subject, Updater<Map> &updater, unsigned percent, KeyStream keys,
                const std::atomic<bool> &stop, MixTally &tally, Histogram &ticks)
{
    unsigned share = updater.can_update() ? percent : 0;
    uint64_t credit = 0;
    do {
        look_up_timed(subject, keys.take(1), tally, ticks);
        credit += share;
        for (; credit >= 100 - percent; credit -= 100 - percent)
            updater.update(tally);
    } while (!stop.load(std::memory_order_relaxed));
}

template <class Map>
void timed_updates(Updater<Map> &updater, const std::atomic<bool> &stop, MixTally &tally, Histogram &ticks)
{
    while (updater.can_update() && !stop.load(std::memory_order_relaxed)) {
        uint64_t begin = ticks_begin();
        updater.update(tally);
        ticks.record(ticks_end() - begin);
    }
}

// Map::Snapshot, if there is such a thing; else the section that keeps what a reader has seen.
template <class Map, class = void> struct SnapshotOf {
    using Type = typename Map::Section;
};
template <class Map> struct SnapshotOf<Map, std::void_t<typename Map::Snapshot>> {
    using Type = typename Map::Snapshot;
};

template <class Held, class Map> void hold(const Map &subject, const std::atomic<bool> &stop)
{
    Held held(subject);
    while (!stop.load(std::memory_order_relaxed))
        std::this_thread::sleep_for(std::chrono::microseconds(100));
}

// What the thread does that keeps the others company. An exiting thread has used the map; then comes the next.
template <class Map>
void keep_company(Map &subject, const MixInput &input, const MixPlan &plan, const std::atomic<bool> &stop)
{
    if (plan.company == Company::kSnapshot)
        return hold<typename SnapshotOf<Map>::Type>(subject, stop);
    if (plan.company == Company::kStalledReader)
        return hold<typename Map::Section>(subject, stop);
    while (!stop.load(std::memory_order_relaxed)) {
        std::thread([&] {
            typename Map::Thread attached(subject);
            uint64_t value;
            subject.lookup(input.keys[0][0], &value);
        }).join();
    }
}

// Each update timed, in ticks. With company the last thread is no updater.
template <class Map>
MixTally run_update_latency_thread(Map &subject, const MixInput &input, const MixPlan &plan, unsigned thread,
                                   const std::atomic<bool> &stop, Histogram &ticks)
{
    typename Map::Thread attached(subject);
    MixTally tally;
    unsigned updaters = plan.threads - (plan.company == Company::kNone ? 0 : 1);
    if (thread >= updaters) {
        keep_company(subject, input, plan, stop);
        return tally;
    }
    Updater<Map> updater(subject, *input.ranges, plan, thread, updaters);
    timed_updates(updater, stop, tally, ticks);
    updater.finish(tally);
    return tally;
}

// The same with each lookup timed, in ticks. Only lookups alone. The last plan.writers threads only update.
template <class Map>
MixTally run_latency_thread(Map &subject, const MixInput &input, const MixPlan &plan, unsigned thread,
                            const std::atomic<bool> &stop, Histogram &ticks)
{
    if (plan.times_updates)
        return run_update_latency_thread(subject, input, plan, thread, stop, ticks);
    typename Map::Thread attached(subject);
    MixTally tally;
    unsigned readers = plan.threads - plan.writers;
    bool writes = thread >= readers;
    unsigned updaters = plan.writers > 0 ? plan.writers : plan.threads;
    Updater<Map> updater(subject, *input.ranges, plan, writes ? thread - readers : thread, updaters);
    if (writes)
        update_loop(updater, stop, tally);
    else
        timed_loop(subject, updater, plan.update_percent, KeyStream(input.keys[thread], plan.first_key), stop,
                   tally, ticks);
    updater.finish(tally);
    return tally;
}

} // namespace bench

#endif
