// SPDX-License-Identifier: BSD-2-Clause
/* A thread that is to be cancelled goes when it is out of the library, not in a driver's op or in a put. */
#include <errno.h>
#include <sys/eventfd.h>

#include "test/pagemap/file_rig.h"

static struct file_rig rig;
static char *view;
static unsigned asked;
static bool came_back;

static void free_page(struct page *page)
{
    (void)page;
    pthread_testcancel();
    asked++;
}

static void free_folio(struct folio *folio)
{
    (void)folio;
    free_page(NULL);
}

static vm_fault_t do_not_move(struct vm_fault *vmf)
{
    free_page(vmf->page);
    return 1;
}

static int deal_with(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap, (void)pfn, (void)nr_pages, (void)flags;
    free_page(NULL);
    return 0;
}

static const struct dev_pagemap_ops of_pages = {free_page, do_not_move, deal_with, NULL};
static const struct dev_pagemap_ops of_folios = {NULL, do_not_move, deal_with, free_folio};

static void set_up(enum memory_type type, const struct dev_pagemap_ops *ops)
{
    file_rig_set_up(&rig, type);
    rig.pgmap.ops = ops;
    if (type == MEMORY_DEVICE_PRIVATE) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(0)), 0);
        unlock_page(pfn_to_page(0));
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1), 0);
    view = file_rig_view(&rig, 0, 1);
    asked = 0;
}

static void tear_down(void)
{
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void *be_cancelled(void *what)
{
    void (*call)(void) = *(void (**)(void))what;

    (void)pthread_cancel(pthread_self()); /* takes effect at the next cancellation point */
    call();
    came_back = true;
    pthread_testcancel();
    return NULL;
}

/* That the call is done, op and all, by a thread that is cancelled meanwhile. */
static void check_whole(void (*call)(void), unsigned expected)
{
    pthread_t thread;
    void *result;

    came_back = false;
    asked = 0;
    REQUIRE_EQ(pthread_create(&thread, NULL, be_cancelled, &call), 0);
    REQUIRE_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ(result, PTHREAD_CANCELED, "it can be cancelled again");
    CHECK(came_back);
    CHECK_EQ(asked, expected);
}

static void get_and_put(void)
{
    put_page(pagemap_get_page(7));
}

static void pin_and_unpin(void)
{
    struct page *page;

    CHECK_EQ(pin_user_pages((uintptr_t)view, 1, 0, &page), 1);
    unpin_user_page(page);
}

static void break_a_page(void)
{
    CHECK_EQ(memory_failure(7, 0), 0);
}

TEST_CASE(cancel, not_in_ops_of_pages_that_go_idle_or_break)
{
    for (unsigned folios = 0; folios < 2; folios++) {
        set_up(MEMORY_DEVICE_FS_DAX, folios ? &of_folios : &of_pages);
        check_whole(get_and_put, 1);
        check_whole(pin_and_unpin, 1);
        check_whole(break_a_page, 1);
        tear_down();
    }
}

static void ask_for_an_absent_page(void)
{
    CHECK_EQ(fixup_user_fault((uintptr_t)view, 0), -EFAULT);
}

TEST_CASE(cancel, not_in_a_migration)
{
    set_up(MEMORY_DEVICE_PRIVATE, &of_pages);
    check_whole(ask_for_an_absent_page, 1);
    tear_down();
}

static void put_the_last(void)
{
    put_page(pfn_to_page(7));
}

TEST_CASE(cancel, not_in_telling_of_the_last_put)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint64_t count;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_NE(pagemap_get_page(7), NULL);
    REQUIRE_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
    check_whole(put_the_last, 0);
    CHECK_EQ(read(fd, &count, sizeof count), (ssize_t)sizeof count, "it is told");
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    (void)close(fd);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}
