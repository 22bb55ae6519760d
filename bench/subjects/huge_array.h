// SPDX-License-Identifier: BSD-2-Clause
// An array on huge pages, if it is large enough and the system has them.
#ifndef RANGEMAP_BENCH_SUBJECTS_HUGE_ARRAY_H
#define RANGEMAP_BENCH_SUBJECTS_HUGE_ARRAY_H

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace bench
{

template <class T> class HugeArray
{
  public:
    HugeArray() = default;
    // Not initialised. Aligned to a cache line at least.
    explicit HugeArray(size_t count) : bytes_(allocation(count))
    {
        array_.reset(static_cast<T *>(aligned_alloc(alignment(bytes_), bytes_)));
        if (array_ == nullptr)
            throw std::bad_alloc();
        if (bytes_ >= kHugePage)
            madvise(array_.get(), bytes_, MADV_HUGEPAGE);
    }

    T *data() const
    {
        return array_.get();
    }
    T &operator[](size_t index) const
    {
        return array_.get()[index];
    }
    uint64_t bytes() const
    {
        return bytes_;
    }

  private:
    static constexpr size_t kHugePage = size_t{2} << 20;

    static size_t alignment(size_t bytes)
    {
        return bytes >= kHugePage ? kHugePage : 64;
    }
    static size_t allocation(size_t count)
    {
        size_t bytes = count * sizeof(T);
        return (bytes + 63) / 64 * 64;
    }

    struct Free {
        void operator()(T *array) const
        {
            free(array);
        }
    };

    size_t bytes_ = 0;
    std::unique_ptr<T, Free> array_;
};

} // namespace bench

#endif
