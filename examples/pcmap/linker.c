// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/linker.h"

#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#if !defined(__x86_64__)
#error "pcmap follows the dynamic linker of x86-64 Linux"
#endif

enum { JUMP_BYTES = 5, FUNCTION_BYTES = 16 };

static linker_changed_fn *told;

/* In place of the linker's empty function: called as any function in C. */
static void on_change(void)
{
    told(_r_debug.r_state == RT_DELETE);
}

/* Whether the function does nothing, and nothing else begins within the jump: `ret`, then padding up to 16 bytes. */
static bool is_empty(const uint8_t *code)
{
    static const uint8_t branch_target[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
    unsigned at = memcmp(code, branch_target, sizeof branch_target) == 0 ? sizeof branch_target : 0;

    /* The padding is nops of several bytes, which begin with 0x66, 0x0f, 0x2e or 0x90, or int3. */
    return (uintptr_t)code % FUNCTION_BYTES == 0 && code[at] == 0xc3 && at + 1 < FUNCTION_BYTES &&
           memchr("\x66\x0f\x2e\x90\xcc", code[at + 1], 5) != NULL;
}

/* Through the kernel, which gives the process a page of its own: the code is never writable, and never not executable. */
static bool write_code(uint64_t address, const uint8_t *code, size_t bytes)
{
    int memory = open("/proc/self/mem", O_WRONLY | O_CLOEXEC);
    bool written = memory >= 0 && pwrite(memory, code, bytes, (off_t)address) == (ssize_t)bytes;

    if (memory >= 0) {
        (void)close(memory);
    }
    return written;
}

const char *linker_follow(linker_changed_fn *changed)
{
    uint64_t from = _r_debug.r_brk, to = (uint64_t)(uintptr_t)&on_change;
    int64_t distance = (int64_t)(to - from - JUMP_BYTES);
    uint8_t jump[JUMP_BYTES] = {0xe9};
    int32_t offset = (int32_t)distance;

    if (from == 0 || !is_empty((const uint8_t *)from)) {
        return "the dynamic linker does not look as expected";
    }
    if (distance != offset) {
        return "the dynamic linker is too far away for a jump";
    }
    told = changed;
    memcpy(jump + 1, &offset, sizeof offset);
    return write_code(from, jump, sizeof jump) ? NULL
                                               : "the system does not allow the linker's code to be changed";
}
