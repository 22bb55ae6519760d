// SPDX-License-Identifier: BSD-2-Clause
#include "examples/preload/process.h"

#include <linux/mman.h>
#include <stdint.h>

#include "examples/preload/sys.h"

/* In a page that the kernel clears in the child of a fork: 0 there until it is adopted. */
static uint32_t *process;

static uint32_t number(void)
{
    return (uint32_t)sys3(SYS_getpid, 0, 0, 0);
}

bool process_begin(void)
{
    struct sys_args args = {
        {0, SYS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0}};
    long page = sys_call(SYS_mmap, &args);

    if (sys_failed(page)) {
        return false;
    }
    process = (uint32_t *)page;
    process_adopt();
    /* Before Linux 4.14 it is not cleared: then fork() alone is noticed. */
    (void)sys3(SYS_madvise, (uint64_t)page, SYS_PAGE, MADV_WIPEONFORK);
    return true;
}

bool process_is_child(void)
{
    return __atomic_load_n(process, __ATOMIC_RELAXED) == 0;
}

enum process_kind process_kind(void)
{
    if (process_is_child()) {
        return PROCESS_CHILD;
    }
    return __atomic_load_n(process, __ATOMIC_RELAXED) == number() ? PROCESS_OURS : PROCESS_STRANGER;
}

void process_forked(void)
{
    __atomic_store_n(process, 0, __ATOMIC_RELAXED);
}

void process_adopt(void)
{
    __atomic_store_n(process, number(), __ATOMIC_RELAXED);
}
