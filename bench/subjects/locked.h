// SPDX-License-Identifier: BSD-2-Clause
/*
 * A range container of somebody else's under one pthread_rwlock. Container has insert(), erase(), store(), carve() and
 * lookup() as range.h says, and visit(function), which calls it with each Range in ascending order.
 */
#ifndef RANGEMAP_BENCH_SUBJECTS_LOCKED_H
#define RANGEMAP_BENCH_SUBJECTS_LOCKED_H

#include <cstdint>

#include "bench/subjects/rwlock_map.h"

namespace bench
{

template <class Container> class Locked
{
  public:
    Locked() = default;
    ~Locked()
    {
        pthread_rwlock_destroy(&lock_);
    }
    Locked(const Locked &) = delete;
    Locked &operator=(const Locked &) = delete;

    struct Thread {
        explicit Thread(const Locked &)
        {
        }
    };
    class Section
    {
      public:
        explicit Section(const Locked &subject) : lock_(&subject.lock_)
        {
        }

      private:
        ReadLock lock_;
    };

    static const char *name()
    {
        return Container::name();
    }
    double load(const Ranges &sorted)
    {
        WriteLock lock(&lock_);
        return load_each(container_, sorted);
    }
    bool insert(const Range &range)
    {
        WriteLock lock(&lock_);
        return container_.insert(range);
    }
    bool erase(const Range &range)
    {
        WriteLock lock(&lock_);
        return container_.erase(range);
    }
    void store(const Range &range)
    {
        WriteLock lock(&lock_);
        container_.store(range);
    }
    void carve(uint64_t start, uint64_t last)
    {
        WriteLock lock(&lock_);
        container_.carve(start, last);
    }
    bool lookup(uint64_t key, uint64_t *value) const
    {
        ReadLock lock(&lock_);
        return container_.lookup(key, value);
    }
    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        ReadLock lock(&lock_);
        unsigned hits = 0;
        for (unsigned i = 0; i < count; i++)
            hits += container_.lookup(keys[i], &values[i]);
        return hits;
    }
    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        return container_.lookup(key, value);
    }
    Ranges contents() const
    {
        ReadLock lock(&lock_);
        Ranges ranges;
        container_.visit([&](const Range &range) { ranges.push_back(range); });
        return ranges;
    }
    uint64_t scan() const
    {
        ReadLock lock(&lock_);
        uint64_t sum = 0;
        container_.visit([&](const Range &range) { sum += range.last - range.start + range.value; });
        return sum;
    }
    // These containers do not tell.
    uint64_t bytes() const
    {
        return 0;
    }
    uint64_t bytes_with_garbage() const
    {
        return 0;
    }
    void settle()
    {
    }

  private:
    mutable pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER; // default attributes
    Container container_;
};

} // namespace bench

#endif
