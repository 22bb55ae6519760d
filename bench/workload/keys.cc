// SPDX-License-Identifier: BSD-2-Clause
#include "bench/workload/keys.h"

#include <algorithm>
#include <cmath>
#include <optional>
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

static size_t key_count(size_t ranges)
{
    size_t count = size_t{1} << 16;
    while (count < ranges && count < size_t{1} << 20)
        count *= 2;
    return count;
}

std::vector<uint64_t> random_hits(const Ranges &ranges, uint64_t seed)
{
    Random random(seed);
    std::vector<uint64_t> keys(key_count(ranges.size()));
    for (uint64_t &key : keys) {
        const Range &range = ranges[random.below(ranges.size())];
        key = random.between(range.start, range.last);
    }
    return keys;
}

Ranges page_ranges(size_t count, uint64_t seed)
{
    Random random(seed);
    Ranges ranges;
    ranges.reserve(count);
    uint64_t next = uint64_t{1} << 20;
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = uint64_t{4096} << random.below(10);
        if (random.below(4) != 0)
            next += 4096 * random.between(1, 512);
        uint64_t start = (next + bytes - 1) / bytes * bytes;
        ranges.push_back({start, start + bytes - 1, i});
        next = start + bytes;
    }
    return ranges;
}

const char *pattern_name(KeyPattern pattern)
{
    switch (pattern) {
    case KeyPattern::kRandom:
        return "random";
    case KeyPattern::kZipf:
        return "zipf";
    case KeyPattern::kLocal:
        return "local";
    }
    return "?";
}

namespace
{

// Ranks 0..count-1 by Zipf's law, after Gray and others, "Quickly Generating Billion-Record Synthetic Databases".
class Zipf
{
  public:
    explicit Zipf(size_t count) : count_(static_cast<double>(count))
    {
        for (size_t i = 1; i <= count; i++)
            sum_ += 1 / std::pow(static_cast<double>(i), kExponent);
        double two = 1 + std::pow(0.5, kExponent);
        alpha_ = 1 / (1 - kExponent);
        eta_ = (1 - std::pow(2 / count_, 1 - kExponent)) / (1 - two / sum_);
    }

    size_t rank(Random &random) const
    {
        double u = static_cast<double>(random() >> 11) * 0x1p-53;
        double scaled = u * sum_;
        if (scaled < 1 || count_ < 2)
            return 0;
        if (scaled < 1 + std::pow(0.5, kExponent))
            return 1;
        double rank = count_ * std::pow(eta_ * u - eta_ + 1, alpha_);
        return static_cast<size_t>(std::min(rank, count_ - 1));
    }

  private:
    static constexpr double kExponent = 0.99;
    double count_, sum_ = 0, alpha_, eta_;
};

// Numbers of ranges, 0..count-1.
class RangePicker
{
  public:
    RangePicker(KeyPattern pattern, size_t count, uint64_t seed)
        : pattern_(pattern), count_(count), random_(seed)
    {
        if (pattern == KeyPattern::kZipf)
            zipf_.emplace(count);
    }

    size_t pick()
    {
        if (pattern_ == KeyPattern::kZipf)
            return Random(zipf_->rank(random_)).below(count_);
        if (pattern_ == KeyPattern::kRandom)
            return random_.below(count_);
        if (turn_++ % kStay == 0)
            from_ = random_.below(count_);
        return (from_ + random_.below(std::min(kNeighbours, count_))) % count_;
    }

    Random &random()
    {
        return random_;
    }

  private:
    static constexpr size_t kStay = 256, kNeighbours = 64;
    KeyPattern pattern_;
    size_t count_, turn_ = 0, from_ = 0;
    Random random_;
    std::optional<Zipf> zipf_;
};

} // namespace

// Keys between range i and its successor: none, or all from low to *high.
static bool gap_above(const Ranges &ranges, size_t i, uint64_t *low, uint64_t *high)
{
    if (ranges[i].last == UINT64_MAX)
        return false;
    *low = ranges[i].last + 1;
    *high =
        i + 1 < ranges.size() ? ranges[i + 1].start - 1 : *low + std::min<uint64_t>(UINT64_MAX - *low, 4095);
    return *low <= *high;
}

std::vector<uint64_t> draw_keys(const Ranges &ranges, size_t first, size_t count, const KeyPlan &plan,
                                uint64_t seed)
{
    RangePicker picker(plan.pattern, count, seed);
    std::vector<uint64_t> keys;
    while (keys.size() < key_count(count)) {
        size_t i = picker.pick();
        uint64_t low = ranges[first + i].start, high = ranges[first + i].last;
        for (size_t tries = 0; !plan.hit && !gap_above(ranges, first + i, &low, &high); i = (i + 1) % count) {
            if (++tries > count)
                return {};
        }
        keys.push_back(picker.random().between(low, high));
    }
    return keys;
}

} // namespace bench
