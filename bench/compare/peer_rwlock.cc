// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/peer.h"
#include "bench/subjects/btree.h"
#include "bench/subjects/std_map.h"

namespace bench
{

std::vector<Peer> rwlock_peers()
{
    return {
        {kStdMap, "std::map, rwlock", [] { return std::make_unique<ContenderOf<StdMapSubject>>(); }},
        {kBtreeMap, "absl::btree_map, rwlock", [] { return std::make_unique<ContenderOf<BtreeSubject>>(); }}};
}

} // namespace bench
