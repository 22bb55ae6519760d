// SPDX-License-Identifier: BSD-2-Clause
// What arrays have in common as subjects: they are filled once, and reading them needs no section.
#ifndef RANGEMAP_BENCH_SUBJECTS_READ_ONLY_H
#define RANGEMAP_BENCH_SUBJECTS_READ_ONLY_H

#include <chrono>
#include <cstdint>
#include <stdexcept>

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

class ReadOnlySubject
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
    void store(const Range &)
    {
        refuse();
    }
    void carve(uint64_t, uint64_t)
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

  private:
    [[noreturn]] static void refuse()
    {
        throw std::logic_error("an array cannot be updated");
    }
};

} // namespace bench

#endif
