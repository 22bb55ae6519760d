// SPDX-License-Identifier: BSD-2-Clause
// The Linux kernel's maple tree in RCU mode as a subject; see range.h for what the members do.
#ifndef RANGEMAP_BENCH_SUBJECTS_MAPLE_TREE_H
#define RANGEMAP_BENCH_SUBJECTS_MAPLE_TREE_H

#include <cerrno>
#include <chrono>
#include <cstdint>

#include "bench/subjects/each_key.h"
#include "bench/subjects/urcu.h"

namespace bench
{

class MapleTreeSubject : public SlabSubject
{
  public:
    static const char *name()
    {
        return "maple tree";
    }

    MapleTreeSubject() : tree_(maple_create())
    {
        if (tree_ == nullptr)
            throw_no_memory("maple_create");
    }
    ~MapleTreeSubject()
    {
        UrcuThread registered;
        maple_destroy(tree_);
    }

    double load(const Ranges &sorted)
    {
        Source source = {sorted.data(), sorted.data() + sorted.size()};
        auto begin = std::chrono::steady_clock::now();
        if (!maple_load(tree_, sorted.size(), next_of_source, &source))
            throw_no_memory("mas_store");
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    bool insert(const Range &range)
    {
        int rc = mtree_insert_range(tree_, range.start, range.last, linux_entry(range.value), GFP_KERNEL);
        if (rc != 0 && rc != -EEXIST)
            throw std::system_error(-rc, std::generic_category(), "mtree_insert_range");
        return rc == 0;
    }

    // The tree erases whatever range holds the key.
    bool erase(const Range &range)
    {
        return mtree_erase(tree_, range.start) != nullptr;
    }

    void store(const Range &range)
    {
        store_entry(range.start, range.last, linux_entry(range.value));
    }
    void carve(uint64_t start, uint64_t last)
    {
        store_entry(start, last, nullptr);
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        void *entry = mtree_load(tree_, key);
        *value = linux_value(entry);
        return entry != nullptr;
    }

    // The tree has no batches: one section, one lookup after the other.
    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        Section section(*this);
        return lookup_each(*this, keys, count, values);
    }

    // mtree_load() has a section of its own, which is cheaper inside another.
    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        return lookup(key, value);
    }

    Ranges contents() const
    {
        Ranges ranges;
        maple_scan(
            tree_,
            [](const maple_range *range, void *context) {
                static_cast<Ranges *>(context)->push_back(
                    {range->start, range->last, linux_value(range->entry)});
            },
            &ranges);
        return ranges;
    }

    uint64_t scan() const
    {
        uint64_t sum = 0;
        maple_scan(
            tree_,
            [](const maple_range *range, void *context) {
                *static_cast<uint64_t *>(context) += range->last - range->start + linux_value(range->entry);
            },
            &sum);
        return sum;
    }

  private:
    struct Source {
        const Range *next, *end;
    };

    static bool next_of_source(maple_range *range, void *context)
    {
        auto *source = static_cast<Source *>(context);
        if (source->next == source->end)
            return false;
        *range = {source->next->start, source->next->last, linux_entry(source->next->value)};
        source->next++;
        return true;
    }

    void store_entry(uint64_t start, uint64_t last, void *entry)
    {
        if (int rc = mtree_store_range(tree_, start, last, entry, GFP_KERNEL))
            throw std::system_error(-rc, std::generic_category(), "mtree_store_range");
    }

    maple_tree *tree_;
};

} // namespace bench

#endif
