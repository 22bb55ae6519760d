// SPDX-License-Identifier: BSD-2-Clause
#include "examples/vmwatch/follow.h"

#include <stddef.h>

#include "examples/vmwatch/calls.h"
#include "examples/vmwatch/space.h"

#if !defined(SYS_map_shadow_stack)
#define SYS_map_shadow_stack 453
#endif

const short follow_numbers[] = {
    SYS_mmap,  SYS_munmap, SYS_mprotect,         SYS_pkey_mprotect, SYS_mremap,     SYS_brk,
    SYS_shmat, SYS_shmdt,  SYS_remap_file_pages, SYS_io_setup,      SYS_io_destroy, SYS_map_shadow_stack,
    -1};

static call_fn *const follow_functions[] = {
    call_mmap,   call_munmap,  call_mprotect,         call_mprotect, call_mremap,  call_brk,
    call_placed, call_removed, call_remap_file_pages, call_io_setup, call_removed, call_placed};

uint64_t follow_calls[sizeof follow_numbers / sizeof *follow_numbers];

long follow_call(long number, const struct sys_args *args, uint64_t caller)
{
    for (unsigned i = 0; follow_numbers[i] >= 0; i++) {
        if (follow_numbers[i] == number) {
            (void)__atomic_fetch_add(&follow_calls[i], 1, __ATOMIC_RELAXED);
            return follow_functions[i](number, args, caller);
        }
    }
    return sys_call(number, args);
}

void follow_own(long number, const struct sys_args *args, long result)
{
    struct region *region;

    if (number == SYS_munmap) {
        space_take(args->a[0], args->a[0] + sys_pages(args->a[1]) - 1);
    } else if (number == SYS_mmap) {
        region = call_region_of_mmap(args, (uint64_t)result, 0);
        if (region != NULL) {
            region->name = "[vmwatch]";
        }
        space_put((uint64_t)result, (uint64_t)result + sys_pages(args->a[1]) - 1, region);
    } else {
        space_ask_kernel(0, UINT64_MAX); /* the map makes no other calls */
    }
}

void follow_seed(void)
{
    call_begin();
    space_ask_kernel(0, UINT64_MAX);
}
