// SPDX-License-Identifier: BSD-2-Clause
/*
 * What hands out free stretches of keys: this library in a map that tracks gaps, the kernel's maple tree in allocation
 * mode, and gaps in two std containers under a mutex. All have
 *   take(start, length)          these keys, which are free
 *   find(request, &start)        the lowest free stretch, or the highest; false: there is none
 *   allocate(request, &start)    finds and takes it
 *   free(start, length)          what was taken as a whole
 * and Thread, which a thread holds while it calls.
 */
#ifndef RANGEMAP_BENCH_SUBJECTS_GAP_KEEPERS_H
#define RANGEMAP_BENCH_SUBJECTS_GAP_KEEPERS_H

#include <cstdint>
#include <map>
#include <mutex>
#include <set>

#include "bench/subjects/maple_tree.h"
#include "bench/subjects/rangemap.h"

namespace bench
{

// `length` keys within [low, high].
struct GapRequest {
    uint64_t length, low, high;
    bool from_top = false; // the highest, not the lowest
};

class RangemapGaps
{
  public:
    explicit RangemapGaps(bool tracks = true)
    {
        rangemap_options options = {};
        options.track_gaps = tracks;
        if (int rc = rangemap_create(&options, &map_))
            throw std::system_error(-rc, std::generic_category(), "rangemap_create");
    }
    ~RangemapGaps()
    {
        rangemap_destroy(map_);
    }
    RangemapGaps(const RangemapGaps &) = delete;
    RangemapGaps &operator=(const RangemapGaps &) = delete;

    struct Thread {
        explicit Thread(const RangemapGaps &)
        {
        }
    };

    rangemap *map() const
    {
        return map_;
    }
    bool take(uint64_t start, uint64_t length)
    {
        return rangemap_insert(map_, start, start + length - 1, this, nullptr) == 0;
    }
    bool find(const GapRequest &request, uint64_t *start) const
    {
        rangemap_gap_request wanted = gap_request(request);
        return rangemap_gap_find(map_, &wanted, start) == 0;
    }
    bool allocate(const GapRequest &request, uint64_t *start)
    {
        rangemap_gap_request wanted = gap_request(request);
        return rangemap_gap_allocate(map_, &wanted, this, start) == 0;
    }
    bool free(uint64_t start, uint64_t length)
    {
        return rangemap_erase_exact(map_, start, start + length - 1, nullptr) == 0;
    }

  private:
    static rangemap_gap_request gap_request(const GapRequest &request)
    {
        rangemap_gap_request wanted = {};
        wanted.length = request.length;
        wanted.low = request.low;
        wanted.high = request.high;
        wanted.from_top = request.from_top;
        return wanted;
    }

    rangemap *map_ = nullptr;
};

// Each call takes the tree's own lock, but for find(), which is a read section.
class MapleGaps : public SlabSubject
{
  public:
    MapleGaps() : tree_(maple_create_for_gaps())
    {
        if (tree_ == nullptr)
            throw_no_memory("maple_create_for_gaps");
    }
    ~MapleGaps()
    {
        UrcuThread registered;
        maple_destroy(tree_);
    }

    bool take(uint64_t start, uint64_t length)
    {
        return mtree_insert_range(tree_, start, start + length - 1, linux_entry(1), GFP_KERNEL) == 0;
    }
    bool find(const GapRequest &request, uint64_t *start) const
    {
        return maple_gap_find(tree_, request.low, request.high, request.length, request.from_top, start);
    }
    bool allocate(const GapRequest &request, uint64_t *start)
    {
        return maple_gap_allocate(tree_, request.low, request.high, request.length, request.from_top,
                                  linux_entry(1), start);
    }
    bool free(uint64_t start, uint64_t)
    {
        return mtree_erase(tree_, start) != nullptr;
    }

  private:
    maple_tree *tree_;
};

// The gaps by start, and by size and start. It takes the shortest that serves, of several the lowest: best fit.
class SetOfGaps
{
  public:
    SetOfGaps()
    {
        add(0, UINT64_MAX - 1);
    }
    SetOfGaps(const SetOfGaps &) = delete;
    SetOfGaps &operator=(const SetOfGaps &) = delete;

    struct Thread {
        explicit Thread(const SetOfGaps &)
        {
        }
    };

    bool take(uint64_t start, uint64_t length)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        auto gap = by_start_.upper_bound(start);
        if (gap == by_start_.begin() || (--gap)->second < start + length - 1)
            return false;
        cut(gap, start, length);
        return true;
    }
    bool find(const GapRequest &request, uint64_t *start) const
    {
        std::lock_guard<std::mutex> lock(mutex_);
        return find_locked(request, start);
    }
    bool allocate(const GapRequest &request, uint64_t *start)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!find_locked(request, start))
            return false;
        cut(std::prev(by_start_.upper_bound(*start)), *start, request.length);
        return true;
    }
    bool free(uint64_t start, uint64_t length)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        uint64_t last = start + length - 1;
        auto behind = by_start_.upper_bound(start);
        if (behind != by_start_.begin() && std::prev(behind)->second + 1 == start) {
            start = std::prev(behind)->first;
            remove(std::prev(behind));
        }
        if (behind != by_start_.end() && behind->first == last + 1) {
            last = behind->second;
            remove(behind);
        }
        add(start, last);
        return true;
    }

  private:
    using ByStart = std::map<uint64_t, uint64_t>; // to the last key

    void add(uint64_t start, uint64_t last)
    {
        by_start_.emplace(start, last);
        by_size_.emplace(last - start + 1, start);
    }
    void remove(ByStart::iterator gap)
    {
        by_size_.erase({gap->second - gap->first + 1, gap->first});
        by_start_.erase(gap);
    }
    void cut(ByStart::iterator gap, uint64_t start, uint64_t length)
    {
        uint64_t low = gap->first, high = gap->second;
        remove(gap);
        if (low < start)
            add(low, start - 1);
        if (start + length - 1 < high)
            add(start + length, high);
    }

    // Of each size the lowest that lies in the window whole; and the gaps that the window cuts.
    bool find_locked(const GapRequest &request, uint64_t *start) const
    {
        auto gap = by_size_.lower_bound({request.length, request.low});
        while (gap != by_size_.end()) {
            auto [size, first] = *gap;
            if (first >= request.low && first <= request.high && request.high - first >= request.length - 1) {
                *start = first;
                return true;
            }
            gap = by_size_.lower_bound(first < request.low ? std::pair{size, request.low}
                                                           : std::pair{size + 1, request.low});
        }
        auto cut = by_start_.upper_bound(request.low);
        if (cut == by_start_.begin() || (--cut)->second < request.low ||
            cut->second - request.low < request.length - 1 || request.high - request.low < request.length - 1)
            return false;
        *start = request.low;
        return true;
    }

    mutable std::mutex mutex_;
    ByStart by_start_;
    std::set<std::pair<uint64_t, uint64_t>> by_size_;
};

} // namespace bench

#endif
