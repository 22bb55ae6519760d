// SPDX-License-Identifier: BSD-2-Clause
/*
 * The measured loops: lookups of random keys, with a share of updates.
 *
 * An update is an erase or an insert; they alternate on the same range, so the map stays as it was but for
 * one range a thread, and is whole again when the loop ends. Or it is one of a store over parts of two ranges, a
 * carve and two stores that mend them. Each thread updates ranges that are its own, a slice of the set or
 * every n-th range. In a read-only loop a lookup that misses is a wrong answer and counted, or one that hits
 * where the keys were chosen to miss. Calls timed one by one: latency.h.
 */
#ifndef RANGEMAP_BENCH_WORKLOAD_MIX_H
#define RANGEMAP_BENCH_WORKLOAD_MIX_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/subjects/range.h"
#include "bench/workload/clock.h"
#include "bench/workload/random.h"

namespace bench
{

enum class LookupMode {
    kAlone, // each call its own read section or lock
    kBatch, // kBatchKeys keys a call, one section or lock
    kHeld,  // kHeldKeys calls in one section or lock
    kLarge, // kHeldKeys keys a call, one section or lock
};

constexpr unsigned kBatchKeys = 16;
constexpr unsigned kHeldKeys = 256;

enum class UpdateKind { kEraseInsert, kStoreCarve };

// Which ranges a thread updates: neighbours, or ranges from all over the map. No two threads share one.
enum class Territory { kSlice, kInterleaved };

// What is there beside the threads whose updates are timed.
enum class Company { kNone, kSnapshot, kStalledReader, kExitingThread };

const char *mode_name(LookupMode mode);
std::string threads_text(unsigned threads); // "1 thread", "2 threads"

struct MixPlan {
    LookupMode mode;
    unsigned threads;
    unsigned update_percent; // of all operations; 100: no lookups
    double seconds;
    uint64_t first_key = 0; // where in the key lists to begin; rounded down to kHeldKeys
    UpdateKind update = UpdateKind::kEraseInsert;
    Territory territory = Territory::kSlice;
    bool misses = false;              // no key of the lists is held
    unsigned writers = 0;             // run_latency() only: of the threads, those that do nothing but update
    bool times_updates = false;       // run_latency() only: the updates, not the lookups, ...
    Company company = Company::kNone; // ... and what the last thread does meanwhile, if it is not one of them
};

// What every subject of a comparison is given alike.
struct MixInput {
    std::shared_ptr<const Ranges> ranges;    // what the map holds
    std::vector<std::vector<uint64_t>> keys; // one list for each thread; sizes are powers of two

    MixInput() = default;
    MixInput(const Ranges &set, unsigned threads, uint64_t seed);
};

// What one thread did.
struct MixTally {
    uint64_t lookups = 0;
    uint64_t hits = 0;
    uint64_t updates = 0;
    uint64_t failed_updates = 0; // an erase or insert that found the map other than it must be
    uint64_t checksum = 0;       // of the values; keeps the compiler from dropping the lookups
    double seconds = 0;
};

// The share of `units` units that belongs to one of `threads` threads.
class Share
{
  public:
    Share(Territory territory, size_t units, unsigned thread, unsigned threads)
    {
        if (territory == Territory::kSlice) {
            first_ = units * thread / threads;
            size_ = units * (thread + 1) / threads - first_;
        } else {
            first_ = thread;
            stride_ = threads;
            size_ = (units + threads - 1 - thread) / threads;
        }
    }

    size_t size() const
    {
        return size_;
    }
    size_t pick(Random &random) const
    {
        return first_ + stride_ * random.below(size_);
    }

  private:
    size_t first_, size_, stride_ = 1;
};

// Changes ranges of one thread's share and changes them back.
template <class Map> class Updater
{
  public:
    Updater(Map &subject, const Ranges &ranges, const MixPlan &plan, unsigned thread, unsigned threads)
        : subject_(subject), ranges_(ranges), kind_(plan.update),
          share_(plan.territory, ranges.size() / (kind_ == UpdateKind::kStoreCarve ? 2 : 1), thread, threads),
          random_(plan.first_key + thread + 1)
    {
    }

    // False if the share is empty: fewer ranges than threads.
    bool can_update() const
    {
        return share_.size() != 0;
    }

    void update(MixTally &tally)
    {
        bool good = true;
        if (kind_ == UpdateKind::kEraseInsert)
            good = erase_insert();
        else
            store_carve();
        tally.updates++;
        tally.failed_updates += !good;
    }

    void finish(MixTally &tally)
    {
        while (step_ != 0)
            update(tally);
    }

  private:
    bool erase_insert()
    {
        step_ ^= 1;
        if (step_ == 0)
            return subject_.insert(*range_);
        range_ = &ranges_[share_.pick(random_)];
        return subject_.erase(*range_);
    }

    // From the middle of one range to the middle of the next: cuts both.
    void store_carve()
    {
        switch (step_++) {
        case 0:
            range_ = &ranges_[2 * share_.pick(random_)];
            over_ = {middle(range_[0]), middle(range_[1]), range_->value};
            subject_.store(over_);
            break;
        case 1:
            subject_.carve(over_.start, over_.last);
            break;
        case 2:
            subject_.store(range_[0]);
            break;
        default:
            subject_.store(range_[1]);
            step_ = 0;
            break;
        }
    }

    static uint64_t middle(const Range &range)
    {
        return range.start + (range.last - range.start) / 2;
    }

    Map &subject_;
    const Ranges &ranges_;
    UpdateKind kind_;
    Share share_;
    Random random_;
    unsigned step_ = 0; // of the steps that lead away from the map as it was and back
    const Range *range_ = nullptr;
    Range over_ = {};
};

// Walks a key list for ever, `count` neighbouring keys at a time.
class KeyStream
{
  public:
    KeyStream(const std::vector<uint64_t> &keys, uint64_t first)
        : keys_(keys.data()), mask_(keys.size() - 1), position_(first / kHeldKeys * kHeldKeys)
    {
    }

