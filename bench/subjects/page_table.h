// SPDX-License-Identifier: BSD-2-Clause
/*
 * A table of two levels with a word for each page of 4 KiB, as SPDK's memory map has for pages of 2 MiB: keys of 48
 * bits, a second level for each GiB that is used, never freed before the map is. Lookups take two loads. Updates take
 * a mutex; it keeps no bounds, so it does not store over ranges or carve.
 */
#ifndef RANGEMAP_BENCH_SUBJECTS_PAGE_TABLE_H
#define RANGEMAP_BENCH_SUBJECTS_PAGE_TABLE_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "bench/subjects/each_key.h"
#include "bench/subjects/range.h"
#include "bench/subjects/read_only.h"

namespace bench
{

class PageTableSubject : public NoOverwriting
{
  public:
    using Thread = NoThread;
    using Section = NoSection;

    static const char *name()
    {
        return "page table";
    }

    PageTableSubject() : tops_(new std::atomic<Leaf *>[kEntries]())
    {
    }
    ~PageTableSubject()
    {
        for (uint64_t i = 0; i < kEntries; i++)
            delete tops_[i].load();
    }
    PageTableSubject(const PageTableSubject &) = delete;
    PageTableSubject &operator=(const PageTableSubject &) = delete;

    double load(const Ranges &sorted)
    {
        return load_each(*this, sorted);
    }
    bool insert(const Range &range)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (uint64_t page = range.start / kPage; page <= range.last / kPage; page++) {
            if (word(page) != 0)
                return false;
        }
        set(range, range.value << 1 | 1);
        return true;
    }
    bool erase(const Range &range)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (word(range.start / kPage) != (range.value << 1 | 1))
            return false;
        set(range, 0);
        return true;
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        uint64_t found = key / kPage < kEntries * kEntries ? word(key / kPage) : 0;
        *value = found >> 1;
        return found != 0;
    }
    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        return lookup_each(*this, keys, count, values);
    }
    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        return lookup(key, value);
    }

    // Pages of the same value that touch are one range.
    Ranges contents() const
    {
        Ranges ranges;
        visit([&](uint64_t page, uint64_t value) {
            uint64_t start = page * kPage, last = start + kPage - 1;
            if (!ranges.empty() && ranges.back().value == value && ranges.back().last + 1 == start)
                ranges.back().last = last;
            else
                ranges.push_back({start, last, value});
        });
        return ranges;
    }
    uint64_t scan() const
    {
        uint64_t sum = 0;
        visit([&](uint64_t, uint64_t value) { sum += kPage + value; });
        return sum;
    }
    uint64_t bytes() const
    {
        return kEntries * sizeof tops_[0] + leaves_.load() * sizeof(Leaf);
    }
    uint64_t bytes_with_garbage() const
    {
        return bytes();
    }
    void settle()
    {
    }

  private:
    static constexpr uint64_t kPage = 4096, kEntries = uint64_t{1} << 18;

    struct Leaf {
        std::atomic<uint64_t> words[kEntries]; // value * 2 + 1; 0: none
    };

    uint64_t word(uint64_t page) const
    {
        const Leaf *leaf = tops_[page / kEntries].load(std::memory_order_acquire); // pairs with set()
        return leaf == nullptr ? 0 : leaf->words[page % kEntries].load(std::memory_order_acquire);
    }

    void set(const Range &range, uint64_t word)
    {
        for (uint64_t page = range.start / kPage; page <= range.last / kPage; page++) {
            std::atomic<Leaf *> &top = tops_[page / kEntries];
            if (top.load(std::memory_order_relaxed) == nullptr) {
                top.store(new Leaf(), std::memory_order_release); // zeroed before readers see it
                leaves_++;
            }
            top.load(std::memory_order_relaxed)
                ->words[page % kEntries]
                .store(word, std::memory_order_release);
        }
    }

    template <class Visit> void visit(const Visit &visit) const
    {
        for (uint64_t i = 0; i < kEntries; i++) {
            const Leaf *leaf = tops_[i].load(std::memory_order_acquire);
            for (uint64_t j = 0; leaf != nullptr && j < kEntries; j++) {
                if (uint64_t word = leaf->words[j].load(std::memory_order_acquire))
                    visit(i * kEntries + j, word >> 1);
            }
        }
    }

    std::mutex mutex_; // of updates
    std::unique_ptr<std::atomic<Leaf *>[]> tops_;
    std::atomic<uint64_t> leaves_{0};
};

} // namespace bench

#endif
