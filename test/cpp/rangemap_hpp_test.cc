// SPDX-License-Identifier: BSD-2-Clause
/*
 * rangemap.hpp, as its users compile it: C++17, 20 or 23, by whatever compiler. No test framework, so that all of them
 * can: exits with 0 if all checks hold. One file, for the same reason: more than 400 lines.
 */
#include "rangemap/rangemap.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>

#if defined(HAS_RANGES) /* said by who compiles this: clang 14 cannot read libstdc++'s <ranges> */
#include <ranges>
#endif

using rangemapxx::bounds;
using rangemapxx::domain;
using rangemapxx::domain_ref;
using rangemapxx::entry;
using rangemapxx::map;

namespace
{

std::atomic<int> checks;

#define CHECK(holds) check((holds), #holds, __LINE__)

void check(bool holds, const char *what, int line)
{
    checks++;
    if (!holds) {
        std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, line, what);
        std::exit(1);
    }
}

template <class F> std::error_code thrown(F &&f)
{
    try {
        f();
    } catch (const std::system_error &error) {
        return error.code();
    }
    return {};
}

/* Counts those that are alive. */
struct region {
    explicit region(int of) : number(of)
    {
        alive++;
    }
    region(const region &) = delete;
    region &operator=(const region &) = delete;
    ~region()
    {
        alive--;
    }
    int number;
    static std::atomic<int> alive;
};
std::atomic<int> region::alive{0};

/* ---- words ---- */

void test_pointers()
{
    int a = 1, b = 2;
    map<int *> ranges;

    CHECK(ranges.insert(100, 199, &a));
    bounds way{};
    CHECK(!ranges.insert(150, 250, &b, &way) && way.start == 100 && way.last == 199);
    CHECK(ranges.lookup(150) == &a && !ranges.lookup(200));
    CHECK(ranges.contains(100) && !ranges.contains(99));

    std::vector<entry<int *>> displaced;
    ranges.store(150, 250, &b, [&](const entry<int *> &was) { displaced.push_back(was); });
    CHECK(displaced.size() == 1 && displaced[0].start == 100 && displaced[0].last == 199 &&
          displaced[0].value == &a);
    const auto found = ranges.find(160);
    CHECK(found && found->start == 150 && found->last == 250 && *found->value == 2);
    CHECK(ranges.is_covered(100, 250) && !ranges.is_covered(100, 251) && ranges.is_free(251, UINT64_MAX));
    CHECK(ranges.next(100)->start == 150 && ranges.previous(150)->last == 149 && !ranges.next(150));
    CHECK(ranges.first()->start == 100 && ranges.last()->last == 250 && ranges.overlap(0, 120)->value == &a);
    CHECK(ranges.replace(150, 250, &b, &a) && !ranges.replace(150, 250, &b, &a) &&
          !ranges.replace(1, 2, &a, &b));
    CHECK(ranges.coalesce() == 1 && ranges.find(100)->last == 250);
    ranges.carve(120, 129);
    CHECK(ranges.statistics().ranges == 2 && ranges.validate().empty());
    CHECK(ranges.erase(125) == std::nullopt && ranges.erase(130)->start == 130 &&
          ranges.erase_exact(100, 119));
    CHECK(!ranges.first());
}

void test_small_values()
{
    enum class kind : unsigned char { none, code, data };
    map<kind> kinds;
    map<std::uint64_t> numbers;

    kinds.store(0, 9, kind::data);
    CHECK(kinds.lookup(5) == kind::data && kinds.lookup(10) == std::nullopt);
    numbers.store(0, UINT64_MAX, 77);
    CHECK(numbers.lookup(UINT64_MAX) == 77U);
    numbers.carve(10, 19, [](const auto &was) { CHECK(was.value == 77U); });
    rangemap_gap_request request{};
    request.length = 10;
    request.high = UINT64_MAX;
    CHECK(numbers.gap_find(request) == 10U && numbers.gap_allocate(request, 5) == 10U &&
          !numbers.gap_find(request));

    const std::vector<entry<std::uint64_t>> sorted{{0, 9, 1}, {20, 29, 2}};
    map<std::uint64_t> loaded;
    loaded.load(sorted);
    CHECK(loaded.lookup(25) == 2U);
    CHECK(thrown([&] { loaded.load(sorted); }) == std::errc::directory_not_empty);
}

/* ---- shared values ---- */

