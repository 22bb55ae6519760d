// SPDX-License-Identifier: BSD-2-Clause
// What every subject of a benchmark is filled with: a closed range and its value.
#ifndef RANGEMAP_BENCH_SUBJECTS_RANGE_H
#define RANGEMAP_BENCH_SUBJECTS_RANGE_H

#include <cstdint>
#include <vector>

namespace bench
{

struct Range {
    uint64_t start;
    uint64_t last;
    uint64_t value;

    bool operator==(const Range &other) const
    {
        return start == other.start && last == other.last && value == other.value;
    }
    bool operator!=(const Range &other) const
    {
        return !(*this == other);
    }
};

using Ranges = std::vector<Range>;

/*
 * A subject is a map under measurement. The templates in bench/workload use these members:
 *
 *   static const char *name();
 *   class Thread;                                   made by each thread before it uses the subject
 *   double load(const Ranges &sorted);              fills an empty map, returns the seconds it took
 *   bool insert(const Range &);                     false if a key of it is held
 *   bool erase(const Range &);                      exactly this range; false if there is none
 *   void store(const Range &);                      overwrites, cutting what sticks out
 *   void carve(uint64_t start, uint64_t last);
 *   bool lookup(uint64_t key, uint64_t *value) const;
 *   unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const;     hits
 *   class Section;                                  a read section or read lock, held while it lives
 *   bool lookup_held(uint64_t key, uint64_t *value) const;         only while a Section lives
 *   Ranges contents() const;
 *   uint64_t scan() const;                          visits all in order; the sum of last - start + value
 *   uint64_t bytes() const;                         memory of the map as its allocator counts it
 *   uint64_t bytes_with_garbage() const;            that and what waits to be freed, of all maps of this kind
 *   void settle();                                  waits until all garbage is freed
 *
 * All but load(), contents(), bytes() and settle() may be called by several threads at once. An error that no
 * benchmark expects, such as want of memory, is thrown as std::system_error.
 */

} // namespace bench

#endif
