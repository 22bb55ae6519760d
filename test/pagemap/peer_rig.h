// SPDX-License-Identifier: BSD-2-Clause
/* The other process of export_test, from the test's side, and a device whose memory both have. Define _GNU_SOURCE. */
#ifndef PAGEMAP_TEST_PEER_RIG_H
#define PAGEMAP_TEST_PEER_RIG_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "test/pagemap/file_rig.h"
#include "test/pagemap/peer.h"

static const char PEER[] = "test/pagemap/export_peer";

#define DEVICE RIG_GB
#define BYTES (4 * RIG_MB)

/* ---- the other process ---- */

static int peer_socket;
static pid_t peer;

static inline void start_peer(void)
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
static inline void ask_all(struct peer_message *message, int fd, int *back)
{
    REQUIRE(peer_send(peer_socket, message, fd));
    REQUIRE(peer_receive(peer_socket, message, back), "the peer has died");
}

static inline int ask(enum peer_call call, uint64_t offset, uint64_t bytes, uint64_t value)
{
    struct peer_message message = {.call = call, .offset = offset, .bytes = bytes, .value = value};
    int back;

    ask_all(&message, -1, &back);
    return message.signal != 0 ? message.signal : message.error != 0 ? message.error : (int)message.value;
}

static inline int peer_reads(uint64_t offset)
{
    return ask(PEER_READ, offset, 0, 0);
}

static inline void end_peer(void)
{
    struct peer_message message = {.call = PEER_END};
    int status;

    CHECK(peer_send(peer_socket, &message, -1));
    REQUIRE_EQ(waitpid(peer, &status, 0), peer);
    CHECK_EQ(status, 0);
    (void)close(peer_socket);
}

/* Hands [start, start + bytes) to the peer, which maps it; the descriptor is closed here at once. */
static inline int give(phys_addr_t start, uint64_t bytes, unsigned flags, struct pagemap_export *exported)
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

static inline void map_device(struct shared *it, enum memory_type type)
{
    it->range = rig_range(DEVICE, BYTES);
    it->pgmap = rig_pgmap(type, &it->range, 1);
    it->linear = memremap_pages(&it->pgmap, -1);
    REQUIRE(!IS_ERR(it->linear));
}

static inline void set_up(struct shared *it, enum memory_type type)
{
    warnings_count();
    touch_install();
    start_peer();
    it->memory = rig_plug(DEVICE, BYTES);
    map_device(it, type);
}

static inline void tear_down(struct shared *it)
{
    CHECK_EQ(memunmap_pages(&it->pgmap), 0);
    rig_unplug(it->memory);
    CHECK_EQ(warnings_take(), 0);
    end_peer();
}

#endif
