// SPDX-License-Identifier: BSD-2-Clause
// boost::icl::interval_map, a red-black tree of intervals, as a container for locked.h.
#ifndef RANGEMAP_BENCH_SUBJECTS_ICL_H
#define RANGEMAP_BENCH_SUBJECTS_ICL_H

#include <cstdint>

#include <boost/icl/interval_map.hpp>

#include "bench/subjects/locked.h"

namespace bench
{

class IclContainer
{
  public:
    static const char *name()
    {
        return "boost::icl";
    }

    bool insert(const Range &range)
    {
        if (boost::icl::intersects(map_, interval(range.start, range.last)))
            return false;
        store(range);
        return true;
    }
    bool erase(const Range &range)
    {
        auto found = map_.find(range.start);
        if (found == map_.end() || found->first.lower() != range.start || found->first.upper() != range.last)
            return false;
        map_.erase(interval(range.start, range.last));
        return true;
    }
    void store(const Range &range)
    {
        map_.set({interval(range.start, range.last), range.value});
    }
    void carve(uint64_t start, uint64_t last)
    {
        map_.erase(interval(start, last));
    }
    bool lookup(uint64_t key, uint64_t *value) const
    {
        auto found = map_.find(key);
        *value = found == map_.end() ? 0 : found->second;
        return found != map_.end();
    }
    template <class Visit> void visit(const Visit &visit) const
    {
        for (const auto &[keys, value] : map_)
            visit(Range{keys.lower(), keys.upper(), value});
    }

  private:
    using Interval = boost::icl::closed_interval<uint64_t>;
    // Of values that are 0, too; joined only where touching values are equal, which ours never are.
    using Map = boost::icl::interval_map<uint64_t, uint64_t, boost::icl::partial_enricher, std::less,
                                         boost::icl::inplace_plus, boost::icl::inter_section, Interval>;

    static Interval interval(uint64_t start, uint64_t last)
    {
        return {start, last};
    }

    Map map_;
};

using IclSubject = Locked<IclContainer>;

} // namespace bench

#endif
