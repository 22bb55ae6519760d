// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/peer.h"
#include "bench/subjects/rangemap.h"

namespace bench
{

Peer rangemap_peer()
{
    Peer peer = {kRangemap, "rangemap", [] { return std::make_unique<ContenderOf<RangemapSubject>>(); }};
    peer.reclaims = true;
    return peer;
}

} // namespace bench
