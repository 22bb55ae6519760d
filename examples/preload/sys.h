// SPDX-License-Identifier: BSD-2-Clause
/* System calls as such: not those of libc, which may be redirected to the caller, and without errno. */
#ifndef EXAMPLES_PRELOAD_SYS_H
#define EXAMPLES_PRELOAD_SYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "preloaded libraries know the system calls of x86-64 Linux"
#endif

/* The six argument registers of a system call, in order. */
struct sys_args {
    uint64_t a[6];
};

/* The result as the kernel gives it: -4095..-1 are errors. */
static inline long sys_call(long number, const struct sys_args *args)
{
    register uint64_t r10 __asm__("r10") = args->a[3];
    register uint64_t r8 __asm__("r8") = args->a[4];
    register uint64_t r9 __asm__("r9") = args->a[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(args->a[0]), "S"(args->a[1]), "d"(args->a[2]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long sys3(long number, uint64_t a, uint64_t b, uint64_t c)
{
    return sys_call(number, &(struct sys_args){{a, b, c, 0, 0, 0}});
}

static inline long sys4(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return sys_call(number, &(struct sys_args){{a, b, c, d, 0, 0}});
}

static inline bool sys_failed(long result)
{
    return result < 0 && result >= -4095;
}

#define SYS_INTERRUPTED (-4L) /* -EINTR */

static inline uint64_t sys_bits(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

#define SYS_PAGE UINT64_C(4096)

/* `bytes` rounded up to pages; 0 if that is more than there are. */
static inline uint64_t sys_pages(uint64_t bytes)
{
    return (bytes + SYS_PAGE - 1) & ~(SYS_PAGE - 1);
}

#endif
