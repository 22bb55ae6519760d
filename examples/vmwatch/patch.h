// SPDX-License-Identifier: BSD-2-Clause
/*
 * Redirects system calls of libc and of the dynamic linker to hook_call().
 *
 * Functions of libc and of the linker call each other directly, so a preloaded mmap() would see neither malloc's
 * heaps nor thread stacks nor what dlopen maps. All of these go through a few wrappers, where the instructions are
 * "mov $number, %eax; syscall". The five bytes of the first become a jump to a stub.
 */
#ifndef EXAMPLES_VMWATCH_PATCH_H
#define EXAMPLES_VMWATCH_PATCH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * While the process has one thread. NULL, or what is wrong; then nothing is redirected.
 */
const char *patch_begin(void);

/* Whether it is in libc or the dynamic linker, whose calls are redirected. */
bool patch_covers(uint64_t address);

/* Whether instructions like those that make a system call are in this code. */
bool patch_has_calls(const uint8_t *code, uint64_t bytes);

/* How many places were redirected. */
extern unsigned patch_sites;

#endif
