// SPDX-License-Identifier: BSD-2-Clause
/*
 * The same work through rangemap.h and through rangemap.hpp, to count instructions of: `calls c` and `calls cpp`. Both
 * treat every error. ANSWER is how a variable for what a lookup found is declared: auto, or const auto.
 */
#include "rangemap/rangemap.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifndef ANSWER
#define ANSWER auto
#endif

namespace
{

constexpr std::uint64_t RANGES = 1000, ROUNDS = 20;

void demand(int result)
{
    if (__builtin_expect(result < 0, 0)) {
        std::abort();
    }
}

std::uint64_t by_c()
{
    rangemap *map = nullptr;
    rangemap_entry entry;
    rangemap_cursor cursor;
    std::uint64_t sum = 0;
    void *value;

    demand(rangemap_create(nullptr, &map));
    for (std::uint64_t i = 0; i < RANGES; i++) {
        demand(rangemap_insert(map, i * 10, i * 10 + 4, reinterpret_cast<void *>(i), nullptr));
    }
    for (std::uint64_t round = 0; round < ROUNDS; round++) {
        for (std::uint64_t key = 0; key < RANGES * 10; key += 3) {
            int result = rangemap_lookup(map, key, &value);
            if (result == 0) {
                sum += reinterpret_cast<std::uint64_t>(value);
            } else if (result != -ENOENT) {
                std::abort();
            }
            result = rangemap_find(map, key, &entry);
            if (result == 0) {
                sum += entry.start;
            } else if (result != -ENOENT) {
                std::abort();
            }
        }
        demand(rangemap_read_begin(map));
        for (std::uint64_t key = 0; key < RANGES * 10; key += 3) {
            if (rangemap_lookup_held(map, key, &value) == 0) {
                sum += reinterpret_cast<std::uint64_t>(value);
            }
        }
        demand(rangemap_cursor_init(&cursor, map, 0, UINT64_MAX));
        while (rangemap_cursor_next(&cursor, &entry) == 0) {
            sum += entry.last;
        }
        rangemap_read_end(map);
        for (std::uint64_t i = 0; i < RANGES; i += 7) {
            demand(rangemap_erase(map, i * 10, &entry));
            demand(rangemap_store(map, i * 10, i * 10 + 4, reinterpret_cast<void *>(i), nullptr, nullptr));
        }
    }
    demand(rangemap_destroy(map));
    return sum;
}

std::uint64_t by_cpp()
{
    rangemapxx::map<std::uint64_t> map;
    std::uint64_t sum = 0;

    for (std::uint64_t i = 0; i < RANGES; i++) {
        map.insert(i * 10, i * 10 + 4, i);
    }
    for (std::uint64_t round = 0; round < ROUNDS; round++) {
        for (std::uint64_t key = 0; key < RANGES * 10; key += 3) {
            if (ANSWER value = map.lookup(key)) {
                sum += *value;
            }
            if (ANSWER entry = map.find(key)) {
                sum += entry->start;
            }
        }
        {
            const auto reading = map.read();
            for (std::uint64_t key = 0; key < RANGES * 10; key += 3) {
                if (ANSWER value = reading.lookup(key)) {
                    sum += *value;
                }
            }
            for (const auto &entry : reading.ascending()) {
                sum += entry.last;
            }
        }
        for (std::uint64_t i = 0; i < RANGES; i += 7) {
            map.erase(i * 10);
            map.store(i * 10, i * 10 + 4, i);
        }
    }
    return sum;
}

} /* namespace */

int main(int argc, char **argv)
{
    const std::uint64_t sum = argc > 1 && std::strcmp(argv[1], "cpp") == 0 ? by_cpp() : by_c();

    std::printf("%llu\n", static_cast<unsigned long long>(sum));
    return 0;
}