void test_shared()
{
    {
        map<std::shared_ptr<region>> regions;
        auto one = std::make_shared<region>(1);

        CHECK(regions.insert(0, 99, one));
        CHECK(!regions.insert(50, 150, std::make_shared<region>(2))); /* which is gone at once */
        CHECK(region::alive == 1);
        regions.carve(40, 59); /* two owners */
        const std::weak_ptr<region> weak = one;
        one.reset();
        regions.domain().barrier();
        CHECK(!weak.expired());
        CHECK(regions.erase(0)->value->number == 1);
        regions.domain().barrier();
        CHECK(!weak.expired() && (*regions.lookup(60))->number == 1);
        {
            const auto reading = regions.read();
            CHECK(regions.in_section());
            CHECK(regions.erase(60)->start == 60);
            CHECK(!reading.lookup(60));
            CHECK(!weak.expired()); /* what a reader could have found */
        }
        CHECK(!regions.in_section());
        regions.domain().barrier();
        CHECK(weak.expired());

        regions.store(10, 19, std::make_shared<region>(3));
        regions.store(30, 39, std::make_shared<region>(4), [](const auto &) { CHECK(false); });
        const std::vector<entry<std::shared_ptr<region>>> sorted{{0, 0, std::make_shared<region>(5)}};
        std::error_code error;
        regions.load(sorted, error);
        CHECK(error == std::errc::directory_not_empty && sorted[0].value.use_count() == 1);
    }
    CHECK(region::alive == 0);
}

int functions_called, deleters_called;

void count_displaced(const entry<std::uint64_t> &)
{
    functions_called++;
}

int delete_region(region *one)
{
    deleters_called++;
    delete one;
    return 0;
}

/* A function as a callback, deleters that are functions or lambdas, arrays. */
void test_odd_types()
{
    map<std::uint64_t> numbers;
    numbers.store(0, 9, 1);
    numbers.store(5, 6, 2, count_displaced);
    numbers.carve(0, 1, count_displaced);
    CHECK(functions_called == 2);

    auto lambda = [](region *one) { delete_region(one); };
    numbers.domain().retire(std::unique_ptr<region, int (*)(region *)>(new region(1), delete_region));
    numbers.domain().retire(std::unique_ptr<region, decltype(lambda)>(new region(2), lambda));
    numbers.domain().barrier();
    CHECK(deleters_called == 2);

    map<std::shared_ptr<int[]>> arrays;
    std::shared_ptr<int[]> pair(new int[2]{3, 4});
    arrays.store(0, 9, pair);
    CHECK((*arrays.lookup(5))[1] == 4);
    const auto reading = arrays.read();
    CHECK((*reading.lookup(5))[0] == 3);
}

/* A range whose iterator throws: for want of memory at 4, and something of its own at 14. */
struct broken_range {
    std::shared_ptr<region> value;
    std::uint64_t first;

    struct iterator {
        const broken_range *of;
        std::uint64_t at;

        entry<std::shared_ptr<region>> operator*() const
        {
            if (at == 4) {
                throw std::bad_alloc();
            }
            if (at == 14) {
                throw 14;
            }
            return {at, at, of->value};
        }
        iterator &operator++()
        {
            at++;
            return *this;
        }
        bool operator!=(const iterator &other) const
        {
            return at != other.at;
        }
    };

    iterator begin() const
    {
        return {this, first};
    }
    iterator end() const
    {
        return {this, 100};
    }
};

/* What was made for the elements before goes; memory is an error like another, and what the iterator throws passes. */
void test_load_that_throws()
{
    map<std::shared_ptr<region>> regions;
    const broken_range without_memory{std::make_shared<region>(6), 0},
        thrown_at{std::make_shared<region>(7), 10};
    std::error_code error;
    bool is_thrown = false;

    regions.load(without_memory, error);
    CHECK(error == std::errc::not_enough_memory && without_memory.value.use_count() == 1);
    try {
        regions.load(thrown_at, error);
    } catch (int) {
        is_thrown = true;
    }
    CHECK(is_thrown && thrown_at.value.use_count() == 1);
}

/* ---- sections, snapshots, iteration ---- */

void test_iteration()
{
    map<std::shared_ptr<region>> regions;
    std::vector<int> seen;

    for (int i = 0; i < 100; i++) {
        const auto at = static_cast<std::uint64_t>(i) * 10;
        regions.insert(at, at + 4, std::make_shared<region>(i));
    }
    for (auto [start, last, value] : regions.read()) {
        CHECK(last == start + 4 && start == static_cast<std::uint64_t>(value->number) * 10);
        seen.push_back(value->number);
    }
    CHECK(seen.size() == 100 && std::is_sorted(seen.begin(), seen.end()));

    const auto now = regions.snap();
    regions.carve(0, UINT64_MAX);
    CHECK(!regions.first() && now.find(50)->value->number == 5);
    auto window = now.ascending(102, 200);
    CHECK(std::accumulate(window.begin(), window.end(), 0, [](int sum, auto each) {
              return sum + each.value->number;
          }) == 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17 + 18 + 19 + 20);
    int expected = 20;
    for (auto each : now.descending(102, 200)) {
        CHECK(each.value->number == expected--);
    }
    auto none = now.ascending(5, 9);
    CHECK(none.begin() == none.end());
    auto all = now.ascending();
    auto iterator = all.begin();
    CHECK((*iterator++).start == 0 && (*iterator).start == 10);
    CHECK(thrown([&] { (void)now.ascending(2, 1); }) == std::errc::invalid_argument);
}

