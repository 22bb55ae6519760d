// SPDX-License-Identifier: BSD-2-Clause
/* Device memory handed out to another process, by descriptors through a UNIX socket; taken from one: import_test.c. */
#define _GNU_SOURCE
#include <errno.h>

#include "test/pagemap/peer_rig.h"

TEST_CASE(export, a_peer_sees_what_the_driver_writes_and_the_reverse)
{
    struct pagemap_export exported;
    struct shared it;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    it.linear[RIG_MB] = 11;
    it.linear[RIG_MB + 5 * PAGE_SIZE] = 12;
    CHECK_EQ(give(DEVICE + RIG_MB, 8 * PAGE_SIZE, 0, &exported), 0);
    CHECK_EQ(exported.offset, RIG_MB);
    CHECK_EQ(exported.granule, PAGE_SIZE);
    CHECK(exported.is_sealed);
    CHECK_EQ(peer_reads(0), 11);
    CHECK_EQ(peer_reads(5 * PAGE_SIZE), 12);
    CHECK_EQ(ask(PEER_WRITE, 7 * PAGE_SIZE, 0, 13), 13);
    CHECK_EQ(it.linear[RIG_MB + 7 * PAGE_SIZE], 13);
    CHECK_EQ(ask(PEER_UNMAP, 0, 0, 0), 0);
    pagemap_export_end(&exported);
    tear_down(&it);
}

/* Teardown waits for who said nothing yet, and says for whom. */
static void note_pagemap(const struct pagemap_holder *holder, void *count)
{
    if (holder->kind == PAGEMAP_HELD_PAGEMAP && holder->name != NULL) {
        CHECK_STR_EQ(holder->name, "vhost-user");
        *(unsigned *)count += (unsigned)holder->references;
    }
}

static void unmap_device(void *pgmap)
{
    CHECK_EQ(memunmap_pages(pgmap), 0);
}

TEST_CASE(export, teardown_waits_until_the_peer_has_unmapped)
{
    struct pagemap_statistics before, after;
    struct pagemap_export exported;
    struct waiter waiter;
    unsigned references = 0;
    struct shared it;

    set_up(&it, MEMORY_DEVICE_FS_DAX);
    (void)pagemap_stats(&before, sizeof before);
    pagemap_record_holders(true);
    (void)pagemap_set_holder("vhost-user");
    CHECK_EQ(give(DEVICE, BYTES, 0, &exported), 0);
    (void)pagemap_set_holder(NULL);
    (void)pagemap_stats(&after, sizeof after);
    CHECK_EQ(after.exports_now - before.exports_now, 1);
    CHECK_EQ(memunmap_pages_timeout(&it.pgmap, 0), -ETIMEDOUT);
    CHECK_GT(pagemap_report_holders(0, PHYSMEM_END, note_pagemap, &references), 0);
    CHECK_EQ(references, 1);
    waiter_start(&waiter, unmap_device, &it.pgmap);
    CHECK(!waiter_is_done_after(&waiter, 20000));
    it.linear[77] = 5;
    CHECK_EQ(peer_reads(77), 5, "it still has it");
    CHECK_EQ(ask(PEER_UNMAP, 0, 0, 0), 0);
    pagemap_export_end(&exported);
    pagemap_export_end(&exported); /* does nothing */
    waiter_join(&waiter);
    pagemap_record_holders(false);
    (void)pagemap_stats(&after, sizeof after);
    CHECK_EQ(after.exports_now, before.exports_now);
    CHECK_EQ(after.exports - before.exports, 1);
    map_device(&it, MEMORY_DEVICE_FS_DAX);
    tear_down(&it);
}

/* A peer that dies with the memory mapped is one that has unmapped it. */
TEST_CASE(export, a_peer_that_dies)
{
    struct pagemap_export exported;
    struct shared it;
    int status;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(give(DEVICE, BYTES, 0, &exported), 0);
    REQUIRE_EQ(kill(peer, SIGKILL), 0);
    REQUIRE_EQ(waitpid(peer, &status, 0), peer);
    (void)close(peer_socket);
    CHECK_EQ(memunmap_pages_timeout(&it.pgmap, 0), -ETIMEDOUT);
    pagemap_export_end(&exported);
    CHECK_EQ(memunmap_pages(&it.pgmap), 0);
    start_peer();
    map_device(&it, MEMORY_DEVICE_GENERIC);
    tear_down(&it);
}

/* What documents say that it sees. */
TEST_CASE(export, a_peer_that_keeps_what_was_ended)
{
    struct pagemap_export exported;
    struct shared it;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    it.linear[0] = 21;
    CHECK_EQ(give(DEVICE, BYTES, 0, &exported), 0);
    pagemap_export_end(&exported);
    CHECK_EQ(memunmap_pages(&it.pgmap), 0);
    CHECK_EQ(peer_reads(0), 21, "the same bytes");
    map_device(&it, MEMORY_DEVICE_GENERIC);
    it.linear[0] = 22;
    CHECK_EQ(peer_reads(0), 22, "and what the next device writes");
    CHECK_EQ(memunmap_pages(&it.pgmap), 0);
    rig_unplug(it.memory);
    CHECK_EQ(peer_reads(0), 22, "the last");
    CHECK_EQ(ask(PEER_WRITE, PAGE_SIZE, 0, 1), 1);
    CHECK_EQ(ask(PEER_UNMAP, 0, 0, 0), 0);
    CHECK_EQ(warnings_take(), 0);
    end_peer();
}

