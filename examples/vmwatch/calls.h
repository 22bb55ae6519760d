// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each system call does to the map. Each function makes the call and has the map follow it; `caller` is the code
 * it was made from, or 0. Their results are the calls'.
 */
#ifndef EXAMPLES_VMWATCH_CALLS_H
#define EXAMPLES_VMWATCH_CALLS_H

#include <stdint.h>

#include "examples/preload/sys.h"

struct region;

typedef long call_fn(long number, const struct sys_args *args, uint64_t caller);

call_fn call_mmap, call_munmap, call_mprotect, call_mremap, call_brk, call_remap_file_pages, call_io_setup;

/* Those that return the address of a mapping whose size the kernel decides, and those that take one of such away. */
call_fn call_placed, call_removed;

/* Before the first call: where the program break is. */
void call_begin(void);

/* The region of what a successful mmap made at `start`; NULL: out of memory. */
struct region *call_region_of_mmap(const struct sys_args *args, uint64_t start, uint64_t caller);

#endif
