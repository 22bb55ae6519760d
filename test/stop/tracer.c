// SPDX-License-Identifier: BSD-2-Clause
#include "test/stop/tracer.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

static bool wait_for_stop(pid_t thread)
{
    int status;
    pid_t changed;

    do {
        changed = waitpid(thread, &status, __WALL);
    } while (changed < 0 && errno == EINTR);
    return changed == thread && WIFSTOPPED(status);
}

int tracer_attach(pid_t thread)
{
    return ptrace(PTRACE_SEIZE, thread, NULL, NULL) == 0 ? 0 : errno;
}

bool tracer_stop(pid_t thread)
{
    return ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) == 0 && wait_for_stop(thread);
}

bool tracer_step(pid_t thread)
{
    return ptrace(PTRACE_SINGLESTEP, thread, NULL, NULL) == 0 && wait_for_stop(thread);
}

uint64_t tracer_instruction(pid_t thread)
{
    struct user_regs_struct registers;
    struct iovec part = {&registers, sizeof registers};

    if (ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &part) != 0) {
        return 0;
    }
#if defined(__x86_64__)
    return registers.rip;
#else
    return registers.pc;
#endif
}

void tracer_continue(pid_t thread)
{
    (void)ptrace(PTRACE_CONT, thread, NULL, NULL);
}

bool tracer_release_stray(pid_t thread)
{
    int status;

    if (waitpid(thread, &status, __WALL | WNOHANG) != thread || !WIFSTOPPED(status)) {
        return false;
    }
    tracer_continue(thread);
    return true;
}

/* Only a stopped thread can be let go. */
void tracer_detach(pid_t thread)
{
    if (tracer_stop(thread)) {
        (void)ptrace(PTRACE_DETACH, thread, NULL, NULL);
    }
}
