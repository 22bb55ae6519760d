// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/peer.h"
#include "bench/subjects/eytzinger.h"
#include "bench/subjects/sorted_array.h"

namespace bench
{

template <class Subject> static Peer read_only(const char *name, const char *title)
{
    Peer peer = {name, title, [] { return std::make_unique<ContenderOf<Subject>>(); }};
    peer.updates = peer.overwrites = false;
    return peer;
}

std::vector<Peer> array_peers()
{
    Peer interleaved = read_only<InterleavedEytzingerSubject>(kInterleaved, "Eytzinger, interleaved");
    interleaved.looks_up = false;
    return {read_only<SortedArraySubject>(kSorted, "sorted array"),
            read_only<EytzingerSubject>(kEytzinger, "Eytzinger array"), interleaved};
}

} // namespace bench
