// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/subject.h"

#include "bench/subjects/btree.h"
#include "bench/subjects/rangemap.h"
#include "bench/subjects/std_map.h"

namespace bench
{

Subject rangemap_subject()
{
    Subject rangemap = subject<RangemapSubject>(kRangemap, "rangemap");
    rangemap.reclaims = true;
    return rangemap;
}

std::vector<Subject> rwlock_subjects()
{
    return {subject<StdMapSubject>(kStdMap, "std::map, rwlock"),
            subject<BtreeSubject>(kBtreeMap, "absl::btree_map, rwlock")};
}

} // namespace bench
