// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/peer.h"
#include "bench/subjects/maple_tree.h"
#include "bench/subjects/xarray.h"

namespace bench
{

// A range of any bounds takes dozens of pieces and some 3 KiB.
constexpr size_t kMostUnaligned = 65536;

std::vector<Peer> kernel_peers()
{
    Peer maple = {kMaple, "maple tree", [] { return std::make_unique<ContenderOf<MapleTreeSubject>>(); }};
    maple.reclaims = true;
    Peer xarray = {kXArray, "XArray", [] { return std::make_unique<ContenderOf<XArraySubject>>(); }};
    xarray.reclaims = true;
    xarray.overwrites = false;
    xarray.most_unaligned = kMostUnaligned;
    return {maple, xarray};
}

} // namespace bench
