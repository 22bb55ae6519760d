// SPDX-License-Identifier: BSD-2-Clause
/*
 * A model of the caches of many cores: which of them hold a line, and until when it is on its way.
 *
 * MESI by a directory. A line has an owner, the one core that may write it (modified or exclusive, which cost the
 * others the same), or sharers, and the groups in whose last cache it also is. Each core has two caches of its own, of
 * limited size; caches of the last level hold all that their cores had and no other core has written since, and at
 * the beginning everything.
 *
 * What a core asks for while the line is on its way to another one waits for that: so read-modify-writes of many
 * cores on one line are done one after the other.
 */
#ifndef RANGEMAP_BENCH_CORES_CACHES_H
#define RANGEMAP_BENCH_CORES_CACHES_H

#include <bitset>
#include <cstdint>
#include <vector>

#include "bench/cores/machine.h"

namespace bench::cores
{

using LineId = uint64_t;

enum class Access {
    kRead,
    kWrite,
    kUpdate, // a locked read-modify-write
};

struct Arrival {
    Ps done;          // when the core has it, and has changed it
    bool transferred; // another core had to give it, or give it up
};

// Lines in a cache, by sets.
class TagArray
{
  public:
    static constexpr LineId kNone = ~LineId{0};

    explicit TagArray(CacheShape shape);

    // Whether it is there; then it is the youngest from now on.
    bool touch(LineId line);
    // Makes it the youngest; returns what had to go, or kNone.
    LineId insert(LineId line);

  private:
    LineId *set_of(LineId line);

    unsigned sets_, ways_;
    std::vector<LineId> tags_; // of each set, the youngest first
};

class Caches
{
  public:
    Caches(const Machine &machine, const Topology &topology, unsigned cores);

    // Whether the core's first cache has the line in a state that serves: no other core takes part.
    bool is_near(unsigned core, LineId line, Access access);

    // The core's access, asked for at `now`.
    Arrival access(unsigned core, LineId line, Access access, Ps now);

  private:
    struct Line {
        std::bitset<kMostThreads> sharers; // without the owner
        Ps free_at = 0;
        int owner = -1;
        uint32_t last_caches = ~uint32_t{0}; // groups, as bits; at first all: what is there is read by all
    };
    struct Core {
        explicit Core(const Machine &machine) : l1(machine.l1), l2(machine.l2)
        {
        }
        TagArray l1, l2;
    };

    Line &at(LineId line);
    bool holds(const Line &line, unsigned core, Access access) const;
    Ps own(unsigned core, LineId id);
    Ps fetch(unsigned core, const Line &line, bool *transferred) const;
    Ps invalidate(unsigned core, const Line &line, bool *transferred) const;
    void fill(unsigned core, LineId id);
    void evict(unsigned core, LineId id);

    const Machine &machine_;
    const Topology &topology_;
    std::vector<Core> cores_;
    std::vector<Line> lines_;
};

} // namespace bench::cores

#endif
