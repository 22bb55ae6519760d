// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/caches.h"

#include <algorithm>

namespace bench::cores
{

TagArray::TagArray(CacheShape shape)
    : sets_(shape.lines / shape.ways), ways_(shape.ways), tags_(sets_ * shape.ways, kNone)
{
}

LineId *TagArray::set_of(LineId line)
{
    return &tags_[line % sets_ * ways_];
}

bool TagArray::touch(LineId line)
{
    LineId *set = set_of(line), *found = std::find(set, set + ways_, line);
    if (found == set + ways_)
        return false;
    std::rotate(set, found, found + 1);
    return true;
}

LineId TagArray::insert(LineId line)
{
    if (touch(line))
        return kNone;
    LineId *set = set_of(line), oldest = set[ways_ - 1];
    std::rotate(set, set + ways_ - 1, set + ways_);
    set[0] = line;
    return oldest;
}

Caches::Caches(const Machine &machine, const Topology &topology, unsigned cores)
    : machine_(machine), topology_(topology), cores_(cores, Core(machine))
{
}

Caches::Line &Caches::at(LineId line)
{
    if (line >= lines_.size())
        lines_.resize(std::max<size_t>(line + 1, lines_.size() * 2));
    return lines_[line];
}

bool Caches::holds(const Line &line, unsigned core, Access access) const
{
    return line.owner == static_cast<int>(core) || (access == Access::kRead && line.sharers[core]);
}

bool Caches::is_near(unsigned core, LineId line, Access access)
{
    return holds(at(line), core, access) && cores_[core].l1.touch(line);
}

// From one of the core's own caches.
Ps Caches::own(unsigned core, LineId id)
{
    if (cores_[core].l1.touch(id))
        return 0;
    fill(core, id);
    return machine_.l2_hit;
}

// What it takes to read what the core does not have.
Ps Caches::fetch(unsigned core, const Line &line, bool *transferred) const
{
    if (line.owner >= 0) {
        *transferred = true;
        return machine_
            .transfer[static_cast<int>(topology_.between(core, static_cast<unsigned>(line.owner)))];
    }
    if (line.last_caches >> topology_.group(core) & 1)
        return machine_.l3_hit;
    Ps least = machine_.memory;
    for (unsigned group = 0; group < topology_.groups(); group++) {
        if (line.last_caches >> group & 1) {
            Distance distance = topology_.between_groups(topology_.group(core), group);
            least = std::min(least, machine_.transfer[static_cast<int>(distance)]);
        }
    }
    return least;
}

// What it takes until the farthest of the others has given up its copy.
Ps Caches::invalidate(unsigned core, const Line &line, bool *transferred) const
{
    Ps most = 0;
    for (size_t i = line.sharers._Find_first(); i < line.sharers.size(); i = line.sharers._Find_next(i)) {
        if (i != core) {
            Distance distance = topology_.between(core, static_cast<unsigned>(i));
            most = std::max(most, machine_.transfer[static_cast<int>(distance)]);
        }
    }
    *transferred |= most > 0;
    return most;
}

Arrival Caches::access(unsigned core, LineId id, Access access, Ps now)
{
    Line &line = at(id);
    Ps locked = access == Access::kUpdate ? machine_.atomic : 0;
    if (holds(line, core, access))
        return {now + own(core, id) + locked, false};

    bool transferred = false, had = line.sharers[core], written = line.owner >= 0;
    Ps begin = std::max(now, line.free_at);
    Ps cost = had ? machine_.l3_hit : fetch(core, line, &transferred);
    uint32_t here = uint32_t{1} << topology_.group(core);
    if (access == Access::kRead) {
        if (written) {
            line.sharers.set(static_cast<size_t>(line.owner));
            line.last_caches |= uint32_t{1} << topology_.group(static_cast<unsigned>(line.owner));
            line.owner = -1;
        }
        if (line.last_caches == 0)
            line.owner = static_cast<int>(core); // exclusive
        else
            line.sharers.set(core);
        line.last_caches |= here;
        line.free_at = written ? begin + cost : begin + machine_.port;
    } else {
        cost = std::max(cost, invalidate(core, line, &transferred));
        line.sharers.reset();
        line.owner = static_cast<int>(core);
        line.last_caches = 0;
        line.free_at = begin + cost + locked;
    }
    fill(core, id);
    return {begin + cost + locked, transferred};
}

void Caches::fill(unsigned core, LineId id)
{
    cores_[core].l1.insert(id);
    LineId victim = cores_[core].l2.insert(id);
    if (victim != TagArray::kNone)
        evict(core, victim);
}

void Caches::evict(unsigned core, LineId id)
{
    Line &line = at(id);
    if (!holds(line, core, Access::kRead))
        return; // another core has written it since
    line.sharers.reset(core);
    if (line.owner == static_cast<int>(core))
        line.owner = -1;
    line.last_caches |= uint32_t{1} << topology_.group(core);
}

} // namespace bench::cores
