// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is said between a test and its peer, a process that has nothing of the library: a vhost-user back-end in
 * small. Each request is answered; a descriptor goes beside it (SCM_RIGHTS).
 */
#ifndef PAGEMAP_TEST_PEER_H
#define PAGEMAP_TEST_PEER_H

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

enum peer_call {
    PEER_MAP,       /* a descriptor, `offset`, `bytes`, `value`: PROT_..; -> an errno */
    PEER_CAN_WRITE, /* -> the errno of mapping the same for writing */
    PEER_RESIZE,    /* ftruncate(2) to `bytes`; -> its errno */
    PEER_SEAL,      /* against writing; -> its errno */
    PEER_READ,      /* the byte at `offset` of what is mapped; -> errno or signal, and the byte */
    PEER_WRITE,     /* `value` at `offset` */
    PEER_UNMAP,     /* and closes the descriptor */
    PEER_OFFER,     /* makes a memfd of `bytes`, whose bytes are `value`, and maps it; -> the descriptor */
    PEER_END
};

struct peer_message {
    enum peer_call call;
    int error, signal;
    uint64_t offset, bytes, value;
};

/* `fd` -1: none. False: the other end has gone. */
static inline int peer_send(int socket, const struct peer_message *message, int fd)
{
    struct iovec part = {(void *)(uintptr_t)message, sizeof *message};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof fd)];
    } control;
    struct msghdr sent = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
        sent.msg_control = &control;
        sent.msg_controllen = sizeof control;
    }
    return sendmsg(socket, &sent, MSG_NOSIGNAL) == (ssize_t)sizeof *message;
}

/* *fd is -1 if none came. */
static inline int peer_receive(int socket, struct peer_message *message, int *fd)
{
    struct iovec part = {message, sizeof *message};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof *fd)];
    } control;
    struct msghdr got = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    const struct cmsghdr *header;

    *fd = -1;
    if (recvmsg(socket, &got, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *message) {
        return 0;
    }
    header = CMSG_FIRSTHDR(&got);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(header), sizeof *fd);
    }
    return 1;
}

#endif
