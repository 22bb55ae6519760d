// SPDX-License-Identifier: BSD-2-Clause
#include "bench/check/oracle.h"

#include <algorithm>
#include <set>

namespace bench
{

// The index of the first range whose last key is at or above `key`; the number of ranges if there is none.
size_t Oracle::first_ending_at_or_above(uint64_t key) const
{
    auto found = std::partition_point(ranges_.begin(), ranges_.end(),
                                      [key](const Range &range) { return range.last < key; });
    return static_cast<size_t>(found - ranges_.begin());
}

const Range *Oracle::find(uint64_t key) const
{
    return overlap(key, key);
}

const Range *Oracle::next(uint64_t key) const
{
    auto found = std::partition_point(ranges_.begin(), ranges_.end(),
                                      [key](const Range &range) { return range.start <= key; });
    return found == ranges_.end() ? nullptr : &*found;
}

const Range *Oracle::previous(uint64_t key) const
{
    size_t after = first_ending_at_or_above(key);
    return after == 0 ? nullptr : &ranges_[after - 1];
}

const Range *Oracle::overlap(uint64_t start, uint64_t last) const
{
    size_t i = first_ending_at_or_above(start);
    return i < ranges_.size() && ranges_[i].start <= last ? &ranges_[i] : nullptr;
}

bool Oracle::covered(uint64_t start, uint64_t last) const
{
    for (size_t i = first_ending_at_or_above(start); i < ranges_.size(); i++) {
        if (ranges_[i].start > start)
            return false;
        if (ranges_[i].last >= last)
            return true;
        start = ranges_[i].last + 1;
    }
    return false;
}

// The lowest or highest aligned start of `length` keys in the free keys [low, high].
static std::optional<uint64_t> fit(uint64_t low, uint64_t high, uint64_t length, uint64_t alignment,
                                   bool from_top)
{
    if (low > high || high - low < length - 1)
        return std::nullopt;
    uint64_t highest = (high - (length - 1)) / alignment * alignment;
    uint64_t rest = low % alignment;
    if (rest != 0 && low > UINT64_MAX - (alignment - rest))
        return std::nullopt;
    uint64_t lowest = rest == 0 ? low : low + (alignment - rest);
    if (lowest > highest || highest < low)
        return std::nullopt;
    return from_top ? highest : lowest;
}

std::optional<uint64_t> Oracle::gap(uint64_t length, uint64_t alignment, uint64_t low, uint64_t high,
                                    bool from_top) const
{
    std::optional<uint64_t> best;
    uint64_t free = low;
    for (size_t i = first_ending_at_or_above(low); i < ranges_.size() && ranges_[i].start <= high; i++) {
        if (ranges_[i].start > free) {
            auto found = fit(free, ranges_[i].start - 1, length, alignment, from_top);
            if (found && !from_top)
                return found;
            best = found ? found : best;
        }
        if (ranges_[i].last >= high)
            return best;
        free = ranges_[i].last + 1;
    }
    auto found = fit(free, high, length, alignment, from_top);
    return found ? found : best;
}

Ranges Oracle::carve(uint64_t start, uint64_t last)
{
    size_t first = first_ending_at_or_above(start);
    size_t end = first;
    while (end < ranges_.size() && ranges_[end].start <= last)
        end++;
    auto at = [this](size_t i) { return ranges_.begin() + static_cast<std::ptrdiff_t>(i); };
    Ranges displaced(at(first), at(end));
    ranges_.erase(at(first), at(end));
    if (displaced.empty())
        return displaced;
    const Range &low = displaced.front(), &high = displaced.back();
    if (high.last > last)
        ranges_.insert(at(first), {last + 1, high.last, high.value});
    if (low.start < start)
        ranges_.insert(at(first), {low.start, start - 1, low.value});
    return displaced;
}

Ranges Oracle::store(const Range &range)
{
    Ranges displaced = carve(range.start, range.last);
    size_t i = first_ending_at_or_above(range.start);
    ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(i), range);
    return displaced;
}

// Sweeps the key space upwards; `active` are the stores that hold the current key, and the last of them wins.
class Sweep
{
  public:
    explicit Sweep(const Ranges &stores) : stores_(stores)
    {
    }

    Ranges run()
    {
        std::vector<size_t> by_start = order(&Range::start), by_last = order(&Range::last);
        size_t opened = 0, closed = 0;
        while (closed < by_last.size()) {
            uint64_t close_after = stores_[by_last[closed]].last;
            if (opened < by_start.size() && stores_[by_start[opened]].start <= close_after) {
                uint64_t start = stores_[by_start[opened]].start;
                emit_up_to(start, false);
                position_ = start;
                active_.insert(by_start[opened++]);
            } else {
                emit_up_to(close_after, true);
                position_ = close_after + 1; // may wrap after the very last key; nothing follows then
                active_.erase(by_last[closed++]);
            }
        }
        return std::move(pieces_);
    }

  private:
    std::vector<size_t> order(uint64_t Range::*bound) const
    {
        std::vector<size_t> indices(stores_.size());
        for (size_t i = 0; i < indices.size(); i++)
            indices[i] = i;
        std::sort(indices.begin(), indices.end(),
                  [&](size_t a, size_t b) { return stores_[a].*bound < stores_[b].*bound; });
        return indices;
    }

    // Gives the keys from the current position to `key` (without it, unless `inclusive`) to the winner.
    void emit_up_to(uint64_t key, bool inclusive)
    {
        if (active_.empty() || done_)
            return;
        if (inclusive ? key < position_ : key <= position_)
            return;
        uint64_t last = inclusive ? key : key - 1;
        uint64_t value = stores_[*active_.rbegin()].value;
        bool grows =
            !pieces_.empty() && pieces_.back().value == value && pieces_.back().last + 1 == position_;
        if (grows)
            pieces_.back().last = last;
        else
            pieces_.push_back({position_, last, value});
        done_ = last == UINT64_MAX;
    }

    const Ranges &stores_;
    std::set<size_t> active_;
    uint64_t position_ = 0;
    bool done_ = false;
    Ranges pieces_;
};

Ranges flatten_stores(const Ranges &stores)
{
    return Sweep(stores).run();
}

bool is_sorted_and_disjoint(const Ranges &ranges)
{
    for (size_t i = 1; i < ranges.size(); i++) {
        if (ranges[i].start <= ranges[i - 1].last)
            return false;
    }
    return true;
}

} // namespace bench
