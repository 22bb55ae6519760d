// SPDX-License-Identifier: BSD-2-Clause
// What arrays have in common as subjects: they are filled once, and reading them needs no section.
#ifndef RANGEMAP_BENCH_SUBJECTS_READ_ONLY_H
#define RANGEMAP_BENCH_SUBJECTS_READ_ONLY_H

#include <chrono>
#include <cstdint>

#include "bench/subjects/each_key.h"
#include "bench/subjects/huge_array.h"
#include "bench/subjects/range.h"

namespace bench
{

struct NoThread {
    template <class Map> explicit NoThread(const Map &)
    {
    }
};

struct NoSection {
    template <class Map> explicit NoSection(const Map &)
    {
    }
    ~NoSection() // a Section that is never read from is no mistake
    {
    }
};

class ReadOnlySubject : public NoOverwriting
{
  public:
    using Thread = NoThread;
    using Section = NoSection;

    bool insert(const Range &)
    {
        refuse();
    }
    bool erase(const Range &)
    {
        refuse();
    }
    uint64_t bytes_with_garbage() const
    {
        return 0;
    }
    void settle()
    {
    }
};

} // namespace bench

#endif
