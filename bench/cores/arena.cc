// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/arena.h"

#include <sys/mman.h>

#include <cerrno>
#include <system_error>

namespace bench::cores
{

static uintptr_t end; // of what was given out; 0: nothing was yet

static void prepare()
{
    void *wanted = reinterpret_cast<void *>(kArenaBegin);
    void *got = mmap(wanted, kArenaBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != wanted)
        throw std::system_error(errno, std::generic_category(), "the simulator's address range is taken");
    end = kArenaBegin;
}

void *arena_map(size_t bytes)
{
    constexpr size_t kPage = 4096;
    if (end == 0)
        prepare();
    bytes = (bytes + kPage - 1) / kPage * kPage;
    if (bytes > kArenaBegin + kArenaBytes - end)
        return nullptr;
    void *pages = reinterpret_cast<void *>(end);
    end += bytes;
    return pages;
}

void arena_unmap(void *pages, size_t bytes)
{
    auto address = reinterpret_cast<uintptr_t>(pages);
    madvise(pages, bytes, MADV_DONTNEED);
    if (address + bytes == end)
        end = address;
}

} // namespace bench::cores
