// SPDX-License-Identifier: BSD-2-Clause
// The oracle against an array with one element for each of 64 keys.
#include <gtest/gtest.h>

#include <array>

#include "bench/check/oracle.h"
#include "bench/workload/random.h"

namespace bench
{
namespace
{

constexpr uint64_t kKeys = 64;

// The keys 0..63 stand for base..base+63, so that both ends of the key space are reached.
class Dense
{
  public:
    explicit Dense(uint64_t base) : base_(base)
    {
        value_.fill(-1);
    }

    void fill(uint64_t start, uint64_t last, int64_t value)
    {
        for (uint64_t key = start;; key++) {
            value_[key - base_] = value;
            if (key == last)
                return;
        }
    }

    bool is_free(uint64_t start, uint64_t last) const
    {
        for (uint64_t i = start - base_; i <= last - base_; i++) {
            if (value_[i] != -1)
                return false;
        }
        return true;
    }

    bool is_covered(uint64_t start, uint64_t last) const
    {
        for (uint64_t i = start - base_; i <= last - base_; i++) {
            if (value_[i] == -1)
                return false;
        }
        return true;
    }

    int64_t at(uint64_t key) const
    {
        return value_[key - base_];
    }

  private:
    uint64_t base_;
    std::array<int64_t, kKeys> value_;
};

class OracleTest : public testing::TestWithParam<uint64_t>
{
  protected:
    void draw(uint64_t *start, uint64_t *last)
    {
        *start = GetParam() + random_.below(kKeys);
        *last = GetParam() + random_.below(kKeys);
        if (*start > *last)
            std::swap(*start, *last);
    }

    // Up to four short ranges.
    void store_four(Oracle *oracle, Dense *dense)
    {
        for (uint64_t value = 0; value < 4; value++) {
            uint64_t start, last;
            draw(&start, &last);
            last = start + std::min<uint64_t>(last - start, 9);
            oracle->store({start, last, value});
            dense->fill(start, last, static_cast<int64_t>(value));
        }
    }

    Random random_{1};
};

TEST_P(OracleTest, StoreCarveAndFind)
{
    for (int round = 0; round < 300; round++) {
        Oracle oracle;
        Dense dense(GetParam());
        for (uint64_t value = 0; value < 20; value++) {
            uint64_t start, last;
            draw(&start, &last);
            bool carves = random_.below(3) == 0;
            uint64_t displaced = 0;
            for (const Range &range :
                 carves ? oracle.carve(start, last) : oracle.store({start, last, value})) {
                EXPECT_EQ(dense.at(range.start), static_cast<int64_t>(range.value));
                displaced += range.last - range.start + 1;
            }
            EXPECT_EQ(displaced == 0, dense.is_free(start, last));
            dense.fill(start, last, carves ? -1 : static_cast<int64_t>(value));
            ASSERT_TRUE(is_sorted_and_disjoint(oracle.ranges()));
            for (uint64_t i = 0; i < kKeys; i++) {
                const Range *found = oracle.find(GetParam() + i);
                ASSERT_EQ(dense.at(GetParam() + i),
                          found == nullptr ? -1 : static_cast<int64_t>(found->value));
            }
        }
    }
}

TEST_P(OracleTest, WindowsAndNeighbours)
{
    for (int round = 0; round < 300; round++) {
        Oracle oracle;
        Dense dense(GetParam());
        store_four(&oracle, &dense);
        uint64_t start, last;
        draw(&start, &last);
        EXPECT_EQ(oracle.overlap(start, last) == nullptr, dense.is_free(start, last));
        EXPECT_EQ(oracle.covered(start, last), dense.is_covered(start, last));
        const Range *next = nullptr, *previous = nullptr;
        for (const Range &range : oracle.ranges()) {
            if (range.last < start)
                previous = &range;
            if (range.start > start && next == nullptr)
                next = &range;
        }
        EXPECT_EQ(oracle.next(start), next);
        EXPECT_EQ(oracle.previous(start), previous);
    }
}

TEST_P(OracleTest, Gaps)
{
    for (int round = 0; round < 3000; round++) {
        Oracle oracle;
        Dense dense(GetParam());
        store_four(&oracle, &dense);
        uint64_t low, high, length = 1 + random_.below(12), alignment = uint64_t{1} << random_.below(5);
        draw(&low, &high);
        bool from_top = random_.below(2) == 0;
        std::optional<uint64_t> expected;
        for (uint64_t i = low - GetParam(); i <= high - GetParam(); i++) {
            uint64_t start = GetParam() + i;
            bool fits = start % alignment == 0 && high - start >= length - 1 &&
                        dense.is_free(start, start + length - 1);
            if (fits && (from_top || !expected))
                expected = start;
        }
        EXPECT_EQ(oracle.gap(length, alignment, low, high, from_top), expected);
    }
}

TEST_P(OracleTest, SweepingEqualsStoring)
{
    for (int round = 0; round < 1000; round++) {
        Oracle oracle;
        Ranges stores;
        uint64_t count = 1 + random_.below(20);
        for (uint64_t value = 0; value < count; value++) {
            uint64_t start, last;
            draw(&start, &last);
            stores.push_back({start, last, value});
            oracle.store(stores.back());
        }
        EXPECT_EQ(flatten_stores(stores), oracle.ranges());
    }
}

INSTANTIATE_TEST_SUITE_P(Places, OracleTest,
                         testing::Values(uint64_t{0}, uint64_t{1} << 40, UINT64_MAX - (kKeys - 1)));

TEST(Oracle, Empty)
{
    Oracle oracle;
    EXPECT_EQ(oracle.find(0), nullptr);
    EXPECT_EQ(oracle.next(0), nullptr);
    EXPECT_EQ(oracle.previous(UINT64_MAX), nullptr);
    EXPECT_EQ(oracle.gap(UINT64_MAX, 1, 0, UINT64_MAX, false), uint64_t{0});
    EXPECT_EQ(oracle.gap(UINT64_MAX, 1, 0, UINT64_MAX, true), uint64_t{1});
    EXPECT_TRUE(flatten_stores({}).empty());
}

} // namespace
} // namespace bench

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
