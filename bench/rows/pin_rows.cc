// SPDX-License-Identifier: BSD-2-Clause
// Find-and-pin of examples/regcache, a cache of RDMA registrations, beside the same cache as a tree under a lock.
#include <memory>
#include <optional>
#include <stdexcept>

#include "bench/core/jobs.h"
#include "bench/regcache/caches.h"
#include "bench/regcache/card.h"
#include "bench/regcache/room.h"
#include "bench/workload/clock.h"
#include "bench/workload/random.h"

namespace bench
{

constexpr uint64_t kPage = 4096, kBufferPages = 16, kStridePages = 17; // a page between buffers
constexpr uint64_t kBase = uint64_t{1} << 32;

namespace
{

struct PinPlan {
    uint64_t buffers;
    unsigned threads;
    unsigned invalidations; // of 1000 operations; the rest are pins
    bool evicts;            // there is room for half of the buffers
    uint64_t seed;
};

struct alignas(64) Count {
    uint64_t pins = 0;
};

// One repetition: a cache of its own, filled, used, and emptied.
template <class Cache> class Pinning
{
  public:
    Pinning(const PinPlan &plan, unsigned turn)
        : plan_(plan), seed_(plan.seed + turn), room_(card_.device(), room_of(plan)),
          cache_(plan.evicts ? room_.device() : card_.device())
    {
    }

    Reading run(Team &team, double seconds)
    {
        for (uint64_t buffer = 0; buffer < plan_.buffers; buffer++)
            pin(buffer);
        std::vector<Count> counts(plan_.threads);
        uint64_t begin = monotonic_ns();
        team.run(plan_.threads, seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
            counts[thread].pins = work(Random(seed_ + thread * 1000003), stop);
        });
        double took = static_cast<double>(monotonic_ns() - begin) * 1e-9;
        double pins = 0;
        for (const Count &count : counts)
            pins += static_cast<double>(count.pins);
        check_room();
        check_empty();
        return {took, {{"operations_per_second", pins / took}}};
    }

  private:
    static size_t room_of(const PinPlan &plan)
    {
        return static_cast<size_t>(plan.evicts ? (plan.buffers + 1) / 2 : 0);
    }
    static uint64_t start_of(uint64_t buffer)
    {
        return kBase + buffer * kStridePages * kPage;
    }
    static uint64_t last_of(uint64_t buffer)
    {
        return start_of(buffer) + kBufferPages * kPage - 1;
    }

    void pin(uint64_t buffer)
    {
        {
            auto pin = cache_.pin(start_of(buffer), last_of(buffer));
            if (pin.start() > start_of(buffer) || pin.last() < last_of(buffer))
                throw std::runtime_error("WRONG ANSWER: a pin does not hold its buffer");
            if (!plan_.evicts)
                return;
            room_.mark(pin.key());
        }
        room_.make_room(cache_);
    }

    // Where some are evicted, others must be worth keeping: the first half of the buffers gets 85 % of the pins.
    uint64_t pick(Random &random) const
    {
        uint64_t below = plan_.evicts ? random.below(plan_.buffers) + 1 : plan_.buffers;
        return random.below(below);
    }

    uint64_t work(Random random, const std::atomic<bool> &stop)
    {
        uint64_t pins = 0;
        do {
            for (unsigned i = 0; i < 64; i++) {
                uint64_t buffer = pick(random);
                if (plan_.invalidations > 0 && random.below(1000) < plan_.invalidations) {
                    cache_.invalidate(start_of(buffer), last_of(buffer));
                } else {
                    pin(buffer);
                    pins++;
                }
            }
        } while (!stop.load(std::memory_order_relaxed));
        return pins;
    }

    void check_room()
    {
        if (!plan_.evicts)
            return;
        cache_.drain();
        if (room_.held() > room_of(plan_))
            throw std::runtime_error("WRONG ANSWER: " + std::to_string(room_.held()) + " registrations, " +
                                     std::to_string(room_of(plan_)) + " have room");
    }

    void check_empty()
    {
        cache_.invalidate(0, UINT64_MAX);
        cache_.drain();
        if (card_.enrolled() != card_.withdrawn())
            throw std::runtime_error("WRONG ANSWER: the card has registrations left");
    }

    PinPlan plan_;
    uint64_t seed_;
    Card card_;
    Room room_;
    Cache cache_; // withdraws what is left
};

template <class Cache>
Job pin_job(const std::string &row, const char *subject, const PinPlan &plan, Team &team)
{
    Job job = {row, subject, plan.threads, "pin", [=, &team](double seconds, unsigned turn, Histogram &) {
                   try {
                       // Not on the stack: gcc 12's AddressSanitizer does not align it by 64 there (its bug 110027).
                       return std::make_unique<Pinning<Cache>>(plan, turn)->run(team, seconds);
                   } catch (const std::runtime_error &error) {
                       throw std::runtime_error(std::string(subject) + ": " + error.what());
                   }
               }};
    job.warm_up = 0; // filling it is enough
    return job;
}

void add_row(const std::string &name, const PinPlan &plan, Team &team, std::vector<Job> *jobs)
{
    std::string row = name + "/threads:" + std::to_string(plan.threads);
    jobs->push_back(pin_job<RangemapCache>(row, kRangemap, plan, team));
    jobs->push_back(pin_job<LockedCache<StdPieces, Rwlock>>(row, kStdMap, plan, team));
    jobs->push_back(pin_job<LockedCache<BtreePieces, Rwlock>>(row, kBtreeMap, plan, team));
    jobs->push_back(pin_job<LockedCache<StdPieces, Mutex>>(row, kStdMapMutex, plan, team));
    jobs->push_back(pin_job<LockedCache<BtreePieces, Mutex>>(row, kBtreeMapMutex, plan, team));
}

} // namespace

std::vector<Job> pin_jobs(size_t buffers, const Options &options, Team &team)
{
    std::vector<Job> jobs;
    for (unsigned threads : options.threads) {
        add_row("pin", {buffers, threads, 0, false, options.seed}, team, &jobs);
        add_row("pin_invalidate_1", {buffers, threads, 1, false, options.seed}, team, &jobs);
        add_row("pin_invalidate_10", {buffers, threads, 10, false, options.seed}, team, &jobs);
        add_row("pin_evict", {buffers, threads, 0, true, options.seed}, team, &jobs);
    }
    return jobs;
}

} // namespace bench
