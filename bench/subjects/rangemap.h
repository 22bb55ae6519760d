// SPDX-License-Identifier: BSD-2-Clause
// The library as a subject; see range.h for what the members do.
#ifndef RANGEMAP_BENCH_SUBJECTS_RANGEMAP_H
#define RANGEMAP_BENCH_SUBJECTS_RANGEMAP_H

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>

#include "bench/subjects/range.h"
#include "rangemap/rangemap.h"

namespace bench
{

class RangemapSubject
{
  public:
    static const char *name()
    {
        return "rangemap";
    }

    RangemapSubject()
    {
        expect(rangemap_create(nullptr, &map_), "rangemap_create");
    }
    ~RangemapSubject()
    {
        rangemap_destroy(map_);
    }
    RangemapSubject(const RangemapSubject &) = delete;
    RangemapSubject &operator=(const RangemapSubject &) = delete;

    rangemap *map() const
    {
        return map_;
    }

    // Attaches by its first use.
    struct Thread {
        explicit Thread(const RangemapSubject &)
        {
        }
    };

    double load(const Ranges &sorted)
    {
        std::vector<rangemap_entry> entries;
        entries.reserve(sorted.size());
        for (const Range &range : sorted)
            entries.push_back({range.start, range.last, pointer(range.value)});
        auto begin = std::chrono::steady_clock::now();
        expect(rangemap_load(map_, entries.data(), entries.size(), nullptr), "rangemap_load");
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    bool insert(const Range &range)
    {
        int rc = rangemap_insert(map_, range.start, range.last, pointer(range.value), nullptr);
        return found(rc, -EEXIST, "rangemap_insert");
    }

    bool erase(const Range &range)
    {
        int rc = rangemap_erase_exact(map_, range.start, range.last, nullptr);
        return found(rc, -ENOENT, "rangemap_erase_exact");
    }

    void store(const Range &range)
    {
        int rc = rangemap_store(map_, range.start, range.last, pointer(range.value), nullptr, nullptr);
        expect(rc, "rangemap_store");
    }

    void carve(uint64_t start, uint64_t last)
    {
        expect(rangemap_carve(map_, start, last, nullptr, nullptr), "rangemap_carve");
    }

    bool lookup(uint64_t key, uint64_t *value) const
    {
        void *word = nullptr;
        bool hit = rangemap_lookup(map_, key, &word) == 0;
        *value = number(word);
        return hit;
    }

    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        static_assert(sizeof(void *) == sizeof(uint64_t), "values are copied as words");
        int hits = rangemap_lookup_batch(map_, keys, count, reinterpret_cast<void **>(values), nullptr);
        return hits < 0 ? 0 : static_cast<unsigned>(hits);
    }

    class Section
    {
      public:
        explicit Section(const RangemapSubject &subject) : Section(subject.map_)
        {
        }
        explicit Section(const rangemap *map) : map_(map)
        {
            expect(rangemap_read_begin(map_), "rangemap_read_begin");
        }
        ~Section()
        {
            rangemap_read_end(map_);
        }
        Section(const Section &) = delete;
        Section &operator=(const Section &) = delete;

      private:
        const rangemap *map_;
    };

    class Snapshot
    {
      public:
        explicit Snapshot(const RangemapSubject &subject)
        {
            expect(rangemap_snapshot_begin(subject.map_, &snapshot_), "rangemap_snapshot_begin");
        }
        ~Snapshot()
        {
            rangemap_snapshot_end(&snapshot_);
        }
        Snapshot(const Snapshot &) = delete;
        Snapshot &operator=(const Snapshot &) = delete;

      private:
        rangemap_snapshot snapshot_;
    };

    bool lookup_held(uint64_t key, uint64_t *value) const
    {
        void *word = nullptr;
        bool hit = rangemap_lookup_held(map_, key, &word) == 0;
        *value = number(word);
        return hit;
    }

    Ranges contents() const
    {
        Ranges ranges;
        rangemap_cursor cursor;
        rangemap_entry entry;
        expect(rangemap_cursor_init(&cursor, map_, 0, UINT64_MAX), "rangemap_cursor_init");
        int rc;
        while ((rc = rangemap_cursor_next(&cursor, &entry)) == 0)
            ranges.push_back(range(entry));
        found(rc, -ENOENT, "rangemap_cursor_next");
        return ranges;
    }

    uint64_t bytes() const
    {
        rangemap_statistics statistics;
        expect(rangemap_stats(map_, &statistics), "rangemap_stats");
        return statistics.bytes;
    }

    uint64_t scan() const
    {
        rangemap_cursor cursor;
        rangemap_entry entry;
        uint64_t sum = 0;
        expect(rangemap_cursor_init(&cursor, map_, 0, UINT64_MAX), "rangemap_cursor_init");
        while (rangemap_cursor_next(&cursor, &entry) == 0)
            sum += entry.last - entry.start + number(entry.value);
        return sum;
    }

    // Of all maps in the domain, as its allocator counts them.
    uint64_t bytes_with_garbage() const
    {
        rangemap_domain_statistics statistics;
        expect(rangemap_domain_stats(rangemap_domain_of(map_), &statistics), "rangemap_domain_stats");
        return statistics.node_bytes;
    }

    void settle()
    {
        int rc;

        while ((rc = rangemap_domain_poll(rangemap_domain_of(map_))) == 1) {
        }
        expect(rc, "rangemap_domain_poll");
    }

    static void *pointer(uint64_t value)
    {
        return reinterpret_cast<void *>(value);
    }
    static uint64_t number(const void *value)
    {
        return reinterpret_cast<uint64_t>(value);
    }
    static Range range(const rangemap_entry &entry)
    {
        return {entry.start, entry.last, number(entry.value)};
    }

  private:
    static void expect(int rc, const char *call)
    {
        if (rc != 0)
            throw std::system_error(-rc, std::generic_category(), call);
    }
    static bool found(int rc, int expected_failure, const char *call)
    {
        if (rc != expected_failure)
            expect(rc, call);
        return rc == 0;
    }

    rangemap *map_ = nullptr;
};

} // namespace bench

#endif
