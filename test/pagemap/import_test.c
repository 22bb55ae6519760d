// SPDX-License-Identifier: BSD-2-Clause
/* Memory of a device that another process made, or a file: taken by its descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "test/pagemap/peer_rig.h"

/* Memory that the peer made, from `offset` on. The descriptor that came is closed. */
static struct pagemap_memory *import(int fd, uint64_t offset, uint64_t bytes, int error)
{
    char message[160] = "";
    struct pagemap_memory_options options = {.kind = PAGEMAP_FD,
                                             .fd = fd,
                                             .offset = offset,
                                             .bytes = bytes,
                                             .message = message,
                                             .message_size = sizeof message};
    struct pagemap_memory *memory = NULL;

    CHECK_EQ(pagemap_memory_create(&options, &memory), error, "%s", message);
    return memory;
}

static int take_from_peer(uint64_t bytes, uint64_t value)
{
    struct peer_message message = {.call = PEER_OFFER, .bytes = bytes, .value = value};
    int fd;

    ask_all(&message, -1, &fd);
    REQUIRE_EQ(message.error, 0);
    REQUIRE_GE(fd, 0);
    return fd;
}

TEST_CASE(export, memory_that_a_peer_made)
{
    struct shared it;
    int fd;

    warnings_count();
    touch_install();
    start_peer();
    fd = take_from_peer(2 * RIG_MB + BYTES, 51);
    REQUIRE_EQ(lseek(fd, 123, SEEK_SET), 123);
    it.memory = import(fd, 2 * RIG_MB, BYTES, 0);
    REQUIRE_NE(it.memory, NULL);
    CHECK_EQ(pagemap_memory_bytes(it.memory), BYTES);
    CHECK_NE(strstr(pagemap_memory_report(it.memory), "not sealed"), NULL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 123, "the position is the caller's");
    CHECK_EQ(close(fd), 0);
    REQUIRE_EQ(pagemap_memory_plug(it.memory, DEVICE), 0);
    map_device(&it, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(it.linear[PAGE_SIZE], 51);
    it.linear[PAGE_SIZE] = 52;
    CHECK_EQ(peer_reads(2 * RIG_MB + PAGE_SIZE), 52);
    CHECK_EQ(peer_reads(2 * RIG_MB + PAGE_SIZE + 1), 51);
    CHECK_EQ(ask(PEER_RESIZE, 0, 3 * RIG_MB, 0), 0);
    CHECK_EQ(touch_read(it.linear + RIG_MB - 1, NULL), 0);
    CHECK_EQ(touch_read(it.linear + RIG_MB, NULL), SIGBUS, "the peer took it away");
    tear_down(&it);
}

/* Views and altmaps of a stretch lie at its offset, too, and what is zeroed is not its neighbours'. */
TEST_CASE(export, an_altmap_in_a_stretch)
{
    struct pagemap_memory *memory;
    struct range range = rig_range(DEVICE, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct pagemap_export exported;
    struct address_space file;
    struct page *page;
    unsigned char *view;
    int fd;

    warnings_count();
    touch_install();
    start_peer();
    fd = take_from_peer(RIG_MB + BYTES + RIG_MB, 61);
    memory = import(fd, RIG_MB, BYTES, 0);
    REQUIRE_NE(memory, NULL);
    REQUIRE_EQ(pagemap_memory_plug(memory, DEVICE), 0);
    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(DEVICE), .reserve = 1, .free = 63};
    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, PHYS_PFN(DEVICE) + 64, 8), 0);
    view = vm_mmap(&file, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(view[0], 61);
    view[0] = 62;
    CHECK_EQ(peer_reads(RIG_MB + 64 * PAGE_SIZE), 62);
    REQUIRE_EQ(get_user_pages((uintptr_t)view, 1, 0, &page), 1);
    CHECK_EQ(*(unsigned char *)page_address(page), 62);
    put_page(page);
    REQUIRE_EQ(pagemap_export(DEVICE + 64 * PAGE_SIZE, PAGE_SIZE, 0, &exported), 0);
    CHECK_EQ(exported.offset, RIG_MB + 64 * PAGE_SIZE, "in the peer's file");
    CHECK(!exported.is_sealed);
    (void)close(exported.fd);
    pagemap_export_end(&exported);
    CHECK_EQ(peer_reads(0), 61);
    CHECK_EQ(peer_reads(RIG_MB - 1), 61, "before it");
    CHECK_EQ(peer_reads(RIG_MB), 61, "what is reserved");
    CHECK_EQ(peer_reads(RIG_MB + BYTES), 61, "behind it");
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    CHECK_EQ(peer_reads(RIG_MB - 1), 61);
    CHECK_EQ(peer_reads(RIG_MB + BYTES), 61);
    rig_unplug(memory);
    (void)close(fd);
    CHECK_EQ(warnings_take(), 0);
    end_peer();
}

