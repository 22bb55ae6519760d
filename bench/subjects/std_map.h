// SPDX-License-Identifier: BSD-2-Clause
// std::map under a pthread_rwlock as a subject.
#ifndef RANGEMAP_BENCH_SUBJECTS_STD_MAP_H
#define RANGEMAP_BENCH_SUBJECTS_STD_MAP_H

#include <cstdint>
#include <functional>
#include <map>

#include "bench/subjects/rwlock_map.h"

namespace bench
{

class StdMapSubject : public RwlockMap<std::map<uint64_t, RangeEnd, std::less<uint64_t>, RangeMapAllocator>>
{
  public:
    static const char *name()
    {
        return "std::map";
    }
};

} // namespace bench

#endif