/* Revoking is for views of this process. */
TEST_CASE(export, a_peer_beside_truncation_and_poison)
{
    struct pagemap_export exported;
    struct address_space file;
    struct shared it;
    char *view;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, PHYS_PFN(DEVICE), 8), 0);
    view = vm_mmap(&file, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    REQUIRE(!IS_ERR(view));
    view[3 * PAGE_SIZE] = 31;
    CHECK_EQ(give(DEVICE, 8 * PAGE_SIZE, 0, &exported), 0);
    REQUIRE_EQ(memory_failure(PHYS_PFN(DEVICE) + 3, 0), 0);
    CHECK_EQ(touch_read(view + 3 * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(peer_reads(3 * PAGE_SIZE), 31);
    CHECK_EQ(ask(PEER_UNMAP, 0, 0, 0), 0);
    pagemap_export_end(&exported);
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    tear_down(&it);
}

/* Neither end can take the memory from the other, nor keep it from writing. */
TEST_CASE(export, a_peer_cannot_resize_or_seal)
{
    struct pagemap_export exported;
    struct shared it;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(give(DEVICE, BYTES, 0, &exported), 0);
    CHECK_EQ(ask(PEER_RESIZE, 0, 0, 0), EPERM);
    CHECK_EQ(ask(PEER_RESIZE, 0, 2 * BYTES, 0), EPERM);
    CHECK_EQ(ask(PEER_SEAL, 0, 0, 0), EPERM);
    CHECK_EQ(touch_write((char *)it.linear + BYTES - 1, 1), 0);
    CHECK_EQ(ask(PEER_UNMAP, 0, 0, 0), 0);
    pagemap_export_end(&exported);
    tear_down(&it);
}

TEST_CASE(export, a_peer_that_may_only_read)
{
    struct pagemap_export exported;
    struct shared it;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    it.linear[0] = 41;
    CHECK_EQ(give(DEVICE, BYTES, PAGEMAP_EXPORT_READ_ONLY, &exported), 0);
    CHECK_EQ(peer_reads(0), 41);
    CHECK_EQ(ask(PEER_CAN_WRITE, 0, 0, 0), EACCES);
    CHECK_EQ(ask(PEER_WRITE, 0, 0, 1), SIGSEGV);
    CHECK_EQ(it.linear[0], 41);
    CHECK_EQ(ask(PEER_RESIZE, 0, 0, 0), EINVAL, "not open for writing");
    CHECK_EQ(ask(PEER_UNMAP, 0, 0, 0), 0);
    pagemap_export_end(&exported);
    tear_down(&it);
}

TEST_CASE(export, refusals)
{
    struct pagemap_export exported = {.fd = -7};
    struct shared it;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(pagemap_export(DEVICE, PAGE_SIZE, 0, NULL), -EINVAL);
    CHECK_EQ(pagemap_export(DEVICE, 0, 0, &exported), -EINVAL);
    CHECK_EQ(pagemap_export(DEVICE + 1, PAGE_SIZE, 0, &exported), -EINVAL);
    CHECK_EQ(pagemap_export(DEVICE, PAGE_SIZE - 1, 0, &exported), -EINVAL);
    CHECK_EQ(pagemap_export(DEVICE, PAGE_SIZE, 2, &exported), -EINVAL);
    CHECK_EQ(pagemap_export(DEVICE - PAGE_SIZE, PAGE_SIZE, 0, &exported), -ENXIO);
    CHECK_EQ(pagemap_export(DEVICE, BYTES + PAGE_SIZE, 0, &exported), -ENXIO);
    CHECK_EQ(pagemap_export(DEVICE + PAGE_SIZE, UINT64_MAX - PAGE_SIZE + 1, 0, &exported), -ENXIO);
    REQUIRE_EQ(kill_dev_pagemap(&it.pgmap), 0);
    CHECK_EQ(pagemap_export(DEVICE, PAGE_SIZE, 0, &exported), -ENXIO);
    REQUIRE_EQ(resurrect_dev_pagemap(&it.pgmap), 0);
    CHECK_EQ(exported.fd, -7, "not written to");
    CHECK_EQ(pgmap_nr_references(&it.pgmap), 0);
    tear_down(&it);
}

TEST_CASE(export, what_is_poisoned_private_or_metadata)
{
    struct pagemap_memory *memory = rig_plug(DEVICE, BYTES);
    struct range range = rig_range(DEVICE, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct pagemap_export exported;
    struct address_space file;

    warnings_count();
    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(DEVICE), .reserve = 1, .free = 63};
    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, PHYS_PFN(DEVICE) + 64, 8), 0);
    CHECK_EQ(pagemap_export(DEVICE + 63 * PAGE_SIZE, 2 * PAGE_SIZE, 0, &exported), -ENXIO);
    REQUIRE_EQ(memory_failure(PHYS_PFN(DEVICE) + 66, 0), 0);
    CHECK_EQ(pagemap_export(DEVICE + 64 * PAGE_SIZE, 3 * PAGE_SIZE, 0, &exported), -EHWPOISON);
    REQUIRE_EQ(pagemap_export(DEVICE + 64 * PAGE_SIZE, 2 * PAGE_SIZE, 0, &exported), 0);
    (void)close(exported.fd);
    pagemap_export_end(&exported);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &range, 1);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(pagemap_export(DEVICE, PAGE_SIZE, 0, &exported), -ENXIO);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}
