// SPDX-License-Identifier: BSD-2-Clause
/* Calls for what is not in the state for them: what each returns, the one thing it says, and that nothing happens. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "pagemap/device.h"
#include "test/pagemap/file_rig.h"

static char said[256];

static void note(const char *message)
{
    (void)snprintf(said, sizeof said, "%s", message);
    warnings_note(message);
}

static void listen_to_warnings(void)
{
    (void)warnings_take();
    (void)pagemap_set_warn_fn(note);
    said[0] = 0;
}

/* What was said since, which is forgotten. */
static void check_said(const char *expected)
{
    CHECK_STR_EQ(said, expected);
    CHECK_EQ(warnings_take(), expected[0] != 0 ? 1 : 0, "%s", expected);
    said[0] = 0;
}

/* ---- dev_pagemaps ---- */

static void check_not_mapped(struct dev_pagemap *pgmap)
{
    CHECK_EQ(kill_dev_pagemap(pgmap), -EINVAL);
    check_said("kill_dev_pagemap() of what is not mapped");
    CHECK_EQ(kill_dev_pagemap_notify(pgmap, 1), -EINVAL);
    check_said("kill_dev_pagemap() of what is not mapped");
    CHECK_EQ(resurrect_dev_pagemap(pgmap), -EINVAL);
    check_said("resurrect_dev_pagemap() of what was not killed");
    CHECK_EQ(memunmap_pages(pgmap), -EINVAL);
    check_said("memunmap_pages() of what is not mapped");
    CHECK_EQ(memunmap_pages_timeout(pgmap, 1), -EINVAL);
    check_said("memunmap_pages() of what is not mapped");
}

/* A thread in a read section would wait for itself. */
static void check_in_section(struct file_rig *rig, int fd)
{
    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(kill_dev_pagemap(&rig->pgmap), -EDEADLK);
    CHECK_EQ(kill_dev_pagemap_notify(&rig->pgmap, fd), -EDEADLK);
    check_said("");
    CHECK_EQ(memunmap_pages(&rig->pgmap), -EDEADLK);
    check_said("memunmap_pages() inside a read section");
    CHECK_EQ(memunmap_pages_timeout(&rig->pgmap, 0), -EDEADLK);
    check_said("memunmap_pages() inside a read section");
    pagemap_read_unlock();
    CHECK(rig_finds(3, &rig->pgmap), "as before");
    CHECK_EQ(pgmap_nr_references(&rig->pgmap), 0);
}

TEST_CASE(misuse, dev_pagemaps)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap unmapped = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct file_rig rig;
    uint64_t count = 0;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    listen_to_warnings();
    check_not_mapped(NULL);
    check_not_mapped(&unmapped);
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), -EINVAL, "alive");
    check_said("resurrect_dev_pagemap() of what was not killed");
    check_in_section(&rig, fd);
    CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, -1), -EINVAL);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), -EALREADY);
    CHECK_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), -EALREADY);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    CHECK_EQ(read(fd, &count, sizeof count), -1, "none of these calls took it");
    check_said("");
    check_not_mapped(&rig.pgmap);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    (void)close(fd);
    file_rig_tear_down(&rig);
}

/* Addresses of struct pages in the device need memory; a private device without an altmap needs none. */
TEST_CASE(misuse, memory_that_is_not_there)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);

    warnings_count();
    listen_to_warnings();
    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        for (unsigned flags = 0; flags <= PGMAP_ALTMAP_VALID; flags += PGMAP_ALTMAP_VALID) {
            struct dev_pagemap pgmap = rig_pgmap(RIG_TYPES[i], &range, 1);
            int error = RIG_TYPES[i] == MEMORY_DEVICE_PRIVATE && flags == 0 ? 0 : -ENXIO;

            pgmap.flags = flags;
            pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(RIG_GB), .free = 200};
            CHECK_EQ(rig_map(&pgmap), error, "type %u, flags %u", i, flags);
            check_said(
                error == 0
                    ? ""
                    : "memremap_pages(): range 0, 0x40000000-0x401fffff, no memory is plugged in behind "
                      "all of it");
            if (error == 0) {
                CHECK_EQ(memunmap_pages(&pgmap), 0);
            }
        }
    }
    pagemap_barrier();
}

/* ---- pages ---- */

