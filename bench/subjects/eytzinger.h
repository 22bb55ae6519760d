// SPDX-License-Identifier: BSD-2-Clause
/*
 * An array in the order in which a breadth-first walk of a search tree visits it: the children of i are 2i and
 * 2i + 1, and the eight great-grandchildren share a cache line, which is fetched ahead (Khuong and Morin, "Array
 * Layouts for Comparison-Based Searching"). Lookups have no branch that depends on the key.
 */
#ifndef RANGEMAP_BENCH_SUBJECTS_EYTZINGER_H
#define RANGEMAP_BENCH_SUBJECTS_EYTZINGER_H

#include <cstdint>

#include "bench/subjects/each_key.h"
#include "bench/subjects/read_only.h"

namespace bench
{

class EytzingerSubject : public ReadOnlySubject
{
  public:
    static const char *name()
    {
        return "Eytzinger array";
    }

    double load(const Ranges &sorted)
    {
        auto begin = std::chrono::steady_clock::now();
        size_ = sorted.size();
        full_levels_ = 63 - static_cast<unsigned>(__builtin_clzll(size_ + 1));
        starts_ = HugeArray<uint64_t>(size_ + 1);
        ends_ = HugeArray<End>(size_ + 1);
        starts_[0] = UINT64_MAX; // stands for "no start at or below the key", and holds none
        ends_[0] = {0, 0};
        const Range *next = sorted.data();
        fill(1, &next);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        return lookup_held(key, value);
    }

    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        size_t node = 1;
        for (unsigned level = 0; level < full_levels_; level++)
            node = descend(node, key);
        return answer(last_level(node, key), key, value);
    }

    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        return lookup_each(*this, keys, count, values);
    }

    Ranges contents() const
    {
        Ranges ranges;
        visit(1, [&](size_t i) { ranges.push_back({starts_[i], ends_[i].last, ends_[i].value}); });
        return ranges;
    }

    uint64_t scan() const
    {
        uint64_t sum = 0;
        visit(1, [&](size_t i) { sum += ends_[i].last - starts_[i] + ends_[i].value; });
        return sum;
    }

    uint64_t bytes() const
    {
        return starts_.bytes() + ends_.bytes();
    }

  protected:
    size_t descend(size_t node, uint64_t key) const
    {
        __builtin_prefetch(starts_.data() + 8 * node);
        return 2 * node + static_cast<size_t>(starts_[node] <= key);
    }

    // The level that the array fills in part.
    size_t last_level(size_t node, uint64_t key) const
    {
        size_t inside = node <= size_ ? node : 0; // starts_[0] is above every key but one
        size_t below = 2 * node + static_cast<size_t>(starts_[inside] <= key);
        return node <= size_ ? below : node;
    }

    // `node` is where the descent fell off. The last turn to the right, below which all turns went left, was
    // taken at the greatest start at or below the key.
    bool answer(size_t node, uint64_t key, uint64_t *value) const
    {
        size_t found = node >> (__builtin_ctzll(node) + 1);
        bool hit = key <= ends_[found].last && found != 0;
        *value = hit ? ends_[found].value : 0;
        return hit;
    }

    unsigned full_levels() const
    {
        return full_levels_;
    }

  private:
    struct End {
        uint64_t last, value;
    };

    void fill(size_t node, const Range **next)
    {
        if (node > size_)
            return;
        fill(2 * node, next);
        starts_[node] = (*next)->start;
        ends_[node] = {(*next)->last, (*next)->value};
        ++*next;
        fill(2 * node + 1, next);
    }

    template <class Visit> void visit(size_t node, const Visit &call) const
    {
        if (node > size_)
            return;
        visit(2 * node, call);
        call(node);
        visit(2 * node + 1, call);
    }

    size_t size_ = 0;
    unsigned full_levels_ = 0;
    HugeArray<uint64_t> starts_;
    HugeArray<End> ends_;
};

// The same array with batches that descend together, one level of all keys after the other: what batches could
// gain at most.
class InterleavedEytzingerSubject : public EytzingerSubject
{
  public:
    static const char *name()
    {
        return "Eytzinger, interleaved";
    }

    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        unsigned hits = 0;
        for (unsigned i = 0; i < count; i += kLanes)
            hits += lookup_lanes(keys + i, count - i < kLanes ? count - i : kLanes, values + i);
        return hits;
    }

  private:
    static constexpr unsigned kLanes = 16;

    unsigned lookup_lanes(const uint64_t *keys, unsigned lanes, uint64_t *values) const
    {
        size_t node[kLanes];
        unsigned hits = 0;
        for (unsigned i = 0; i < lanes; i++)
            node[i] = 1;
        for (unsigned level = 0; level < full_levels(); level++) {
            for (unsigned i = 0; i < lanes; i++)
                node[i] = descend(node[i], keys[i]);
        }
        for (unsigned i = 0; i < lanes; i++)
            hits += answer(last_level(node[i], keys[i]), keys[i], &values[i]);
        return hits;
    }
};

} // namespace bench

#endif
