// SPDX-License-Identifier: BSD-2-Clause
#include "examples/preload/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

/* ---- which call puts a filter on ---- */

struct filter filter_of_call(long number, const struct sys_args *args)
{
    bool is_prctl = number == SYS_prctl && args->a[0] == PR_SET_SECCOMP, is_seccomp = number == SYS_seccomp;
    uint64_t mode = is_prctl ? args->a[1] : args->a[0], program = is_prctl ? args->a[2] : args->a[2];

    if (is_prctl ? mode == SECCOMP_MODE_STRICT : is_seccomp && mode == SECCOMP_SET_MODE_STRICT) {
        return (struct filter){FILTER_STRICT, NULL};
    }
    /* Without a program the call fails: it is made to learn whether there are filters. */
    if ((is_prctl ? mode == SECCOMP_MODE_FILTER : is_seccomp && mode == SECCOMP_SET_MODE_FILTER) &&
        program >= SYS_PAGE) {
        return (struct filter){FILTER_PROGRAM, (const struct sock_fprog *)(uintptr_t)program};
    }
    return (struct filter){FILTER_NONE, NULL};
}

bool filter_is_on(long number, const struct sys_args *args, long result)
{
    bool has_listener = number == SYS_seccomp && (uint32_t)args->a[0] == SECCOMP_SET_MODE_FILTER &&
                        (args->a[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;

    return result == 0 || (has_listener && result > 0); /* else it may be a thread that cannot follow */
}

/* ---- its program ---- */

enum { WORD = 8 };

/* Whether a word can be read there: this call reads a set of signals, and only then finds that it makes no sense. */
static bool is_word_there(uint64_t at)
{
    return at >= SYS_PAGE && sys4(SYS_rt_sigprocmask, FILTER_NO_SUCH_HOW, at, 0, WORD) != -EFAULT;
}

/* A word of each page will do. */
static bool is_range_there(uint64_t start, uint64_t bytes)
{
    uint64_t end = start + bytes;

    if (start > UINT64_MAX - bytes || !is_word_there(start) || !is_word_there(end - WORD)) {
        return false;
    }
    for (uint64_t at = sys_pages(start); at < end; at += SYS_PAGE) {
        if (!is_word_there(at)) {
            return false;
        }
    }
    return true;
}

bool filter_is_there(const struct filter *filter)
{
    const struct sock_fprog *program = filter->program;

    if (filter->kind != FILTER_PROGRAM) {
        return filter->kind == FILTER_STRICT;
    }
    return is_range_there(sys_bits(program), sizeof *program) && program->len > 0 &&
           program->len <= BPF_MAXINSNS &&
           is_range_there(sys_bits(program->filter), program->len * sizeof *program->filter);
}

/* The machine that programs of classic BPF run on. */
struct machine {
    const struct seccomp_data *data;
    uint32_t a, x, memory[BPF_MEMWORDS];
};

static uint32_t loaded(const struct machine *machine, const struct sock_filter *at)
{
    uint32_t word = 0;

    switch (BPF_MODE(at->code)) {
    case BPF_IMM:
        return at->k;
    case BPF_MEM:
        return at->k < BPF_MEMWORDS ? machine->memory[at->k] : 0;
    case BPF_LEN:
        return sizeof *machine->data;
    default: /* BPF_ABS; the kernel admits words of seccomp_data alone */
        if (at->k <= sizeof *machine->data - sizeof word) {
            memcpy(&word, (const char *)machine->data + at->k, sizeof word);
        }
        return word;
    }
}

static uint32_t computed(uint16_t code, uint32_t a, uint32_t b)
{
    switch (BPF_OP(code)) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return a / b; /* not by 0: see verdict() */
    case BPF_AND:
        return a & b;
    case BPF_OR:
        return a | b;
    case BPF_XOR:
        return a ^ b;
    case BPF_LSH:
        return a << (b & 31);
    case BPF_RSH:
        return a >> (b & 31);
    default: /* BPF_NEG */
        return -a;
    }
}

static bool is_true(uint16_t code, uint32_t a, uint32_t b)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default: /* BPF_JSET */
        return (a & b) != 0;
    }
}

static uint32_t operand(const struct machine *machine, const struct sock_filter *at)
{
    return BPF_SRC(at->code) == BPF_X ? machine->x : at->k;
}

/* One instruction that neither jumps nor returns. */
static void step(struct machine *machine, const struct sock_filter *at)
{
    switch (BPF_CLASS(at->code)) {
    case BPF_LD:
        machine->a = loaded(machine, at);
        break;
    case BPF_LDX:
        machine->x = loaded(machine, at);
        break;
    case BPF_ST:
    case BPF_STX:
        if (at->k < BPF_MEMWORDS) {
            machine->memory[at->k] = BPF_CLASS(at->code) == BPF_ST ? machine->a : machine->x;
        }
        break;
    case BPF_ALU:
        machine->a = computed(at->code, machine->a, operand(machine, at));
        break;
    default: /* BPF_MISC */
        if (BPF_MISCOP(at->code) == BPF_TAX) {
            machine->x = machine->a;
        } else {
            machine->a = machine->x;
        }
    }
}

/* Jumps go forward only, so it ends. */
static uint32_t verdict(const struct sock_fprog *program, const struct seccomp_data *data)
{
    struct machine machine = {.data = data};

    for (uint64_t pc = 0; pc < program->len; pc++) {
        const struct sock_filter *at = &program->filter[pc];

        if (BPF_CLASS(at->code) == BPF_RET) {
            return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
        }
        if (BPF_CLASS(at->code) == BPF_ALU && BPF_OP(at->code) == BPF_DIV && operand(&machine, at) == 0) {
            return SECCOMP_RET_KILL_THREAD; /* the kernel's program returns 0 there */
        }
        if (BPF_CLASS(at->code) != BPF_JMP) {
            step(&machine, at);
        } else if (BPF_OP(at->code) == BPF_JA) {
            pc += at->k;
        } else {
            pc += is_true(at->code, machine.a, operand(&machine, at)) ? at->jt : at->jf;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

static bool program_passes(const struct sock_fprog *program, const struct filter_call *call)
{
    struct seccomp_data data = {.nr = (int)call->number, .arch = AUDIT_ARCH_X86_64};
    uint32_t action;

    memcpy(data.args, call->args.a, sizeof data.args);
    action = verdict(program, &data) & SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

bool filter_passes(const struct filter *filter, const struct filter_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        long number = calls[i].number;

        if (filter->kind == FILTER_PROGRAM && !program_passes(filter->program, &calls[i])) {
            return false;
        }
        if (filter->kind == FILTER_STRICT && number != SYS_read && number != SYS_write &&
            number != SYS_rt_sigreturn) {
            return false;
        }
    }
    return true;
}
