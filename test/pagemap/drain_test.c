// SPDX-License-Identifier: BSD-2-Clause
/* Teardown that does not wait for ever: for so long, or until an eventfd says that nobody is left. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "test/pagemap/file_rig.h"

/* Each time it comes back it is dead, and all that is held is there. */
TEST_CASE(drain, a_limit_of_time)
{
    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        struct dev_pagemap *held;
        struct file_rig rig;

        file_rig_set_up(&rig, RIG_TYPES[i]);
        held = get_dev_pagemap(3, NULL);
        for (unsigned round = 0; round < 3; round++) {
            CHECK_EQ(memunmap_pages_timeout(&rig.pgmap, round), -ETIMEDOUT);
            CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1);
            CHECK(rig_finds(3, NULL));
            CHECK_EQ(kill_dev_pagemap(&rig.pgmap), -EALREADY);
        }
        CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
        CHECK(rig_finds(3, &rig.pgmap));
        CHECK_EQ(memunmap_pages_timeout(&rig.pgmap, 0), -ETIMEDOUT);
        put_dev_pagemap(held);
        CHECK_EQ(memunmap_pages_timeout(&rig.pgmap, 0), 0);
        CHECK_EQ(warnings_take(), 0);
        REQUIRE_EQ(rig_map(&rig.pgmap), 0);
        file_rig_tear_down(&rig);
    }
}

static void put_soon(void *page)
{
    (void)usleep(20000);
    put_page(page);
}

TEST_CASE(drain, a_put_within_the_limit)
{
    struct waiter waiter;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    waiter_start(&waiter, put_soon, pagemap_get_page(7));
    CHECK_EQ(memunmap_pages_timeout(&rig.pgmap, 60000), 0);
    waiter_join(&waiter);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

/* ---- by eventfd ---- */

static bool is_told(int fd)
{
    struct pollfd poller = {fd, POLLIN, 0};
    uint64_t count = 0;

    if (poll(&poller, 1, 0) != 1) {
        return false;
    }
    CHECK_EQ(read(fd, &count, sizeof count), (ssize_t)sizeof count);
    CHECK_EQ(count, 1, "once");
    return true;
}

TEST_CASE(drain, an_eventfd_at_the_last_put)
{
    struct dev_pagemap *held;
    struct file_rig rig;
    struct page *page;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    REQUIRE_GE(fd, 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, -1), -EINVAL);
    page = pagemap_get_page(7);
    held = get_dev_pagemap(3, NULL);
    CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
    CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), -EALREADY);
    CHECK(rig_finds(3, NULL));
    put_dev_pagemap(held);
    CHECK(!is_told(fd), "a page is left");

    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    put_page(page);
    CHECK(!is_told(fd), "it was called off");
    page = pagemap_get_page(7);
    CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
    for (unsigned limit = 0; limit < 3; limit++) {
        CHECK_EQ(memunmap_pages_timeout(&rig.pgmap, limit), -ETIMEDOUT);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1, "the page's");
    }
    CHECK(!is_told(fd));
    put_page(page);
    CHECK(is_told(fd), "who waited in vain keeps nobody from being told");
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), -EALREADY, "too late");
    CHECK_EQ(memunmap_pages_timeout(&rig.pgmap, 0), 0, "nobody is left to wait for");
    CHECK(!is_told(fd));
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
    CHECK(is_told(fd), "nobody was there");
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    CHECK(!is_told(fd));
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    (void)close(fd);
    file_rig_tear_down(&rig);
}

/* With threads that put as it is killed: it is told exactly once, whoever is last. */
static void put_now(void *page)
{
    put_page(page);
}

TEST_CASE(drain, told_once_whoever_is_last)
{
    struct file_rig rig;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    REQUIRE_GE(fd, 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    for (unsigned i = 0; i < 100 * test_scale(); i++) {
        struct waiter waiter[2];

        for (unsigned w = 0; w < 2; w++) {
            waiter_start(&waiter[w], put_now, pagemap_get_page(w));
        }
        CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
        for (unsigned w = 0; w < 2; w++) {
            waiter_join(&waiter[w]);
        }
        CHECK(is_told(fd), "round %u", i);
        CHECK_EQ(memunmap_pages_timeout(&rig.pgmap, 0), 0);
        REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    }
    (void)close(fd);
    file_rig_tear_down(&rig);
}
