// SPDX-License-Identifier: BSD-2-Clause
// The machines that are simulated: how many cores, and what it costs them to get at a line.
#ifndef RANGEMAP_BENCH_CORES_MACHINE_H
#define RANGEMAP_BENCH_CORES_MACHINE_H

#include <cstdint>
#include <string>
#include <vector>

namespace bench::cores
{

using Ps = uint64_t; // picoseconds

constexpr unsigned kMostThreads = 256;

// A cache of one core: sets of lines, each least recently used first to go.
struct CacheShape {
    unsigned lines, ways;
};

// How far two cores are apart. Cores of a group share a cache of the last level.
enum class Distance { kGroup, kSocket, kRemote };
constexpr unsigned kDistances = 3;

struct Machine {
    std::string name;
    std::string what;   // in words
    std::string source; // of the figures that were published; the others are assumed, in `assumed`
    std::string assumed;
    unsigned cores_per_socket;
    unsigned cores_per_group;
    CacheShape l1, l2;
    // Beyond what a hit in the first cache costs, which is part of `step`.
    Ps l2_hit, l3_hit, memory;
    Ps transfer[kDistances]; // a line that another core has written, or has to give up
    Ps port;                 // between two readers of a line that nobody writes
    Ps atomic;               // a locked instruction on a line of one's own
    Ps barrier;              // membarrier(2), for who calls it
    Ps interrupted;          // and for each thread that it interrupts
    Ps tick;                 // of the coarse clock
    Ps step;                 // what goes on between two accesses that the compiler instruments
    Ps call;                 // and at the beginning of a function
    Ps update;               // what an update takes beyond that: branches that are mispredicted, TLB misses
};

const std::vector<Machine> &machines();

// The machine of that name; std::invalid_argument if there is none.
const Machine &machine_named(const std::string &name);

// Threads spread evenly over sockets, those of a socket filling its groups in order. There may be more threads than the
// machine has cores: then it is one that has more of the same.
class Topology
{
  public:
    Topology(const Machine &machine, unsigned threads, unsigned sockets);

    unsigned group(unsigned core) const
    {
        return group_[core];
    }
    unsigned socket_of_group(unsigned group) const
    {
        return socket_of_group_[group];
    }
    unsigned groups() const
    {
        return static_cast<unsigned>(socket_of_group_.size());
    }
    Distance between_groups(unsigned one, unsigned other) const
    {
        if (one == other)
            return Distance::kGroup;
        return socket_of_group_[one] == socket_of_group_[other] ? Distance::kSocket : Distance::kRemote;
    }
    Distance between(unsigned one, unsigned other) const
    {
        return between_groups(group_[one], group_[other]);
    }

  private:
    std::vector<unsigned> group_, socket_of_group_;
};

} // namespace bench::cores

#endif