TEST_CASE(export, descriptors_that_are_refused)
{
    struct pagemap_memory_options superfluous = {.kind = PAGEMAP_MEMFD, .bytes = BYTES, .offset = PAGE_SIZE};
    struct pagemap_memory *memory = NULL;
    char path[32];
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), for_reading, ends[2];

    REQUIRE_GE(fd, 0);
    REQUIRE_EQ(pipe(ends), 0);
    CHECK_EQ(pagemap_memory_create(&superfluous, &memory), -EINVAL);
    CHECK_EQ(import(-1, 0, BYTES, -EBADF), NULL);
    CHECK_EQ(import(ends[0], 0, BYTES, -ENODEV), NULL);
    CHECK_EQ(import(fd, 0, 0, -EINVAL), NULL, "empty");
    REQUIRE_EQ(ftruncate(fd, BYTES), 0);
    CHECK_EQ(import(fd, 0, BYTES + PAGE_SIZE, -EINVAL), NULL);
    CHECK_EQ(import(fd, PAGE_SIZE, BYTES, -EINVAL), NULL);
    CHECK_EQ(import(fd, BYTES, 0, -EINVAL), NULL);
    CHECK_EQ(import(fd, 2 * BYTES, PAGE_SIZE, -EINVAL), NULL);
    CHECK_EQ(import(fd, 1, PAGE_SIZE, -EINVAL), NULL);
    memory = import(fd, BYTES - PAGE_SIZE, 0, 0);
    REQUIRE_NE(memory, NULL);
    CHECK_EQ(pagemap_memory_bytes(memory), PAGE_SIZE, "to its end");
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for_reading = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE_GE(for_reading, 0);
    CHECK_EQ(import(for_reading, 0, BYTES, -EACCES), NULL);
    REQUIRE_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    memory = import(fd, 0, BYTES, 0);
    REQUIRE_NE(memory, NULL);
    CHECK_NE(strstr(pagemap_memory_report(memory), "nobody can shrink it"), NULL);
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    REQUIRE_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    CHECK_EQ(import(fd, 0, BYTES, -EPERM), NULL);
    (void)close(for_reading);
    (void)close(fd);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A file on a disk, handed out and back in: a device over the memory of another. */
TEST_CASE(export, a_file_by_its_descriptor)
{
    char path[] = "/tmp/pagemap_test_XXXXXX";
    struct shared it;
    int fd = mkstemp(path);

    REQUIRE_GE(fd, 0);
    (void)unlink(path);
    REQUIRE_EQ(ftruncate(fd, BYTES), 0);
    REQUIRE_EQ(pwrite(fd, "x", 1, PAGE_SIZE), 1);
    start_peer();
    warnings_count();
    it.memory = import(fd, 0, 0, 0);
    REQUIRE_NE(it.memory, NULL);
    REQUIRE_EQ(pagemap_memory_plug(it.memory, DEVICE), 0);
    map_device(&it, MEMORY_DEVICE_FS_DAX);
    CHECK_EQ(it.linear[PAGE_SIZE], 'x');
    (void)close(fd);
    tear_down(&it);
}