    const uint64_t *take(unsigned count)
    {
        const uint64_t *keys = &keys_[position_ & mask_];
        position_ += count;
        return keys;
    }

  private:
    const uint64_t *keys_;
    uint64_t mask_;
    uint64_t position_;
};

template <class Map>
inline void look_up_alone(const Map &subject, const uint64_t *keys, unsigned count, MixTally &tally)
{
    uint64_t hits = 0, checksum = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t value;
        hits += subject.lookup(keys[i], &value);
        checksum += value;
    }
    tally.hits += hits;
    tally.checksum += checksum;
    tally.lookups += count;
}

template <unsigned Keys, class Map>
inline void look_up_batch(const Map &subject, const uint64_t *keys, MixTally &tally)
{
    uint64_t values[Keys];
    tally.hits += subject.lookup_batch(keys, Keys, values);
    for (uint64_t value : values)
        tally.checksum += value;
    tally.lookups += Keys;
}

template <class Map> inline void look_up_held(const Map &subject, const uint64_t *keys, MixTally &tally)
{
    typename Map::Section section(subject);
    uint64_t hits = 0, checksum = 0;
    for (unsigned i = 0; i < kHeldKeys; i++) {
        uint64_t value;
        hits += subject.lookup_held(keys[i], &value);
        checksum += value;
    }
    tally.hits += hits;
    tally.checksum += checksum;
    tally.lookups += kHeldKeys;
}

// The keys of one look_up() call in each mode. A read-only loop takes more in mode kAlone, to ask for the
// time to stop as seldom as in mode kBatch.
constexpr unsigned mode_keys(LookupMode mode)
{
    return mode == LookupMode::kAlone ? 1 : (mode == LookupMode::kBatch ? kBatchKeys : kHeldKeys);
}

template <LookupMode Mode, class Map>
inline void look_up(const Map &subject, const uint64_t *keys, unsigned count, MixTally &tally)
{
    if constexpr (Mode == LookupMode::kAlone)
        look_up_alone(subject, keys, count, tally);
    else if constexpr (Mode == LookupMode::kBatch)
        look_up_batch<kBatchKeys>(subject, keys, tally);
    else if constexpr (Mode == LookupMode::kLarge)
        look_up_batch<kHeldKeys>(subject, keys, tally);
    else
        look_up_held(subject, keys, tally);
}

template <LookupMode Mode, class Map>
void read_only_loop(const Map &subject, KeyStream keys, const std::atomic<bool> &stop, MixTally &tally)
{
    constexpr unsigned kKeys = Mode == LookupMode::kAlone ? kBatchKeys : mode_keys(Mode);
    do {
        look_up<Mode>(subject, keys.take(kKeys), kKeys, tally);
    } while (!stop.load(std::memory_order_relaxed));
}

template <class Map> void update_loop(Updater<Map> &updater, const std::atomic<bool> &stop, MixTally &tally)
{
    if (!updater.can_update())
        return;
    do {
        for (unsigned i = 0; i < kBatchKeys; i++)
            updater.update(tally);
    } while (!stop.load(std::memory_order_relaxed));
}

// Updates fall due by credit: after L lookups, L * percent / (100 - percent) of them.
template <LookupMode Mode, class Map>
void mixed_loop(Map &subject, Updater<Map> &updater, unsigned percent, KeyStream keys,
                const std::atomic<bool> &stop, MixTally &tally)
{
    constexpr unsigned kKeys = mode_keys(Mode);
    uint64_t credit = 0;
    unsigned share = updater.can_update() ? percent : 0;
    do {
        look_up<Mode>(subject, keys.take(kKeys), kKeys, tally);
        credit += uint64_t{kKeys} * share;
        for (; credit >= 100 - percent; credit -= 100 - percent)
            updater.update(tally);
    } while (!stop.load(std::memory_order_relaxed));
}

template <LookupMode Mode, class Map>
void run_loop(Map &subject, const MixInput &input, const MixPlan &plan, unsigned thread,
              const std::atomic<bool> &stop, MixTally &tally)
{
    Updater<Map> updater(subject, *input.ranges, plan, thread, plan.threads);
    KeyStream keys(input.keys[thread], plan.first_key);
    if (plan.update_percent == 0)
        read_only_loop<Mode>(subject, keys, stop, tally);
    else if (plan.update_percent >= 100)
        update_loop(updater, stop, tally);
    else
        mixed_loop<Mode>(subject, updater, plan.update_percent, keys, stop, tally);
    updater.finish(tally);
}

// What thread `thread` of a measurement does.
template <class Map>
MixTally run_mix_thread(Map &subject, const MixInput &input, const MixPlan &plan, unsigned thread,
                        const std::atomic<bool> &stop)
{
    typename Map::Thread attached(subject);
    MixTally tally;
    uint64_t begin = monotonic_ns();
    switch (plan.mode) {
    case LookupMode::kAlone:
        run_loop<LookupMode::kAlone>(subject, input, plan, thread, stop, tally);
        break;
    case LookupMode::kBatch:
        run_loop<LookupMode::kBatch>(subject, input, plan, thread, stop, tally);
        break;
    case LookupMode::kHeld:
        run_loop<LookupMode::kHeld>(subject, input, plan, thread, stop, tally);
        break;
    case LookupMode::kLarge:
        run_loop<LookupMode::kLarge>(subject, input, plan, thread, stop, tally);
        break;
    }
    tally.seconds = static_cast<double>(monotonic_ns() - begin) * 1e-9;
    return tally;
}

} // namespace bench

#endif
