// SPDX-License-Identifier: BSD-2-Clause
// What the kernel's maps share as subjects: threads that are registered with liburcu, and its read sections.
#ifndef RANGEMAP_BENCH_SUBJECTS_URCU_H
#define RANGEMAP_BENCH_SUBJECTS_URCU_H

#include <urcu.h>

#include <cstdint>
#include <new>
#include <system_error>

#include "bench/subjects/range.h"
#include "third_party/linux/shim/trees.h"

namespace bench
{

// Registers the thread while it lives; nests.
class UrcuThread
{
  public:
    UrcuThread()
    {
        if (depth()++ == 0)
            rcu_register_thread();
    }
    template <class Map> explicit UrcuThread(const Map &) : UrcuThread()
    {
    }
    ~UrcuThread()
    {
        if (--depth() == 0)
            rcu_unregister_thread();
    }
    UrcuThread(const UrcuThread &) = delete;
    UrcuThread &operator=(const UrcuThread &) = delete;

  private:
    static unsigned &depth()
    {
        static thread_local unsigned value = 0;
        return value;
    }
};

class UrcuSection
{
  public:
    template <class Map> explicit UrcuSection(const Map &)
    {
        rcu_read_lock();
    }
    ~UrcuSection()
    {
        rcu_read_unlock();
    }
    UrcuSection(const UrcuSection &) = delete;
    UrcuSection &operator=(const UrcuSection &) = delete;
};

// Waits until call_rcu() has run all that was handed to it.
inline void urcu_settle()
{
    UrcuThread registered;
    rcu_barrier();
}

// What every map has whose nodes lie in the slabs. A base, so that it is made before the map is.
class SlabSubject
{
  public:
    using Thread = UrcuThread;
    using Section = UrcuSection;

    SlabSubject() : before_((urcu_settle(), slab_bytes_in_use()))
    {
    }
    SlabSubject(const SlabSubject &) = delete;
    SlabSubject &operator=(const SlabSubject &) = delete;

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
    uint64_t before_; // bytes of slabs that other trees have
};

[[noreturn]] inline void throw_no_memory(const char *call)
{
    throw std::system_error(ENOMEM, std::generic_category(), call);
}

} // namespace bench

#endif
