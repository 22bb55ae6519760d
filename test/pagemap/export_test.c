// SPDX-License-Identifier: BSD-2-Clause
/* Device memory handed out to another process, and taken from one, by descriptors through a UNIX socket. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "test/pagemap/file_rig.h"
#include "test/pagemap/peer.h"

static const char PEER[] = "test/pagemap/export_peer";

#define DEVICE RIG_GB
#define BYTES (4 * RIG_MB)

/* ---- the other process ---- */

static int peer_socket;
static pid_t peer;

static void start_peer(void)
{
    int ends[2];
    char number[16];

    REQUIRE_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    (void)snprintf(number, sizeof number, "%d", ends[1]);
    peer = fork();
    if (peer == 0) {
        (void)fcntl(ends[1], F_SETFD, 0);
        (void)execl(PEER, PEER, number, (char *)NULL);
        _exit(127);
    }
    REQUIRE_GT(peer, 0);
    (void)close(ends[1]);
    peer_socket = ends[0];
}

/* Its answer, in *message; *back: a descriptor that came with it. */
static void ask_all(struct peer_message *message, int fd, int *back)
{
    REQUIRE(peer_send(peer_socket, message, fd));
    REQUIRE(peer_receive(peer_socket, message, back), "the peer has died");
}

static int ask(enum peer_call call, uint64_t offset, uint64_t bytes, uint64_t value)
{
    struct peer_message message = {.call = call, .offset = offset, .bytes = bytes, .value = value};
    int back;

    ask_all(&message, -1, &back);
    return message.signal != 0 ? message.signal : message.error != 0 ? message.error : (int)message.value;
}

static int peer_reads(uint64_t offset)
{
    return ask(PEER_READ, offset, 0, 0);
}

static void end_peer(void)
{
    struct peer_message message = {.call = PEER_END};
    int status;

    CHECK(peer_send(peer_socket, &message, -1));
    REQUIRE_EQ(waitpid(peer, &status, 0), peer);
    CHECK_EQ(status, 0);
    (void)close(peer_socket);
}

/* Hands [start, start + bytes) to the peer, who maps it; the descriptor is closed here at once. */
static int give(phys_addr_t start, uint64_t bytes, unsigned flags, struct pagemap_export *exported)
{
    struct peer_message message = {.call = PEER_MAP, .bytes = bytes, .value = PROT_READ | PROT_WRITE};
    int back;

    REQUIRE_EQ(pagemap_export(start, bytes, flags, exported), 0);
    CHECK_EQ(exported->bytes, bytes);
    CHECK_NE(fcntl(exported->fd, F_GETFD) & FD_CLOEXEC, 0);
    message.offset = exported->offset;
    message.value = (flags & PAGEMAP_EXPORT_READ_ONLY) != 0 ? PROT_READ : PROT_READ | PROT_WRITE;
    ask_all(&message, exported->fd, &back);
    CHECK_EQ(close(exported->fd), 0);
    return message.error;
}

/* ---- a device ---- */

struct shared {
    struct pagemap_memory *memory;
    struct range range;
    struct dev_pagemap pgmap;
    unsigned char *linear;
};

static void map_device(struct shared *it, enum memory_type type)
{
    it->range = rig_range(DEVICE, BYTES);
    it->pgmap = rig_pgmap(type, &it->range, 1);
    it->linear = memremap_pages(&it->pgmap, -1);
    REQUIRE(!IS_ERR(it->linear));
}

static void set_up(struct shared *it, enum memory_type type)
{
    warnings_count();
    touch_install();
    start_peer();
    it->memory = rig_plug(DEVICE, BYTES);
    map_device(it, type);
}

static void tear_down(struct shared *it)
{
    CHECK_EQ(memunmap_pages(&it->pgmap), 0);
    rig_unplug(it->memory);
    CHECK_EQ(warnings_take(), 0);
    end_peer();
}

/* ---- out ---- */

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

/* ---- in ---- */

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
