// SPDX-License-Identifier: BSD-2-Clause
/*
 * The caches that compete. Each is made of a card's functions and has
 *
 *   class Pin;                                   a registration in use until it is destroyed: start(), last(), key()
 *   Pin pin(uint64_t start, uint64_t last);      finds one that holds all of it, or registers it
 *   void invalidate(uint64_t start, uint64_t last);
 *   void drain();                                what was invalidated and is not pinned is withdrawn on return
 *
 * All but the constructors may be called by several threads at once.
 */
#ifndef RANGEMAP_BENCH_REGCACHE_CACHES_H
#define RANGEMAP_BENCH_REGCACHE_CACHES_H

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <iterator>
#include <map>
#include <system_error>
#include <vector>

#include "absl/container/btree_map.h"
#include "bench/subjects/rwlock_map.h"
#include "examples/regcache/regcache.h"

namespace bench
{

inline void must(int result, const char *what)
{
    if (result != 0)
        throw std::system_error(result < 0 ? -result : result, std::generic_category(), what);
}

// examples/regcache.
class RangemapCache
{
  public:
    explicit RangemapCache(const regcache_device &device)
    {
        must(regcache_create(&device, &cache_), "regcache_create");
    }
    ~RangemapCache()
    {
        regcache_destroy(cache_);
    }
    RangemapCache(const RangemapCache &) = delete;
    RangemapCache &operator=(const RangemapCache &) = delete;

    class Pin
    {
      public:
        explicit Pin(regcache_region *region) : region_(region)
        {
        }
        ~Pin()
        {
            regcache_unpin(region_);
        }
        Pin(const Pin &) = delete;
        Pin &operator=(const Pin &) = delete;

        uint64_t start() const
        {
            return region_->start;
        }
        uint64_t last() const
        {
            return region_->last;
        }
        uint32_t key() const
        {
            return region_->key;
        }

      private:
        regcache_region *region_;
    };

    Pin pin(uint64_t start, uint64_t last)
    {
        regcache_region *region;
        must(regcache_pin(cache_, start, last, &region), "regcache_pin");
        return Pin(region);
    }
    void invalidate(uint64_t start, uint64_t last)
    {
        must(regcache_invalidate(cache_, start, last), "regcache_invalidate");
    }
    void drain()
    {
        must(regcache_drain(cache_), "regcache_drain");
    }

  private:
    regcache *cache_;
};

// The two locks, with the types that hold them.
struct Mutex {
    class Hold
    {
      public:
        explicit Hold(Mutex &mutex) : mutex_(mutex)
        {
            must(pthread_mutex_lock(&mutex_.mutex_), "pthread_mutex_lock");
        }
        ~Hold()
        {
            pthread_mutex_unlock(&mutex_.mutex_);
        }
        Hold(const Hold &) = delete;
        Hold &operator=(const Hold &) = delete;

      private:
        Mutex &mutex_;
    };
    using Read = Hold;
    using Write = Hold;

  private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

struct Rwlock {
    struct Read : ReadLock {
        explicit Read(Rwlock &lock) : ReadLock(&lock.lock_)
        {
        }
    };
    struct Write : WriteLock {
        explicit Write(Rwlock &lock) : WriteLock(&lock.lock_)
        {
        }
    };

  private:
    pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER; // default attributes
};

// A range's end and who owns it; the tree's value.
struct LockedRegion {
    uint64_t start, last;
    uint32_t key;
    std::atomic<uint32_t> pins;
};

struct LockedPiece {
    uint64_t last;
    LockedRegion *region;
};

/*
 * What UCX does (ucs_rcache): an ordered tree of registrations under a lock, a count of pins in each. The lock is held
 * for the look-up and the addition to the count; giving up a pin needs none. It does what examples/regcache does,
 * also for registrations of which a part was invalidated.
 */
template <class Map, class Lock> class LockedCache
{
  public:
    explicit LockedCache(const regcache_device &device) : device_(device)
    {
    }
    ~LockedCache()
    {
        invalidate(0, UINT64_MAX);
    }
    LockedCache(const LockedCache &) = delete;
    LockedCache &operator=(const LockedCache &) = delete;

    class Pin
    {
      public:
        Pin(LockedCache &cache, LockedRegion *region) : cache_(cache), region_(region)
        {
        }
        ~Pin()
        {
            cache_.unpin(region_);
        }
        Pin(const Pin &) = delete;
        Pin &operator=(const Pin &) = delete;

        uint64_t start() const
        {
            return region_->start;
        }
        uint64_t last() const
        {
            return region_->last;
        }
        uint32_t key() const
        {
            return region_->key;
        }

      private:
        LockedCache &cache_;
        LockedRegion *region_;
    };

    Pin pin(uint64_t start, uint64_t last)
    {
        LockedRegion *region = find(start, last);
        if (region == nullptr) {
            region = new LockedRegion{start & ~uint64_t{4095}, last | 4095, 0, {2}};
            must(device_.enroll(device_.context, region->start, region->last, &region->key), "enroll");
            Displaced displaced;
            {
                typename Lock::Write lock(lock_);
                carve(region->start, region->last, &displaced);
                map_.emplace(region->start, LockedPiece{region->last, region});
            }
            unpin(displaced);
        }
        return Pin(*this, region);
    }

    void invalidate(uint64_t start, uint64_t last)
    {
        Displaced displaced;
        {
            typename Lock::Write lock(lock_);
            carve(start, last, &displaced);
        }
        unpin(displaced);
    }

    void drain()
    {
        // Withdrawn by invalidate(), or by the last Pin.
    }

  private:
    using Displaced = std::vector<LockedRegion *>;

    LockedRegion *find(uint64_t start, uint64_t last)
    {
        typename Lock::Read lock(lock_);
        auto after = map_.upper_bound(start);
        if (after == map_.begin())
            return nullptr;
        const LockedPiece &piece = std::prev(after)->second;
        if (piece.last < last)
            return nullptr;
        piece.region->pins.fetch_add(1, std::memory_order_relaxed);
        return piece.region;
    }

    void unpin(LockedRegion *region)
    {
        if (region->pins.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            device_.withdraw(device_.context, region->start, region->last, region->key);
            delete region;
        }
    }
    void unpin(const Displaced &displaced)
    {
        for (LockedRegion *region : displaced)
            unpin(region);
    }

    // Each piece in the map is one pin; those in *displaced are the caller's to give up.
    void carve(uint64_t start, uint64_t last, Displaced *displaced)
    {
        auto next = map_.upper_bound(start);
        if (next != map_.begin() && std::prev(next)->second.last >= start)
            --next;
        while (next != map_.end() && next->first <= last) {
            uint64_t piece_start = next->first;
            LockedPiece piece = next->second;
            next = map_.erase(next);
            if (piece_start < start)
                put_back(piece_start, {start - 1, piece.region});
            if (piece.last > last)
                put_back(last + 1, piece);
            displaced->push_back(piece.region);
            if (piece.last > last || piece.last == UINT64_MAX)
                return;
            next = map_.upper_bound(piece.last);
        }
    }
    void put_back(uint64_t start, const LockedPiece &piece)
    {
        piece.region->pins.fetch_add(1, std::memory_order_relaxed);
        map_.emplace(start, piece);
    }

    regcache_device device_;
    Lock lock_;
    Map map_;
};

using StdPieces = std::map<uint64_t, LockedPiece>;
using BtreePieces = absl::btree_map<uint64_t, LockedPiece>;

} // namespace bench

#endif
