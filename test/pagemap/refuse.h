// SPDX-License-Identifier: BSD-2-Clause
/* A system that refuses: system calls, and limits. For children (child.h), since what was refused stays so. */
#ifndef PAGEMAP_TEST_REFUSE_H
#define PAGEMAP_TEST_REFUSE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/types.h"
#include "test/pagemap/child.h"
#include "test/shim/ctest.h"

/* With the flags of seccomp(2). */
static inline void refuse_by(long number, int error, unsigned flags)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    REQUIRE_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    REQUIRE_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program), 0);
}

/* From now on this thread's system call `number` fails with `error`. */
static inline void refuse(long number, int error)
{
    refuse_by(number, error, 0);
}

/* Only where its argument `index`, from 0 on, is `value`, as far as 32 bits tell. */
static inline void refuse_argument(long number, unsigned index, uint32_t value, int error)
{
    const uint32_t argument = (uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    REQUIRE_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    REQUIRE_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), 0);
}

/* The same for all threads that there are. */
static inline void refuse_all_threads(long number, int error)
{
    refuse_by(number, error, SECCOMP_FILTER_FLAG_TSYNC);
}

/* A soft limit. */
static inline void limit(int resource, rlim_t value)
{
    struct rlimit now;

    REQUIRE_EQ(getrlimit((__rlimit_resource_t)resource, &now), 0);
    now.rlim_cur = value < now.rlim_max ? value : now.rlim_max;
    REQUIRE_EQ(setrlimit((__rlimit_resource_t)resource, &now), 0);
}

/*
 * Splits a mapping until the system refuses: every second page differs, so that it joins none. The first page it
 * refused.
 */
static inline char *split_to_the_limit(void)
{
    const size_t pages = 200000;
    char *all = mmap(NULL, pages * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t at = 0;

    REQUIRE_NE((void *)all, MAP_FAILED);
    while (at < pages && mprotect(all + at * PAGE_SIZE, PAGE_SIZE, PROT_READ) == 0) {
        at += 2;
    }
    if (at >= pages) {
        child_skip("vm.max_map_count is too large to reach");
    }
    return all + at * PAGE_SIZE;
}

#endif
