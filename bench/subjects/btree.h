// SPDX-License-Identifier: BSD-2-Clause
// absl::btree_map under a pthread_rwlock as a subject.
#ifndef RANGEMAP_BENCH_SUBJECTS_BTREE_H
#define RANGEMAP_BENCH_SUBJECTS_BTREE_H

#include <absl/container/btree_map.h>

#include <cstdint>
#include <functional>

#include "bench/subjects/rwlock_map.h"

namespace bench
{

class BtreeSubject
    : public RwlockMap<absl::btree_map<uint64_t, RangeEnd, std::less<uint64_t>, RangeMapAllocator>>
{
  public:
    static const char *name()
    {
        return "absl::btree_map";
    }
};

} // namespace bench

#endif
