// SPDX-License-Identifier: BSD-2-Clause
// LLVM's IntervalMap, a B+ tree of closed intervals, as a container for locked.h. It allows no overlap and cuts
// nothing by itself.
#ifndef RANGEMAP_BENCH_SUBJECTS_INTERVAL_MAP_H
#define RANGEMAP_BENCH_SUBJECTS_INTERVAL_MAP_H

#include <cstdint>

#include <llvm/ADT/IntervalMap.h>

#include "bench/subjects/locked.h"

namespace bench
{

class IntervalMapContainer
{
  public:
    static const char *name()
    {
        return "LLVM IntervalMap";
    }

    bool insert(const Range &range)
    {
        if (map_.overlaps(range.start, range.last))
            return false;
        map_.insert(range.start, range.last, range.value);
        return true;
    }
    bool erase(const Range &range)
    {
        Map::iterator found = map_.find(range.start);
        if (!found.valid() || found.start() != range.start || found.stop() != range.last)
            return false;
        found.erase();
        return true;
    }
    void store(const Range &range)
    {
        carve(range.start, range.last);
        map_.insert(range.start, range.last, range.value);
    }
    void carve(uint64_t start, uint64_t last)
    {
        Ranges outside;
        Map::iterator at = map_.find(start);
        while (at.valid() && at.start() <= last) {
            if (at.start() < start)
                outside.push_back({at.start(), start - 1, at.value()});
            if (at.stop() > last)
                outside.push_back({last + 1, at.stop(), at.value()});
            at.erase(); // and steps on
        }
        for (const Range &range : outside)
            map_.insert(range.start, range.last, range.value);
    }
    bool lookup(uint64_t key, uint64_t *value) const
    {
        Map::const_iterator found = map_.find(key);
        bool hit = found.valid() && found.start() <= key;
        *value = hit ? found.value() : 0;
        return hit;
    }
    template <class Visit> void visit(const Visit &visit) const
    {
        for (Map::const_iterator at = map_.begin(); at.valid(); ++at)
            visit(Range{at.start(), at.stop(), at.value()});
    }

  private:
    using Map = llvm::IntervalMap<uint64_t, uint64_t>;

    Map::Allocator allocator_;
    Map map_{allocator_};
};

using IntervalMapSubject = Locked<IntervalMapContainer>;

} // namespace bench

#endif
