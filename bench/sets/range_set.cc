// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/range_set.h"

#include <algorithm>

#include "bench/check/oracle.h"

namespace bench
{

RangeSet skipped_set(const std::string &name, const std::string &source, const std::string &why)
{
    RangeSet set;
    set.name = name;
    set.source = source;
    set.skipped = why;
    return set;
}

void finish_set(RangeSet *set, const Ranges &ranges)
{
    set->ranges = ranges;
    std::stable_sort(set->ranges.begin(), set->ranges.end(),
                     [](const Range &a, const Range &b) { return a.start < b.start; });
    if (is_sorted_and_disjoint(set->ranges))
        return;
    for (const Range &range : ranges)
        set->actions.push_back({Action::kStore, range});
    set->ranges = flatten_stores(ranges);
    set->notes.push_back("ranges overlap: " + std::to_string(ranges.size()) +
                         " stored in order, later ones over earlier ones, leave " +
                         std::to_string(set->ranges.size()));
}

} // namespace bench
