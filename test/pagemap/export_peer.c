// SPDX-License-Identifier: BSD-2-Clause
/* The other process of export_test: does what it is told through the socket that is its argument (peer.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/pagemap/peer.h"

static sigjmp_buf back;
static int fd = -1;
static unsigned char *mapped;
static uint64_t mapped_offset, mapped_bytes;

static void caught(int number)
{
    siglongjmp(back, number);
}

static int errno_if(int failed)
{
    return failed ? errno : 0;
}

static int map(uint64_t offset, uint64_t bytes, int prot)
{
    void *address = mmap(NULL, bytes, prot, MAP_SHARED, fd, (off_t)offset);

    if (address == MAP_FAILED) {
        return errno;
    }
    mapped = address;
    mapped_offset = offset;
    mapped_bytes = bytes;
    return 0;
}

static int can_write(void)
{
    void *address = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)mapped_offset);

    return errno_if(address == MAP_FAILED || munmap(address, mapped_bytes) != 0);
}

static void touch(struct peer_message *message)
{
    int number = sigsetjmp(back, 1);

    message->signal = number;
    if (number == 0 && message->call == PEER_READ) {
        message->value = *(volatile unsigned char *)(mapped + message->offset);
    } else if (number == 0) {
        *(volatile unsigned char *)(mapped + message->offset) = (unsigned char)message->value;
    }
}

static int unmap(void)
{
    int error = errno_if(munmap(mapped, mapped_bytes) != 0);

    mapped = NULL;
    (void)close(fd);
    fd = -1;
    return error;
}

static int offer(uint64_t bytes, uint64_t value)
{
    int error;

    fd = memfd_create("peer", MFD_CLOEXEC);
    error = errno_if(fd < 0 || ftruncate(fd, (off_t)bytes) != 0);
    error = error != 0 ? error : map(0, bytes, PROT_READ | PROT_WRITE);
    if (error == 0) {
        memset(mapped, (int)value, bytes);
    }
    return error;
}

/* The descriptor that goes back, or -1. */
static int serve(struct peer_message *message)
{
    switch (message->call) {
    case PEER_MAP:
        message->error = map(message->offset, message->bytes, (int)message->value);
        break;
    case PEER_CAN_WRITE:
        message->error = can_write();
        break;
    case PEER_RESIZE:
        message->error = errno_if(ftruncate(fd, (off_t)message->bytes) != 0);
        break;
    case PEER_SEAL:
        message->error = errno_if(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0);
        break;
    case PEER_READ:
    case PEER_WRITE:
        touch(message);
        break;
    case PEER_UNMAP:
        message->error = unmap();
        break;
    case PEER_OFFER:
        message->error = offer(message->bytes, message->value);
        return fd;
    case PEER_END:
        exit(0);
    }
    return -1;
}

int main(int argc, char **argv)
{
    int socket = argc > 1 ? atoi(argv[1]) : -1, came;
    struct peer_message message;

    (void)signal(SIGBUS, caught);
    (void)signal(SIGSEGV, caught);
    while (peer_receive(socket, &message, &came)) {
        int back_fd;

        if (came >= 0) {
            fd = came;
        }
        message.error = 0;
        message.signal = 0;
        back_fd = serve(&message);
        if (!peer_send(socket, &message, back_fd)) {
            break;
        }
    }
    return 0;
}
