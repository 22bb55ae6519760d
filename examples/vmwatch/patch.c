// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "examples/vmwatch/patch.h"

#include <gnu/libc-version.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#include "examples/preload/code.h"
#include "examples/vmwatch/ending.h"
#include "examples/vmwatch/follow.h"
#include "examples/vmwatch/hook.h"
#include "examples/vmwatch/start.h"

enum {
    SITES = 31,
    GENERIC = SITES,
    STUB_BYTES = 16,
    PATCHED_BYTES = 5,
    NUMBERS = 512,
    SEGMENTS = 4,
    NEAR = 24
};

/* In stub.S and shared with it. */
extern const char patch_stubs[], patch_generic_stub[];
long patch_site_call(uint64_t index, long number, const struct sys_args *args, uint64_t word);
uint64_t patch_returns[SITES + 1]; /* the addresses behind the syscall instructions */

/* 1: redirected. Those that are followed come on top. */
uint8_t patch_numbers[NUMBERS] = {
    [SYS_exit_group] = 1, [SYS_execve] = 1, [SYS_execveat] = 1, [SYS_prctl] = 1, [SYS_seccomp] = 1};

unsigned patch_sites;

static long numbers[SITES];

/* An executable segment of libc or of the linker. */
struct segment {
    uint8_t *start;
    size_t bytes;
};

struct search {
    struct segment segment[SEGMENTS];
    unsigned segments, sites;
    uint8_t *site[SITES + 1];
    bool overflow;
};

static struct search search;

long patch_site_call(uint64_t index, long number, const struct sys_args *args, uint64_t word)
{
    long of_site = index == GENERIC ? number : numbers[index];

    if (!start_is_done()) {
        return sys_call(of_site, args);
    }
    switch (of_site) {
    case SYS_exit_group:
        ending_exit();
        return sys_call(of_site, args);
    case SYS_execve:
    case SYS_execveat:
        return ending_exec(of_site, args);
    case SYS_prctl:
    case SYS_seccomp:
        return ending_confine(of_site, args);
    default:
        break;
    }
    /* mmap's wrapper has no frame: the word at its stack pointer is its return address. */
    return hook_call(of_site, args, of_site == SYS_mmap && index != GENERIC ? word : 0);
}

/* ---- looking for places ---- */

static bool is_number_load(const uint8_t *code, long *number)
{
    *number = code[1] | code[2] << 8;
    return code[0] == 0xb8 && code[3] == 0 && code[4] == 0 && *number < NUMBERS &&
           patch_numbers[*number] != 0;
}

/* syscall(): mov 8(%rsp), %r9 */
static bool is_seventh_argument_load(const uint8_t *code)
{
    return code[0] == 0x4c && code[1] == 0x8b && code[2] == 0x4c && code[3] == 0x24 && code[4] == 0x08;
}

static void scan(struct segment segment)
{
    for (uint8_t *code = segment.start; code + PATCHED_BYTES + 2 <= segment.start + segment.bytes; code++) {
        long number;

        if (code[PATCHED_BYTES] != 0x0f || code[PATCHED_BYTES + 1] != 0x05) {
            continue;
        }
        if (is_number_load(code, &number)) {
            if (search.sites == SITES) {
                search.overflow = true;
                return;
            }
            numbers[search.sites] = number;
            search.site[search.sites++] = code;
        } else if (is_seventh_argument_load(code)) {
            search.overflow |= search.site[GENERIC] != NULL;
            search.site[GENERIC] = code;
        }
    }
}

static bool holds(const struct dl_phdr_info *object, uint64_t address)
{
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];

        if (header->p_type == PT_LOAD && address - object->dlpi_addr - header->p_vaddr < header->p_memsz) {
            return true;
        }
    }
    return false;
}

static int visit_object(struct dl_phdr_info *object, size_t size, void *unused)
{
    uint64_t libc = (uint64_t)(uintptr_t)&gnu_get_libc_version;

    (void)size;
    (void)unused;
    if (!holds(object, libc) && object->dlpi_addr != getauxval(AT_BASE)) {
        return 0;
    }
    for (unsigned i = 0; i < object->dlpi_phnum && search.segments < SEGMENTS; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];

        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
            struct segment segment = {(uint8_t *)(object->dlpi_addr + header->p_vaddr), header->p_memsz};

            search.segment[search.segments++] = segment;
            scan(segment);
        }
    }
    return 0;
}

/* ---- changing them ---- */

static bool reaches(const uint8_t *site, const char *stub)
{
    int64_t distance = (int64_t)(sys_bits(stub) - sys_bits(site) - PATCHED_BYTES);

    return distance == (int32_t)distance;
}

static const char *stub_of(unsigned index)
{
    return index == GENERIC ? patch_generic_stub : patch_stubs + (size_t)index * STUB_BYTES;
}

static bool write_jump(const uint8_t *site, const char *stub)
{
    uint32_t distance = (uint32_t)(sys_bits(stub) - sys_bits(site) - PATCHED_BYTES);
    uint8_t jump[PATCHED_BYTES] = {0xe9};

    memcpy(jump + 1, &distance, sizeof distance);
    return code_write(sys_bits(site), jump, sizeof jump);
}

bool patch_covers(uint64_t address)
{
    for (unsigned i = 0; i < search.segments; i++) {
        if (address - (sys_bits(search.segment[i].start) & ~(SYS_PAGE - 1)) <
            sys_pages(search.segment[i].bytes + SYS_PAGE)) {
            return true;
        }
    }
    return false;
}

/* Whether mov %register, %eax is right in front, or mov $number, %eax not far. */
static bool is_number_near(const uint8_t *call)
{
    if (call[-2] == 0x89 && (call[-1] & 0xc7) == 0xc0) {
        return true;
    }
    for (unsigned back = PATCHED_BYTES; back <= NEAR; back++) {
        const uint8_t *at = call - back;

        if (at[0] == 0xb8 && at[2] < 2 && at[3] == 0 && at[4] == 0) {
            return true;
        }
    }
    return false;
}

bool patch_has_calls(const uint8_t *code, uint64_t bytes)
{
    for (uint64_t i = NEAR; i + 1 < bytes; i++) {
        if (code[i] == 0x0f && code[i + 1] == 0x05 && is_number_near(code + i)) {
            return true;
        }
    }
    return false;
}

const char *patch_begin(void)
{
    for (unsigned i = 0; follow_numbers[i] >= 0; i++) {
        patch_numbers[follow_numbers[i]] = 1;
    }
    (void)dl_iterate_phdr(visit_object, NULL);
    if (search.segments < 2 || search.sites == 0 || search.site[GENERIC] == NULL || search.overflow) {
        return "libc's system calls do not look as expected";
    }
    for (unsigned i = 0; i <= SITES; i++) {
        if (search.site[i] != NULL) {
            patch_returns[i] = sys_bits(search.site[i]) + PATCHED_BYTES + 2;
            patch_sites++;
            if (!reaches(search.site[i], stub_of(i))) {
                return "libc is too far away for a jump";
            }
        }
    }
    for (unsigned i = 0; i <= SITES; i++) {
        if (search.site[i] != NULL && !write_jump(search.site[i], stub_of(i))) {
            return "the system does not allow libc's code to be changed";
        }
    }
    return NULL;
}