TEST_CASE(misuse, locks_of_pages)
{
    struct page *beyond = pfn_to_page(4 * RIG_MB / PAGE_SIZE), *page = pfn_to_page(5);
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    listen_to_warnings();
    CHECK(!trylock_page(beyond));
    check_said("trylock_page() of what is no page");
    lock_page(beyond);
    check_said("lock_page() of what is no page");
    unlock_page(beyond);
    check_said("unlock_page() of what is no page");
    wait_on_page_idle(beyond);
    check_said("");
    unlock_page(page);
    check_said("unlock_page() of a page that is not locked");
    CHECK(trylock_page(page));
    CHECK(!trylock_page(page));
    unlock_page(page);
    lock_page(page);
    CHECK(!trylock_page(page));
    unlock_page(page);
    check_said("");
    unlock_page(page);
    check_said("unlock_page() of a page that is not locked");
    file_rig_tear_down(&rig);
}

/* ---- regions and actions ---- */

static void do_nothing(void *data)
{
    (void)data;
}

TEST_CASE(misuse, regions_and_actions)
{
    struct device dev;

    warnings_count();
    listen_to_warnings();
    device_initialize(&dev, "dev");
    release_mem_region(4096, 4096);
    check_said("release_mem_region() of a region that nobody has, or that others lie in");
    devm_release_mem_region(&dev, 4096, 4096);
    check_said("devm_release_mem_region() of a region that the device does not have");
    CHECK_EQ(devm_release_action(&dev, do_nothing, NULL), -ENOENT);
    check_said("devm_release_action() of no action");
    CHECK_EQ(devm_remove_action(&dev, do_nothing, NULL), -ENOENT);
    check_said("");
}

/* A mapping that goes with its device, and one that is ended before. */
TEST_CASE(misuse, mappings_of_a_device)
{
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_MB);
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct device dev;

    warnings_count();
    device_initialize(&dev, "dev");
    listen_to_warnings();
    devm_memunmap_pages(&dev, &pgmap);
    check_said("devm_release_action() of no action");
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    CHECK_EQ(PTR_ERR(devm_memremap_pages(&dev, &pgmap)), -EINVAL);
    check_said("memremap_pages(): it is mapped already");
    devm_memunmap_pages(&dev, &pgmap);
    CHECK(rig_finds(PHYS_PFN(RIG_GB), NULL));
    CHECK_EQ(devres_release_all(&dev), 0);
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    CHECK_EQ(devres_release_all(&dev), 1);
    CHECK(rig_finds(PHYS_PFN(RIG_GB), NULL));
    check_said("");
    rig_unplug(memory);
}

/* ---- pins ---- */

/* The result of a call that failed, given straight back: pages[] has nothing, and no end. */
TEST_CASE(misuse, pins_that_were_refused)
{
    struct page *pages[] = {pfn_to_page(5)};
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    listen_to_warnings();
    for (long error = -4095; error < 0; error += error < -2 ? 4092 : 1) {
        unpin_user_pages(pages, (unsigned long)error);
        check_said("unpin_user_pages() of an error in place of a count");
    }
    unpin_user_pages(pages, (unsigned long)pin_user_pages((uintptr_t)&rig, 1, 0, pages));
    check_said("unpin_user_pages() of an error in place of a count");
    unpin_user_pages(pages, 1);
    check_said("put_page() or unpin_user_page() of an idle page");
    unpin_user_pages(NULL, 0);
    check_said("");
    file_rig_tear_down(&rig);
}

/* ---- statistics ---- */

/* As many bytes as the caller knows: no more are written, and what the library does not know is 0. */
TEST_CASE(misuse, statistics_of_any_size)
{
    enum { WORDS = sizeof(struct pagemap_statistics) / 8 };
    uint64_t words[WORDS + 4];
    struct pagemap_statistics all;

    REQUIRE_EQ(pagemap_stats(&all, sizeof all), 0);
    CHECK_EQ(pagemap_stats(NULL, sizeof all), -EINVAL);
    for (size_t bytes = 0; bytes <= (WORDS + 2) * 8; bytes++) {
        bool is_right = bytes > 0 && bytes % 8 == 0;

        memset(words, 0x5a, sizeof words);
        CHECK_EQ(pagemap_stats((struct pagemap_statistics *)(void *)words, bytes), is_right ? 0 : -EINVAL);
        for (size_t i = 0; i < WORDS + 4; i++) {
            uint64_t known = i < WORDS ? ((const uint64_t *)(const void *)&all)[i] : 0;

            CHECK_EQ(words[i], is_right && i < bytes / 8 ? known : UINT64_C(0x5a5a5a5a5a5a5a5a), "word %zu",
                     i);
        }
    }
}
