// SPDX-License-Identifier: BSD-2-Clause
// oneTBB's concurrent_map, a skip list, by the last key of each range. Lookups and inserts only: nothing may be erased
// beside other threads.
#ifndef RANGEMAP_BENCH_SUBJECTS_CONCURRENT_MAP_H
#define RANGEMAP_BENCH_SUBJECTS_CONCURRENT_MAP_H

#include <tbb/concurrent_map.h>

#include <cstdint>

#include "bench/subjects/each_key.h"
#include "bench/subjects/read_only.h"

namespace bench
{

class ConcurrentMapSubject : public ReadOnlySubject
{
  public:
    static const char *name()
    {
        return "tbb::concurrent_map";
    }

    double load(const Ranges &sorted)
    {
        return load_each(*this, sorted);
    }
    // Two calls at once could both find the room free.
    bool insert(const Range &range)
    {
        auto next = map_.lower_bound(range.start);
        if (next != map_.end() && next->second.start <= range.last)
            return false;
        return map_.emplace(range.last, Start{range.start, range.value}).second;
    }
    bool lookup(uint64_t key, uint64_t *value) const
    {
        auto found = map_.lower_bound(key);
        bool hit = found != map_.end() && found->second.start <= key;
        *value = hit ? found->second.value : 0;
        return hit;
    }
    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        return lookup_each(*this, keys, count, values);
    }
    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        return lookup(key, value);
    }
    Ranges contents() const
    {
        Ranges ranges;
        for (const auto &[last, begin] : map_)
            ranges.push_back({begin.start, last, begin.value});
        return ranges;
    }
    uint64_t scan() const
    {
        uint64_t sum = 0;
        for (const auto &[last, begin] : map_)
            sum += last - begin.start + begin.value;
        return sum;
    }
    uint64_t bytes() const // it does not tell
    {
        return 0;
    }

  private:
    struct Start {
        uint64_t start, value;
    };
    tbb::concurrent_map<uint64_t, Start> map_;
};

} // namespace bench

#endif
