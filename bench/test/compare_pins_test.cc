// SPDX-License-Identifier: BSD-2-Clause
// The rows of registrations: each checks its answers itself, and throws. Threads meet: few buffers, many threads.
#include <gtest/gtest.h>

#include <memory>

#include "bench/core/jobs.h"
#include "bench/regcache/caches.h"
#include "bench/regcache/card.h"
#include "bench/regcache/room.h"

namespace bench
{
namespace
{

TEST(PinRows, HoldWhatTheyPinAndLoseNoRegistration)
{
    Options options;
    options.threads = {1, 2, 4};
    Team team(4);
    for (size_t buffers : {4u, 64u}) {
        for (const Job &job : pin_jobs(buffers, options, team)) {
            SCOPED_TRACE(job.row + "/" + job.subject);
            Histogram none;
            for (unsigned turn = 1; turn <= 2; turn++) {
                Reading reading;
                ASSERT_NO_THROW(reading = job.measure(0.005, turn, none));
                EXPECT_GT(reading.values["operations_per_second"], 0);
            }
        }
    }
}

// A pin of page `page`, after which there is room again.
template <class Cache> void pin(Cache &cache, Room &room, uint64_t page)
{
    {
        auto pin = cache.pin(page * 4096, page * 4096);
        room.mark(pin.key());
    }
    room.make_room(cache);
}

template <class Cache> void gives_a_second_chance()
{
    // Not on the stack: rows/pin_rows.cc.
    auto card_there = std::make_unique<Card>();
    auto room_there = std::make_unique<Room>(card_there->device(), 2);
    Card &card = *card_there;
    Room &room = *room_there;
    {
        Cache cache(room.device());
        for (uint64_t page : {1u, 2u, 3u}) // the hand clears all marks, and takes 1
            pin(cache, room, page);
        pin(cache, room, 2);
        EXPECT_EQ(card.enrolled(), 3u);
        pin(cache, room, 4); // 2 was marked anew: takes 3
        EXPECT_EQ(card.enrolled(), 4u);
        pin(cache, room, 2);
        EXPECT_EQ(card.enrolled(), 4u);
        pin(cache, room, 3);
        EXPECT_EQ(card.enrolled(), 5u);
        cache.drain();
        EXPECT_EQ(room.held(), 2u);
    }
    EXPECT_EQ(card.withdrawn(), card.enrolled());
}

TEST(Room, GivesASecondChance)
{
    gives_a_second_chance<RangemapCache>();
    gives_a_second_chance<LockedCache<StdPieces, Mutex>>();
    gives_a_second_chance<LockedCache<BtreePieces, Rwlock>>();
}

} // namespace
} // namespace bench

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
