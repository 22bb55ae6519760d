// SPDX-License-Identifier: BSD-2-Clause
#include "bench/workload/keys.h"

#include <algorithm>
#include <utility>

#include "bench/workload/random.h"

namespace bench
{

// 1..2^20, each power of two as likely as the next.
static uint64_t log_uniform(Random &random)
{
    uint64_t top = uint64_t{1} << random.below(21);
    return random.between((top + 1) / 2, top);
}

Ranges synthetic_ranges(size_t count, uint64_t seed)
{
    Random random(seed);
    Ranges ranges;
    ranges.reserve(count);
    uint64_t next = 4096;
    for (size_t i = 0; i < count; i++) {
        if (random.below(4) != 0)
            next += log_uniform(random);
        uint64_t last = next + log_uniform(random) - 1;
        ranges.push_back({next, last, i});
        next = last + 1;
    }
    return ranges;
}

Ranges shuffled(const Ranges &ranges, uint64_t seed)
{
    Ranges order = ranges;
    Random random(seed);
    for (size_t i = order.size(); i > 1; i--)
        std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

std::vector<uint64_t> random_hits(const Ranges &ranges, uint64_t seed)
{
    size_t count = size_t{1} << 16;
    while (count < ranges.size() && count < size_t{1} << 20)
        count *= 2;
    Random random(seed);
    std::vector<uint64_t> keys(count);
    for (uint64_t &key : keys) {
        const Range &range = ranges[random.below(ranges.size())];
        key = random.between(range.start, range.last);
    }
    return keys;
}

} // namespace bench
