// SPDX-License-Identifier: BSD-2-Clause
// A batch as a map without batches has it: one key after the other.
#ifndef RANGEMAP_BENCH_SUBJECTS_EACH_KEY_H
#define RANGEMAP_BENCH_SUBJECTS_EACH_KEY_H

#include <cstdint>

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

} // namespace bench

#endif
