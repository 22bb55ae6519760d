// SPDX-License-Identifier: BSD-2-Clause
/*
 * Keeps a cache of registrations within its room by second chance. Who pins marks the registration, where it is not
 * marked already: no lock, and mostly no store. A hand goes round all registrations, clears marks, and invalidates
 * those that it finds without. Stands between cache and card; the cache's keys are its slots.
 */
#ifndef RANGEMAP_BENCH_REGCACHE_ROOM_H
#define RANGEMAP_BENCH_REGCACHE_ROOM_H

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <vector>

#include "examples/regcache/regcache.h"

namespace bench
{

class Room
{
  public:
    // For `most` registrations; more are on the card only for as long as others wait to be withdrawn.
    Room(const regcache_device &card, size_t most) : card_(card), most_(most), slots_(2 * most + 4 * kSpare)
    {
        for (size_t slot = slots_.size(); slot-- > 0;)
            free_.push_back(static_cast<uint32_t>(slot));
    }

    // What the cache is to register with.
    regcache_device device()
    {
        return {enroll, withdraw, this};
    }

    // By whoever holds a pin of it, after each pin.
    void mark(uint32_t slot)
    {
        std::atomic<Mark> &mark = slots_[slot].mark;
        if (mark.load(std::memory_order_relaxed) != Mark::kSet)
            mark.store(Mark::kSet, std::memory_order_relaxed);
    }

    // After each pin, when it is given up: callbacks of the cache take the lock. Mostly there is room.
    template <class Cache> void make_room(Cache &cache)
    {
        if (staying_.load(std::memory_order_relaxed) <= most_)
            return;
        uint64_t start, last;
        while (choose(&start, &last))
            cache.invalidate(start, last);
        if (is_short_of_slots())
            cache.drain();
    }

    // Registrations that are not withdrawn.
    size_t held()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        return slots_.size() - free_.size();
    }

  private:
    static constexpr size_t kSpare = 256; // threads: each registers once at most before it calls make_room()

    // kFresh: perhaps not in the cache yet, so not to be chosen.
    enum class Mark : uint8_t { kFresh, kClear, kSet };
    struct Slot {
        std::atomic<Mark> mark{Mark::kFresh};
        bool stays = false; // registered, and not chosen; with the rest, under the lock
        uint64_t start = 0, last = 0;
        uint32_t key = 0; // of the card
    };

    static int enroll(void *context, uint64_t start, uint64_t last, uint32_t *key)
    {
        Room &room = *static_cast<Room *>(context);
        std::lock_guard<std::mutex> lock(room.mutex_);
        if (room.free_.empty())
            return -ENOSPC;
        *key = room.free_.back();
        Slot &slot = room.slots_[*key];
        if (int result = room.card_.enroll(room.card_.context, start, last, &slot.key))
            return result;
        room.free_.pop_back();
        slot.mark.store(Mark::kFresh, std::memory_order_relaxed);
        slot.stays = true;
        slot.start = start;
        slot.last = last;
        room.staying_++;
        return 0;
    }

    static void withdraw(void *context, uint64_t start, uint64_t last, uint32_t key)
    {
        Room &room = *static_cast<Room *>(context);
        std::lock_guard<std::mutex> lock(room.mutex_);
        Slot &slot = room.slots_[key];
        room.card_.withdraw(room.card_.context, start, last, slot.key);
        room.staying_ -= slot.stays; // displaced, or invalidated by somebody else
        slot.stays = false;
        room.free_.push_back(key);
    }

    // One to be evicted, if there are too many. A hand that finds nothing in two rounds leaves it to the next caller.
    bool choose(uint64_t *start, uint64_t *last)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (size_t steps = 2 * slots_.size(); staying_ > most_ && steps > 0; steps--) {
            Slot &slot = slots_[hand_++ % slots_.size()];
            Mark mark = slot.mark.load(std::memory_order_relaxed);
            if (!slot.stays || mark == Mark::kFresh)
                continue;
            if (mark == Mark::kSet) {
                slot.mark.store(Mark::kClear, std::memory_order_relaxed);
                continue;
            }
            slot.stays = false;
            staying_--;
            *start = slot.start;
            *last = slot.last;
            return true;
        }
        return false;
    }

    bool is_short_of_slots()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        return free_.size() < 2 * kSpare;
    }

    regcache_device card_;
    size_t most_;
    std::mutex mutex_; // of all but marks
    std::vector<Slot> slots_;
    std::vector<uint32_t> free_;
    size_t hand_ = 0;
    alignas(64) std::atomic<size_t> staying_{0}; // written under the mutex
};

} // namespace bench

#endif
