// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Linux kernel's XArray as a subject, used as its memremap_pages() does: xa_store_range() to insert and,
 * with NULL, to erase. It cuts a range into aligned pieces and keeps no bounds. A store over a part of a piece
 * would replace the whole piece, so it cannot store over other ranges and cannot carve.
 */
#ifndef RANGEMAP_BENCH_SUBJECTS_XARRAY_H
#define RANGEMAP_BENCH_SUBJECTS_XARRAY_H

#include <chrono>
#include <stdexcept>

#include "bench/subjects/urcu.h"

namespace bench
{

class XArraySubject
{
  public:
    static const char *name()
    {
        return "XArray";
    }

    XArraySubject() : before_((urcu_settle(), slab_bytes_in_use())), xa_(xarray_create())
    {
        if (xa_ == nullptr)
            throw_no_memory("xarray_create");
    }
    ~XArraySubject()
    {
        UrcuThread registered;
        xarray_destroy(xa_);
    }
    XArraySubject(const XArraySubject &) = delete;
    XArraySubject &operator=(const XArraySubject &) = delete;

    using Thread = UrcuThread;
    using Section = UrcuSection;

    // There is no bulk call.
    double load(const Ranges &sorted)
    {
        auto begin = std::chrono::steady_clock::now();
        for (const Range &range : sorted)
            insert(range);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    // As memremap_pages(): looks at both ends, then stores. Two calls at once could both find the room free.
    bool insert(const Range &range)
    {
        if (xa_load(xa_, range.start) != nullptr || xa_load(xa_, range.last) != nullptr)
            return false;
        store_entry(range, linux_entry(range.value));
        return true;
    }

    bool erase(const Range &range)
    {
        if (xa_load(xa_, range.start) == nullptr)
            return false;
        store_entry(range, nullptr);
        return true;
    }

    void store(const Range &)
    {
        throw std::logic_error("XArray cannot store over parts of ranges");
    }
    void carve(uint64_t, uint64_t)
    {
        throw std::logic_error("XArray cannot carve");
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        void *entry = xa_load(xa_, key);
        *value = linux_value(entry);
        return entry != nullptr;
    }

    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        Section section(*this);
        unsigned hits = 0;
        for (unsigned i = 0; i < count; i++)
            hits += lookup_held(keys[i], &values[i]);
        return hits;
    }

    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        return lookup(key, value);
    }

    // Pieces of the same value that touch are one range.
    Ranges contents() const
    {
        Ranges ranges;
        unsigned long first = 0;
        for (void *entry; xarray_next(xa_, &first, &entry);) {
            uint64_t last = end_of_piece(first, entry);
            bool joined = !ranges.empty() && ranges.back().value == linux_value(entry) &&
                          ranges.back().last + 1 == first;
            if (joined)
                ranges.back().last = last;
            else
                ranges.push_back({first, last, linux_value(entry)});
            if (last == UINT64_MAX)
                break;
            first = last + 1;
        }
        return ranges;
    }

    // Visits pieces, of which a range may have many.
    uint64_t scan() const
    {
        return xarray_scan(xa_);
    }

    uint64_t bytes() const
    {
        return slab_bytes_in_use() - before_;
    }
    uint64_t bytes_with_garbage() const
    {
        return slab_bytes_in_use();
    }
    void settle()
    {
        urcu_settle();
    }

  private:
    // The last key that a walk upwards by ever larger steps, then smaller ones, finds to have the entry.
    uint64_t end_of_piece(uint64_t key, const void *entry) const
    {
        uint64_t step = 1;
        for (; key <= UINT64_MAX - step && xa_load(xa_, key + step) == entry; step *= 2)
            key += step;
        for (; step != 0; step /= 2) {
            if (key <= UINT64_MAX - step && xa_load(xa_, key + step) == entry)
                key += step;
        }
        return key;
    }

    void store_entry(const Range &range, void *entry)
    {
        if (xa_store_range(xa_, range.start, range.last, entry, GFP_KERNEL) != nullptr)
            throw_no_memory("xa_store_range");
    }

    uint64_t before_; // bytes of slabs that other trees have
    xarray *xa_;
};

} // namespace bench

#endif
