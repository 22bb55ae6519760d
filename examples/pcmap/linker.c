// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/linker.h"

#include <link.h>
#include <stdint.h>
#include <string.h>

#include "examples/preload/code.h"

#if !defined(__x86_64__)
#error "pcmap follows the dynamic linker of x86-64 Linux"
#endif

enum { FUNCTION_BYTES = 16 }; /* with its padding */

static linker_changed_fn *told;

/* In place of the linker's empty function: called as any function in C. */
static void on_change(void)
{
    told(_r_debug.r_state == RT_DELETE);
}

/* The length of the padding instruction there, 0 if it is none. */
static unsigned padding_bytes(const uint8_t *code)
{
    unsigned at = 0;

    while (code[at] == 0x66 || code[at] == 0x2e) { /* prefixes */
        at++;
    }
    if (code[at] == 0x90 || code[at] == 0xcc) {
        return at + 1;
    }
    if (code[at] != 0x0f || code[at + 1] != 0x1f) {
        return 0;
    }
    switch (code[at + 2]) { /* nop with an operand of 0, 1 or 4 bytes */
    case 0x00:
        return at + 3;
    case 0x40:
        return at + 4;
    case 0x44:
        return at + 5;
    case 0x80:
        return at + 7;
    case 0x84:
        return at + 8;
    default:
        return 0;
    }
}

/* Whether it is `ret`, and then padding up to the next function. */
static bool is_empty(const uint8_t *code)
{
    static const uint8_t branch_target[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
    unsigned at = memcmp(code, branch_target, sizeof branch_target) == 0 ? sizeof branch_target : 0;
    unsigned bytes = code[at++] == 0xc3 ? 1 : 0;

    while (at < FUNCTION_BYTES && bytes != 0) {
        bytes = padding_bytes(code + at);
        at += bytes;
    }
    return bytes != 0 && at == FUNCTION_BYTES;
}

const char *linker_follow(linker_changed_fn *changed)
{
    uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; /* to the address behind it */
    uint64_t from = _r_debug.r_brk, to = (uint64_t)(uintptr_t)&on_change;

    if (from == 0 || !is_empty((const uint8_t *)from)) {
        return "the dynamic linker does not look as expected";
    }
    told = changed;
    memcpy(jump + 6, &to, sizeof to);
    return code_write(from, jump, sizeof jump) ? NULL
                                               : "the system does not allow the linker's code to be changed";
}
