// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/stage.h"

#include "bench/compare/check.h"

namespace bench
{

Contender &Loaded::map(const Peer &peer)
{
    std::unique_ptr<Contender> &map = maps_[peer.name];
    if (map == nullptr) {
        progress_.step(stage_.name + ": checking " + peer.title);
        map = peer.make();
        check_peer(peer, *map, seed_);
    }
    return *map;
}

Contender &Loaded::filled(const Peer &peer)
{
    Contender &map = this->map(peer);
    if (!filled_[peer.name]) {
        progress_.step(stage_.name + ": filling " + peer.title);
        map.clear();
        if (peer.updates)
            map.insert_all(shuffled_ranges());
        else
            map.load(*stage_.ranges);
        check_holds(peer, map, *stage_.ranges);
        filled_[peer.name] = true;
    }
    return map;
}

const Ranges &Loaded::shuffled_ranges()
{
    if (shuffled_.empty())
        shuffled_ = shuffled(*stage_.ranges, seed_);
    return shuffled_;
}

const MixInput &Loaded::input(const Row &row)
{
    std::string name = std::string(pattern_name(row.keys.pattern)) + (row.keys.hit ? " hit " : " miss ") +
                       std::to_string(row.plan.threads) + (row.halves ? " halves" : "");
    auto [found, is_new] = inputs_.try_emplace(name);
    if (!is_new)
        return found->second;
    found->second.ranges = stage_.ranges;
    size_t count = stage_.ranges->size(), threads = row.plan.threads;
    for (size_t i = 0; i < threads; i++) {
        size_t first = row.halves ? count * i / threads : 0;
        size_t behind = row.halves ? count * (i + 1) / threads : count;
        std::vector<uint64_t> keys;
        if (behind > first)
            keys = draw_keys(*stage_.ranges, first, behind - first, row.keys, seed_ + i);
        found->second.keys.push_back(std::move(keys));
    }
    return found->second;
}

void Loaded::check_again(const Peer &peer)
{
    if (!filled_[peer.name])
        return;
    progress_.step(stage_.name + ": checking " + peer.title + " again");
    maps_[peer.name]->settle();
    check_holds(peer, *maps_[peer.name], *stage_.ranges);
}

} // namespace bench
