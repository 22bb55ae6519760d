// SPDX-License-Identifier: BSD-2-Clause
#include "bench/regcache/measure.h"

#include <memory>
#include <stdexcept>

#include "bench/regcache/caches.h"
#include "bench/regcache/card.h"
#include "bench/workload/clock.h"
#include "bench/workload/random.h"

namespace bench
{

static constexpr uint64_t kPage = 4096, kBufferPages = 16, kStridePages = 17; // a page between buffers
static constexpr uint64_t kBase = uint64_t{1} << 32;

// A cache with all buffers in it, for as many rounds as are wanted.
class Contender
{
  public:
    virtual ~Contender() = default;
    // Pins per second.
    virtual double round(Team &team, double seconds) = 0;
    // Drops all registrations and says whether the card has none left.
    virtual bool is_clean() = 0;
};

template <class Cache> class ContenderOf : public Contender
{
  public:
    ContenderOf(const Plan &plan, uint64_t seed) : plan_(plan), seed_(seed), cache_(card_.device())
    {
        for (uint64_t buffer = 0; buffer < plan.buffers; buffer++)
            pin_one(buffer);
    }

    double round(Team &team, double seconds) override
    {
        std::vector<Count> counts(plan_.threads);
        uint64_t begin = monotonic_ns();
        team.run(plan_.threads, seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
            counts[thread].pins = work(Random(seed_ + thread * 1000003 + rounds_), stop);
        });
        double took = static_cast<double>(monotonic_ns() - begin) / 1e9;
        rounds_++;
        uint64_t pins = 0;
        for (const Count &count : counts)
            pins += count.pins;
        return static_cast<double>(pins) / took;
    }

    bool is_clean() override
    {
        cache_.invalidate(0, UINT64_MAX);
        cache_.drain();
        return card_.enrolled() == card_.withdrawn();
    }

  private:
    struct alignas(64) Count {
        uint64_t pins = 0;
    };

    static uint64_t start_of(uint64_t buffer)
    {
        return kBase + buffer * kStridePages * kPage;
    }

    void pin_one(uint64_t buffer)
    {
        uint64_t start = start_of(buffer), last = start + kBufferPages * kPage - 1;
        auto pin = cache_.pin(start, last);
        if (pin.start() > start || pin.last() < last)
            throw std::logic_error(std::string(Cache::name()) + ": a pin does not hold its buffer");
    }

    uint64_t work(Random random, const std::atomic<bool> &stop)
    {
        uint64_t pins = 0;
        while (!stop.load(std::memory_order_relaxed)) {
            for (unsigned i = 0; i < 64; i++) {
                uint64_t buffer = random.below(plan_.buffers);
                if (plan_.invalidations > 0 && random.below(1000) < plan_.invalidations) {
                    cache_.invalidate(start_of(buffer), start_of(buffer) + kBufferPages * kPage - 1);
                } else {
                    pin_one(buffer);
                    pins++;
                }
            }
        }
        return pins;
    }

    Plan plan_;
    uint64_t seed_, rounds_ = 0;
    Card card_;
    Cache cache_;
};

template <class... Caches> struct List {
    static std::vector<std::string> names()
    {
        return {Caches::name()...};
    }
    static std::vector<std::unique_ptr<Contender>> make(const Plan &plan, uint64_t seed)
    {
        std::vector<std::unique_ptr<Contender>> contenders;
        (contenders.push_back(std::make_unique<ContenderOf<Caches>>(plan, seed)), ...);
        return contenders;
    }
};

using All = List<RangemapCache, LockedCache<StdPieces, Mutex>, LockedCache<StdPieces, Rwlock>,
                 LockedCache<BtreePieces, Mutex>, LockedCache<BtreePieces, Rwlock>>;

std::vector<std::string> cache_names()
{
    return All::names();
}

std::vector<Cell> measure(const Plan &plan, Team &team, double seconds, unsigned repetitions, uint64_t seed)
{
    auto contenders = All::make(plan, seed);
    std::vector<std::vector<double>> rates(contenders.size());
    for (auto &contender : contenders)
        contender->round(team, seconds); // faults memory in; not counted
    for (unsigned repetition = 0; repetition < repetitions; repetition++) {
        for (size_t i = 0; i < contenders.size(); i++)
            rates[i].push_back(contenders[i]->round(team, seconds));
    }
    std::vector<Cell> cells;
    for (size_t i = 0; i < contenders.size(); i++) {
        if (!contenders[i]->is_clean())
            throw std::logic_error(cache_names()[i] + ": the card has registrations left");
        cells.push_back({plan, cache_names()[i], spread(rates[i])});
    }
    return cells;
}

} // namespace bench
