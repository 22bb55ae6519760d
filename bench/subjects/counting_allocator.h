// SPDX-License-Identifier: BSD-2-Clause
// An allocator for containers that counts what their blocks take in the heap of glibc.
#ifndef RANGEMAP_BENCH_SUBJECTS_COUNTING_ALLOCATOR_H
#define RANGEMAP_BENCH_SUBJECTS_COUNTING_ALLOCATOR_H

#include <cstddef>
#include <cstdint>
#include <memory>

namespace bench
{

// What malloc(bytes) takes: a word in front, rounded up to 16 bytes, at least 32.
constexpr uint64_t malloc_block_bytes(size_t bytes)
{
    size_t block = (bytes + 8 + 15) / 16 * 16;
    return block < 32 ? 32 : block;
}

// Whoever changes the container guards *bytes with it.
template <class T> class CountingAllocator
{
  public:
    using value_type = T;

    explicit CountingAllocator(uint64_t *bytes) : bytes_(bytes)
    {
    }
    template <class Other> CountingAllocator(const CountingAllocator<Other> &other) : bytes_(other.counter())
    {
    }

    T *allocate(size_t count)
    {
        T *block = std::allocator<T>().allocate(count);
        *bytes_ += malloc_block_bytes(count * sizeof(T));
        return block;
    }
    void deallocate(T *block, size_t count)
    {
        *bytes_ -= malloc_block_bytes(count * sizeof(T));
        std::allocator<T>().deallocate(block, count);
    }

    uint64_t *counter() const
    {
        return bytes_;
    }

    template <class Other> bool operator==(const CountingAllocator<Other> &other) const
    {
        return bytes_ == other.counter();
    }
    template <class Other> bool operator!=(const CountingAllocator<Other> &other) const
    {
        return bytes_ != other.counter();
    }

  private:
    uint64_t *bytes_;
};

} // namespace bench

#endif
