// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/view/uffd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/base/cancel.h"
#include "pagemap/base/fault.h"

#if !defined(MADV_DONTNEED_LOCKED)
#define MADV_DONTNEED_LOCKED 24
#endif
#if !defined(UFFD_USER_MODE_ONLY)
#define UFFD_USER_MODE_ONLY 1
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The descriptor belongs to the address space of the process that opened it; a child opens its own. */
static int fd = -1;
static pid_t owner;
static const char *why = "";

/* What is missing, or NULL. *later: it may be there at the next call. */
static const char *open_descriptor(bool *later)
{
    /* USER_MODE_ONLY needs no privilege; accesses by the kernel fail with EFAULT in any case. */
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MINOR_SHMEM};

    if (madvise(NULL, 0, MADV_DONTNEED_LOCKED) != 0) {
        return "madvise(MADV_DONTNEED_LOCKED)";
    }
    fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
        *later = true;
        return "a free file descriptor";
    }
    if (fd < 0) {
        return errno == ENOSYS ? "userfaultfd(2)" : "the permission for userfaultfd(2)";
    }
    if (ioctl(fd, UFFDIO_API, &api) != 0) {
        (void)close(fd);
        fd = -1;
        return "minor faults of shared memory in userfaultfd";
    }
    return NULL;
}

/* The descriptor, or -1; `why` is set. */
static int descriptor(void)
{
    int opened, cancel = pm_cancel_off();
    bool later = false;

    (void)pthread_mutex_lock(&lock);
    if (owner != getpid()) {
        if (fd >= 0) {
            (void)close(fd); /* the parent's */
            fd = -1;
        }
        why = open_descriptor(&later);
        owner = later ? owner : getpid();
    }
    opened = fd;
    (void)pthread_mutex_unlock(&lock);
    pm_cancel_restore(cancel);
    return opened;
}

bool pm_uffd_works(const char **missing)
{
    bool works = descriptor() >= 0;

    *missing = why;
    return works;
}

/* Missing faults too: a page that a hole was punched into is not a minor fault. */
bool pm_uffd_register(void *address, size_t bytes)
{
    struct uffdio_register range = {.range = {(uintptr_t)address, bytes},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR};

    return !pm_fault_here() && ioctl(descriptor(), UFFDIO_REGISTER, &range) == 0;
}

bool pm_uffd_zap(void *address, size_t bytes)
{
    return !pm_fault_here() && madvise(address, bytes, MADV_DONTNEED_LOCKED) == 0;
}
