// SPDX-License-Identifier: BSD-2-Clause
// Sorted arrays of starts and of what belongs to them, searched by halving without branches.
#ifndef RANGEMAP_BENCH_SUBJECTS_SORTED_ARRAY_H
#define RANGEMAP_BENCH_SUBJECTS_SORTED_ARRAY_H

#include <cstdint>

#include "bench/subjects/each_key.h"
#include "bench/subjects/read_only.h"

namespace bench
{

class SortedArraySubject : public ReadOnlySubject
{
  public:
    static const char *name()
    {
        return "sorted array";
    }

    double load(const Ranges &sorted)
    {
        auto begin = std::chrono::steady_clock::now();
        size_ = sorted.size();
        starts_ = HugeArray<uint64_t>(size_);
        ends_ = HugeArray<End>(size_);
        for (size_t i = 0; i < size_; i++) {
            starts_[i] = sorted[i].start;
            ends_[i] = {sorted[i].last, sorted[i].value};
        }
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        return lookup_held(key, value);
    }

    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        return lookup_each(*this, keys, count, values);
    }

    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        size_t found = predecessor(key);
        bool hit = starts_[found] <= key && key <= ends_[found].last;
        *value = hit ? ends_[found].value : 0;
        return hit;
    }

    Ranges contents() const
    {
        Ranges ranges;
        for (size_t i = 0; i < size_; i++)
            ranges.push_back({starts_[i], ends_[i].last, ends_[i].value});
        return ranges;
    }

    uint64_t scan() const
    {
        uint64_t sum = 0;
        for (size_t i = 0; i < size_; i++)
            sum += ends_[i].last - starts_[i] + ends_[i].value;
        return sum;
    }

    uint64_t bytes() const
    {
        return starts_.bytes() + ends_.bytes();
    }

  private:
    struct End {
        uint64_t last, value;
    };

    // The last start at or below `key`; 0 also if there is none. Both halves that may come next are fetched.
    size_t predecessor(uint64_t key) const
    {
        const uint64_t *base = starts_.data();
        for (size_t length = size_; length > 1;) {
            size_t half = length / 2;
            length -= half;
            __builtin_prefetch(base + length / 2);
            __builtin_prefetch(base + half + length / 2);
            base += half * static_cast<size_t>(base[half] <= key);
        }
        return static_cast<size_t>(base - starts_.data());
    }

    size_t size_ = 0;
    HugeArray<uint64_t> starts_;
    HugeArray<End> ends_;
};

} // namespace bench

#endif