#if defined(HAS_RANGES)
void test_ranges()
{
    map<std::uint64_t> numbers;
    for (std::uint64_t i = 0; i < 20; i++) {
        numbers.insert(i * 2, i * 2, i);
    }
    const auto reading = numbers.read();
    static_assert(std::input_iterator<decltype(reading.ascending().begin())>);
    static_assert(std::ranges::input_range<decltype(reading.ascending())>);
    auto odd = reading.ascending() |
               std::views::filter([](const auto &each) { return each.value % 2 == 1; }) |
               std::views::transform([](const auto &each) { return each.start; }) | std::views::take(3);
    std::vector<std::uint64_t> starts;
    for (const auto start : odd) {
        starts.push_back(start);
    }
    CHECK((starts == std::vector<std::uint64_t>{2, 6, 10}));
    auto entries = reading.descending();
    CHECK((*std::ranges::find_if(entries, [](const auto &each) { return each.value < 10; })).value == 9);
}
#endif

/* ---- errors ---- */

void test_errors()
{
    map<int *> ranges;
    std::error_code error = std::make_error_code(std::errc::io_error);

    CHECK(thrown([&] { ranges.store(2, 1, nullptr); }) == std::errc::invalid_argument);
    ranges.store(1, 2, nullptr, error);
    CHECK(!error);
    ranges.store(2, 1, nullptr, error);
    CHECK(error == std::errc::invalid_argument);
    CHECK(!ranges.insert(2, 1, nullptr, error) && error == std::errc::invalid_argument);
    CHECK(!ranges.insert(1, 1, nullptr, error) && !error); /* an answer */
    CHECK(!ranges.lookup(7, error) && !error);
    CHECK(!ranges.gap_find(rangemap_gap_request{}, error) && error == std::errc::invalid_argument);
    {
        const auto reading = ranges.read();
        CHECK(thrown([&] { ranges.domain().synchronize(); }) == std::errc::resource_deadlock_would_occur);
        ranges.domain().detach(error);
        CHECK(error == std::errc::device_or_resource_busy);
    }

    /* Without memory: bad_alloc, or a code; and the map as it was. */
    struct source {
        static void *none(std::size_t, std::size_t, void *)
        {
            return nullptr;
        }
        static void free(void *, std::size_t, void *)
        {
        }
    };
    const rangemap_chunk_allocator empty{source::none, source::free, nullptr};
    rangemap_domain_options options{};
    options.chunks = &empty;
    const domain impossible(options, error);
    CHECK(error == std::errc::not_enough_memory && impossible.get() == nullptr);
    bool is_bad_alloc = false;
    try {
        const domain another(options);
    } catch (const std::bad_alloc &) {
        is_bad_alloc = true;
    }
    CHECK(is_bad_alloc);
}

void test_ownership()
{
    domain mine, other;
    {
        map<std::shared_ptr<region>> first(mine), second(std::move(first));
        CHECK(first.get() == nullptr && second.domain().get() == mine.get());
        second.store(0, 9, std::make_shared<region>(1));
        first = std::move(second);
        CHECK(first.contains(9));
    }
    mine.retire(std::make_unique<region>(2));
    CHECK(mine.statistics().maps == 0);
    mine.barrier();
    while (mine.poll()) {
    }
    CHECK(region::alive == 0 && mine.blocker().tid == 0);
    domain moved = std::move(mine);
    other = std::move(moved);
    CHECK(other.get() != nullptr);
    domain_ref().attach();
}

/* Readers use what they found while another thread replaces it. */
void test_threads()
{
    map<std::shared_ptr<region>> regions;
    std::atomic<bool> done{false};
    std::atomic<int> found{0};

    regions.store(0, 99, std::make_shared<region>(7));
    const auto look = [&] {
        while (!done || found < 100) {
            const auto reading = regions.read();
            if (const auto value = reading.lookup(50)) {
                CHECK((*value)->number == 7);
                found++;
            }
            if (const auto copy = regions.lookup(20)) {
                CHECK((*copy)->number == 7);
            }
        }
    };
    std::thread one(look), two(look);
    for (int i = 0; i < 2000; i++) {
        regions.store(0, 99, std::make_shared<region>(7));
        regions.carve(40, 45);
    }
    done = true;
    one.join();
    two.join();
}

} /* namespace */

int main()
{
    test_pointers();
    test_small_values();
    test_shared();
    test_load_that_throws();
    test_odd_types();
    test_iteration();
#if defined(HAS_RANGES)
    test_ranges();
#endif
    test_errors();
    test_ownership();
    test_threads();
    CHECK(region::alive == 0);
    std::printf("%d checks\n", checks.load());
    return checks > 60 ? 0 : 1;
}
