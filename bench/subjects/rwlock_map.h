// SPDX-License-Identifier: BSD-2-Clause
// An ordered map keyed by the start of each range, under one pthread_rwlock: what a program does that has
// no concurrent range map. std_map.h and btree.h name the two containers; see range.h for the members.
#ifndef RANGEMAP_BENCH_SUBJECTS_RWLOCK_MAP_H
#define RANGEMAP_BENCH_SUBJECTS_RWLOCK_MAP_H

#include <pthread.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <system_error>
#include <utility>

#include "bench/subjects/counting_allocator.h"
#include "bench/subjects/each_key.h"
#include "bench/subjects/range.h"

namespace bench
{

// Read-locks while it lives.
class ReadLock
{
  public:
    explicit ReadLock(pthread_rwlock_t *lock) : lock_(lock)
    {
        if (int rc = pthread_rwlock_rdlock(lock_))
            throw std::system_error(rc, std::generic_category(), "pthread_rwlock_rdlock");
    }
    ~ReadLock()
    {
        pthread_rwlock_unlock(lock_);
    }
    ReadLock(const ReadLock &) = delete;
    ReadLock &operator=(const ReadLock &) = delete;

  private:
    pthread_rwlock_t *lock_;
};

// Write-locks while it lives.
class WriteLock
{
  public:
    explicit WriteLock(pthread_rwlock_t *lock) : lock_(lock)
    {
        if (int rc = pthread_rwlock_wrlock(lock_))
            throw std::system_error(rc, std::generic_category(), "pthread_rwlock_wrlock");
    }
    ~WriteLock()
    {
        pthread_rwlock_unlock(lock_);
    }
    WriteLock(const WriteLock &) = delete;
    WriteLock &operator=(const WriteLock &) = delete;

  private:
    pthread_rwlock_t *lock_;
};

struct RangeEnd {
    uint64_t last;
    uint64_t value;
};

using RangeMapAllocator = CountingAllocator<std::pair<const uint64_t, RangeEnd>>;

// Map is an ordered map from uint64_t to RangeEnd with that allocator.
template <class Map> class RwlockMap
{
  public:
    RwlockMap() : map_(RangeMapAllocator(&bytes_))
    {
    }
    ~RwlockMap()
    {
        pthread_rwlock_destroy(&lock_);
    }
    RwlockMap(const RwlockMap &) = delete;
    RwlockMap &operator=(const RwlockMap &) = delete;

    struct Thread {
        explicit Thread(const RwlockMap &)
        {
        }
    };

    double load(const Ranges &sorted)
    {
        WriteLock lock(&lock_);
        auto begin = std::chrono::steady_clock::now();
        for (const Range &range : sorted)
            map_.emplace_hint(map_.end(), range.start, RangeEnd{range.last, range.value});
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    bool insert(const Range &range)
    {
        WriteLock lock(&lock_);
        auto after = map_.upper_bound(range.start);
        if (after != map_.end() && after->first <= range.last)
            return false;
        if (after != map_.begin() && std::prev(after)->second.last >= range.start)
            return false;
        map_.emplace_hint(after, range.start, RangeEnd{range.last, range.value});
        return true;
    }

    bool erase(const Range &range)
    {
        WriteLock lock(&lock_);
        auto found = map_.find(range.start);
        if (found == map_.end() || found->second.last != range.last)
            return false;
        map_.erase(found);
        return true;
    }

    void store(const Range &range)
    {
        WriteLock lock(&lock_);
        carve_locked(range.start, range.last);
        map_.emplace(range.start, RangeEnd{range.last, range.value});
    }

    void carve(uint64_t start, uint64_t last)
    {
        WriteLock lock(&lock_);
        carve_locked(start, last);
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        ReadLock lock(&lock_);
        return lookup_held(key, value);
    }

    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        ReadLock lock(&lock_);
        return lookup_each(*this, keys, count, values);
    }

    class Section
    {
      public:
        explicit Section(const RwlockMap &subject) : lock_(&subject.lock_)
        {
        }

      private:
        ReadLock lock_;
    };

    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        *value = 0;
        auto found = map_.upper_bound(key);
        if (found == map_.begin())
            return false;
        --found;
        if (found->second.last < key)
            return false;
        *value = found->second.value;
        return true;
    }

    Ranges contents() const
    {
        ReadLock lock(&lock_);
        Ranges ranges;
        for (const auto &[start, end] : map_)
            ranges.push_back({start, end.last, end.value});
        return ranges;
    }

    uint64_t scan() const
    {
        ReadLock lock(&lock_);
        uint64_t sum = 0;
        for (const auto &[start, end] : map_)
            sum += end.last - start + end.value;
        return sum;
    }

    uint64_t bytes() const
    {
        ReadLock lock(&lock_);
        return bytes_;
    }

    // Freed at once.
    uint64_t bytes_with_garbage() const
    {
        return bytes();
    }
    void settle()
    {
    }

  private:
    void carve_locked(uint64_t start, uint64_t last)
    {
        auto next = map_.upper_bound(start);
        if (next != map_.begin() && std::prev(next)->second.last >= start)
            --next;
        while (next != map_.end() && next->first <= last) {
            uint64_t old_start = next->first;
            RangeEnd old = next->second;
            next = map_.erase(next);
            if (old_start < start)
                next = std::next(map_.emplace(old_start, RangeEnd{start - 1, old.value}).first);
            if (old.last > last) {
                map_.emplace(last + 1, old);
                return;
            }
        }
    }

    mutable pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER; // default attributes
    uint64_t bytes_ = 0;
    Map map_;
};

} // namespace bench

#endif
