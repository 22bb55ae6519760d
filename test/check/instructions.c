// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* REG_EFL */
#include "test/check/instructions.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "test/shim/ctest.h"

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

extern const char __executable_start[], etext[];

static volatile uint64_t counted;
static volatile bool is_counting;

static void trapped(int signal_number, siginfo_t *info, void *context)
{
    const greg_t trap = 0x100; /* TF */
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs, *flags = &registers[REG_EFL];
    uintptr_t instruction = (uintptr_t)registers[REG_RIP];

    (void)signal_number, (void)info;
    counted += instruction >= (uintptr_t)__executable_start && instruction < (uintptr_t)etext;
    *flags = is_counting ? *flags | trap : *flags & ~trap;
}

bool instructions_are_counted(void)
{
    return true;
}

uint64_t instructions_of(void (*call)(void *), void *context)
{
    struct sigaction action, before;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = trapped;
    action.sa_flags = SA_SIGINFO;
    REQUIRE_EQ(sigaction(SIGTRAP, &action, &before), 0);
    counted = 0;
    is_counting = true;
    __asm__ volatile("int3" ::: "memory");
    call(context);
    is_counting = false;
    REQUIRE_EQ(sigaction(SIGTRAP, &before, NULL), 0);
    return counted;
}

#else

bool instructions_are_counted(void)
{
    return false;
}

uint64_t instructions_of(void (*call)(void *), void *context)
{
    call(context);
    return 0;
}

#endif
