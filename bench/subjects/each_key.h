// SPDX-License-Identifier: BSD-2-Clause
// What maps lack, as others have it: batches and loads one by one; and a refusal.
#ifndef RANGEMAP_BENCH_SUBJECTS_EACH_KEY_H
#define RANGEMAP_BENCH_SUBJECTS_EACH_KEY_H

#include <chrono>
#include <cstdint>
#include <stdexcept>

#include "bench/subjects/range.h"

namespace bench
{

// How many are hits. In a section or under the lock, if the map has one.
template <class Map>
inline unsigned lookup_each(const Map &map, const uint64_t *keys, unsigned count, uint64_t *values)
{
    unsigned hits = 0;
    for (unsigned i = 0; i < count; i++)
        hits += map.lookup_held(keys[i], &values[i]);
    return hits;
}

// A load of maps that have no call for it; returns the seconds it took.
template <class Map> double load_each(Map &map, const Ranges &sorted)
{
    auto begin = std::chrono::steady_clock::now();
    for (const Range &range : sorted)
        map.insert(range);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Of maps that keep no bounds to cut at.
struct NoOverwriting {
    void store(const Range &)
    {
        refuse();
    }
    void carve(uint64_t, uint64_t)
    {
        refuse();
    }

  protected:
    [[noreturn]] static void refuse()
    {
        throw std::logic_error("this map cannot be updated so");
    }
};

} // namespace bench

#endif
