// SPDX-License-Identifier: BSD-2-Clause
// The model of caches by itself: what each step costs, and who has the line then.
#include "bench/cores/caches.h"

#include <gtest/gtest.h>

namespace bench::cores
{

namespace
{

class CachesTest : public ::testing::Test
{
  protected:
    static constexpr LineId kLine = 7;

    Ps cost(unsigned core, Access access, Ps now = kLate)
    {
        return caches.access(core, kLine, access, now).done - now;
    }

    static constexpr Ps kLate = 1000000000; // nothing is on its way any more
    Machine machine = machine_named("epyc");
    Topology topology{machine, 32, 2}; // two groups of 8 in each socket
    Caches caches{machine, topology, 32};
};

TEST_F(CachesTest, topology)
{
    EXPECT_EQ(topology.groups(), 4u);
    EXPECT_EQ(topology.between(0, 7), Distance::kGroup);
    EXPECT_EQ(topology.between(0, 8), Distance::kSocket);
    EXPECT_EQ(topology.between(15, 16), Distance::kRemote);
    EXPECT_EQ(Topology(machine, 3, 2).between(0, 1), Distance::kRemote);
}

TEST_F(CachesTest, a_line_that_is_read_stays)
{
    EXPECT_EQ(cost(0, Access::kRead), machine.l3_hit);
    EXPECT_TRUE(caches.is_near(0, kLine, Access::kRead));
    EXPECT_FALSE(caches.is_near(0, kLine, Access::kWrite));
    EXPECT_EQ(cost(0, Access::kRead), 0u);
    EXPECT_EQ(cost(1, Access::kRead, 2 * kLate), machine.l3_hit);
}

TEST_F(CachesTest, a_writer_takes_it_from_all_others)
{
    cost(0, Access::kRead);
    cost(8, Access::kRead, 2 * kLate);
    EXPECT_EQ(cost(1, Access::kWrite, 3 * kLate), machine.transfer[1]); // the farther of the two
    EXPECT_FALSE(caches.is_near(0, kLine, Access::kRead));
    EXPECT_FALSE(caches.is_near(8, kLine, Access::kRead));
    EXPECT_EQ(cost(1, Access::kUpdate, 4 * kLate), machine.atomic);
}

TEST_F(CachesTest, what_was_written_comes_from_its_writer)
{
    cost(0, Access::kWrite);
    EXPECT_EQ(cost(1, Access::kRead, 2 * kLate), machine.transfer[0]);
    EXPECT_EQ(cost(31, Access::kUpdate, 3 * kLate), machine.transfer[2] + machine.atomic);
    EXPECT_EQ(cost(0, Access::kRead, 4 * kLate), machine.transfer[2]);
    EXPECT_EQ(cost(1, Access::kRead, 5 * kLate), machine.l3_hit); // core 0 is in its group
}

TEST_F(CachesTest, updates_of_one_line_are_done_in_turn)
{
    Ps last = 0;
    for (unsigned core = 0; core < 8; core++) {
        Arrival arrival = caches.access(core, kLine, Access::kUpdate, kLate);
        EXPECT_EQ(arrival.transferred, core > 0);
        if (core > 0) {
            EXPECT_EQ(arrival.done, last + machine.transfer[0] + machine.atomic);
        }
        last = arrival.done;
    }
}

TEST_F(CachesTest, readers_do_not_wait_for_each_other)
{
    cost(0, Access::kRead);
    for (unsigned core = 1; core < 8; core++)
        EXPECT_LE(cost(core, Access::kRead, 2 * kLate), machine.l3_hit + core * machine.port);
}

TEST_F(CachesTest, what_is_evicted_costs_again)
{
    cost(0, Access::kWrite);
    for (unsigned i = 0; i <= machine.l1.ways; i++) // the same set of the first cache
        caches.access(0, kLine + (i + 1) * (machine.l1.lines / machine.l1.ways), Access::kRead, kLate);
    EXPECT_FALSE(caches.is_near(0, kLine, Access::kRead));
    EXPECT_EQ(cost(0, Access::kRead), machine.l2_hit);
    for (unsigned i = 0; i <= machine.l2.ways; i++)
        caches.access(0, kLine + (i + 1) * (machine.l2.lines / machine.l2.ways), Access::kRead, kLate);
    EXPECT_EQ(cost(0, Access::kRead, 2 * kLate), machine.l3_hit);  // written back
    EXPECT_EQ(cost(16, Access::kRead, 3 * kLate), machine.memory); // nearer than the other socket's cache
}

TEST(TagArray, the_oldest_goes)
{
    TagArray tags({8, 2}); // four sets
    EXPECT_EQ(tags.insert(0), TagArray::kNone);
    EXPECT_EQ(tags.insert(4), TagArray::kNone);
    EXPECT_TRUE(tags.touch(0));
    EXPECT_EQ(tags.insert(8), 4u);
    EXPECT_TRUE(tags.touch(0));
    EXPECT_FALSE(tags.touch(4));
}

} // namespace

} // namespace bench::cores

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
