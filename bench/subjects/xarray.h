// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Linux kernel's XArray as a subject, used as its memremap_pages() does: xa_store_range() to insert and,
 * with NULL, to erase. It cuts a range into aligned pieces and keeps no bounds. A store over a part of a piece
 * would replace the whole piece, so it cannot store over other ranges and cannot carve.
 */
#ifndef RANGEMAP_BENCH_SUBJECTS_XARRAY_H
#define RANGEMAP_BENCH_SUBJECTS_XARRAY_H

#include <cstdint>
#include <stdexcept>

#include "bench/subjects/each_key.h"
#include "bench/subjects/urcu.h"

namespace bench
{

class XArraySubject : public SlabSubject, public NoOverwriting
{
  public:
    static const char *name()
    {
        return "XArray";
    }

    XArraySubject() : xa_(xarray_create())
    {
        if (xa_ == nullptr)
            throw_no_memory("xarray_create");
    }
    ~XArraySubject()
    {
        UrcuThread registered;
        xarray_destroy(xa_);
    }

    // There is no bulk call.
    double load(const Ranges &sorted)
    {
        return load_each(*this, sorted);
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

    bool lookup(uint64_t key, uint64_t *value) const
    {
        void *entry = xa_load(xa_, key);
        *value = linux_value(entry);
        return entry != nullptr;
    }

    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        Section section(*this);
        return lookup_each(*this, keys, count, values);
    }

    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        return lookup(key, value);
    }

    // Pieces of the same value that touch are one range.
    Ranges contents() const
    {
        Ranges pieces, ranges;
        xarray_visit(
            xa_,
            [](unsigned long first, void *entry, void *context) {
                static_cast<Ranges *>(context)->push_back({first, UINT64_MAX, linux_value(entry)});
            },
            &pieces);
        for (size_t i = 0; i < pieces.size(); i++) {
            Range &piece = pieces[i];
            piece.last = end_of_piece(piece, i + 1 < pieces.size() ? pieces[i + 1].start - 1 : UINT64_MAX);
            bool joined =
                i > 0 && pieces[i - 1].value == piece.value && pieces[i - 1].last + 1 == piece.start;
            if (joined)
                ranges.back().last = piece.last;
            else
                ranges.push_back(piece);
        }
        return ranges;
    }

    // Visits pieces, of which a range may have many.
    uint64_t scan() const
    {
        return xarray_scan(xa_);
    }

  private:
    // The last key up to `most` that has the piece's value; there is nothing but a gap behind it.
    uint64_t end_of_piece(const Range &piece, uint64_t most) const
    {
        uint64_t last = piece.start;
        while (last < most) {
            uint64_t middle = most - (most - last) / 2;
            if (xa_load(xa_, middle) != nullptr)
                last = middle;
            else
                most = middle - 1;
        }
        return last;
    }

    void store_entry(const Range &range, void *entry)
    {
        if (range.last == UINT64_MAX)
            throw std::logic_error("xa_store_range() does not come to an end at the last key");
        if (xa_store_range(xa_, range.start, range.last, entry, GFP_KERNEL) != nullptr)
            throw_no_memory("xa_store_range");
    }

    xarray *xa_;
};

} // namespace bench

#endif
