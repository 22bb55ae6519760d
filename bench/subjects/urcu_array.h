// SPDX-License-Identifier: BSD-2-Clause
/*
 * A sorted array that readers search under liburcu and that an update copies and replaces whole, under a mutex: what
 * most projects do that have liburcu. The old array is freed by call_rcu().
 */
#ifndef RANGEMAP_BENCH_SUBJECTS_URCU_ARRAY_H
#define RANGEMAP_BENCH_SUBJECTS_URCU_ARRAY_H

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "bench/subjects/each_key.h"
#include "bench/subjects/urcu.h"

namespace bench
{

class UrcuArraySubject
{
  public:
    using Thread = UrcuThread;
    using Section = UrcuSection;

    static const char *name()
    {
        return "urcu array";
    }

    UrcuArraySubject() : array_(new Array{{}, {}})
    {
        total() += bytes_of(*array_);
    }
    ~UrcuArraySubject()
    {
        discard(array_);
        urcu_settle();
    }
    UrcuArraySubject(const UrcuArraySubject &) = delete;
    UrcuArraySubject &operator=(const UrcuArraySubject &) = delete;

    double load(const Ranges &sorted)
    {
        auto begin = std::chrono::steady_clock::now();
        std::lock_guard<std::mutex> lock(mutex_);
        publish(sorted);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    bool insert(const Range &range)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (first_behind(range.start) != first_above(range.last))
            return false;
        replace(range.start, range.last, &range);
        return true;
    }
    bool erase(const Range &range)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        size_t at = first_behind(range.start);
        const Ranges &held = array_->ranges;
        if (at == held.size() || held[at].start != range.start || held[at].last != range.last)
            return false;
        replace(range.start, range.last, nullptr);
        return true;
    }
    void store(const Range &range)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        replace(range.start, range.last, &range);
    }
    void carve(uint64_t start, uint64_t last)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        replace(start, last, nullptr);
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        Section section(*this);
        return lookup_held(key, value);
    }
    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        Section section(*this);
        return lookup_each(*this, keys, count, values);
    }
    // Halves without branches, and fetches both halves that may come next.
    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        const Ranges &ranges = rcu_dereference(array_)->ranges;
        *value = 0;
        if (ranges.empty())
            return false;
        const Range *base = ranges.data();
        for (size_t length = ranges.size(); length > 1;) {
            size_t half = length / 2;
            length -= half;
            __builtin_prefetch(base + length / 2);
            __builtin_prefetch(base + half + length / 2);
            base += half * static_cast<size_t>(base[half].start <= key);
        }
        bool hit = base->start <= key && key <= base->last;
        *value = hit ? base->value : 0;
        return hit;
    }

    Ranges contents() const
    {
        Section section(*this);
        return rcu_dereference(array_)->ranges;
    }
    uint64_t scan() const
    {
        Section section(*this);
        uint64_t sum = 0;
        for (const Range &range : rcu_dereference(array_)->ranges)
            sum += range.last - range.start + range.value;
        return sum;
    }
    uint64_t bytes() const
    {
        Section section(*this);
        return bytes_of(*rcu_dereference(array_));
    }
    uint64_t bytes_with_garbage() const
    {
        return total();
    }
    void settle()
    {
        urcu_settle();
    }

  private:
    struct Array {
        Ranges ranges;
        rcu_head head;
    };

    static std::atomic<uint64_t> &total()
    {
        static std::atomic<uint64_t> bytes;
        return bytes;
    }
    static uint64_t bytes_of(const Array &array)
    {
        return sizeof array + array.ranges.capacity() * sizeof(Range);
    }

    // The first range that ends at or above the key, and the first that begins above it. Under the mutex.
    size_t first_behind(uint64_t key) const
    {
        const Ranges &held = array_->ranges;
        return static_cast<size_t>(std::partition_point(held.begin(), held.end(),
                                                        [key](const Range &one) { return one.last < key; }) -
                                   held.begin());
    }
    size_t first_above(uint64_t key) const
    {
        const Ranges &held = array_->ranges;
        return static_cast<size_t>(
            std::partition_point(held.begin(), held.end(),
                                 [key](const Range &one) { return one.start <= key; }) -
            held.begin());
    }

    // A copy in which the window holds nothing, or `put`; what sticks out of it stays.
    void replace(uint64_t start, uint64_t last, const Range *put)
    {
        const Ranges &held = array_->ranges;
        size_t first = first_behind(start), end = first_above(last);
        Ranges copy;
        copy.reserve(held.size() + 2);
        copy.assign(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(first));
        if (first < end && held[first].start < start)
            copy.push_back({held[first].start, start - 1, held[first].value});
        if (put != nullptr)
            copy.push_back(*put);
        if (first < end && held[end - 1].last > last)
            copy.push_back({last + 1, held[end - 1].last, held[end - 1].value});
        copy.insert(copy.end(), held.begin() + static_cast<std::ptrdiff_t>(end), held.end());
        publish(std::move(copy));
    }

    void publish(Ranges ranges)
    {
        Array *old = array_;
        auto *fresh = new Array{std::move(ranges), {}};
        total() += bytes_of(*fresh);
        rcu_assign_pointer(array_, fresh);
        discard(old);
    }

    static void discard(Array *array)
    {
        call_rcu(&array->head, [](rcu_head *head) {
            auto *dead = reinterpret_cast<Array *>(reinterpret_cast<char *>(head) - offsetof(Array, head));
            total() -= bytes_of(*dead);
            delete dead;
        });
    }

    mutable std::mutex mutex_; // of updates
    Array *array_;
};

} // namespace bench

#endif
