// SPDX-License-Identifier: BSD-2-Clause
/*
 * A library that comes and goes: a function that is hot, one that is never called, and a constructor that asks whether
 * the library is known by the time its first code runs. Built with other names, and the two functions the other way
 * round, it is a second one: at the same address it has another name for the same code.
 */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/pcmap/pcmap.h"

uint64_t HOT(uint64_t rounds);
uint64_t IDLE(uint64_t rounds);
extern int plugin_was_known;
int plugin_was_known;

__attribute__((noinline, section(HOT_PLACE))) uint64_t HOT(uint64_t rounds)
{
    volatile uint64_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        sum += i * UINT64_C(0x9e3779b97f4a7c15);
    }
    return sum;
}

__attribute__((noinline, section(IDLE_PLACE))) uint64_t IDLE(uint64_t rounds)
{
    volatile uint64_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        sum += i * UINT64_C(0xbf58476d1ce4e5b9);
    }
    return sum;
}

__attribute__((constructor)) static void on_load(void)
{
    struct pcmap_symbol symbol;
    pcmap_find_fn *find;

    *(void **)&find = dlsym(RTLD_DEFAULT, "pcmap_find");
    plugin_was_known = find != NULL && find((const void *)(uintptr_t)&HOT, &symbol) == 0;
}
