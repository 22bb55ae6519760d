// SPDX-License-Identifier: BSD-2-Clause
/* What the library reads in a filter is what the kernel does: random programs, and random calls under each. */
#define _GNU_SOURCE
#include "examples/preload/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/shim/ctest.h"

enum { LENGTH = 24, CALLS = 16, REFUSED = 77 };

static uint64_t state;

static uint32_t random_below(uint32_t limit)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % limit;
}

/* Small, so that comparisons meet. */
static uint32_t random_constant(void)
{
    return random_below(4) == 0 ? random_below(UINT32_MAX) : random_below(8);
}

static struct sock_filter random_load(void)
{
    static const uint16_t codes[] = {
        BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM, BPF_LD | BPF_MEM,        BPF_LDX | BPF_MEM,
        BPF_ST,           BPF_STX,           BPF_LD | BPF_W | BPF_LEN};
    uint32_t memory = random_below(2); /* written at the start: the kernel admits no others */

    if (random_below(2) == 0) { /* of an argument, the low half or the high one */
        return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                            offsetof(struct seccomp_data, args) + 4 * random_below(12));
    }
    uint16_t code = codes[random_below(sizeof codes / sizeof *codes)];

    return (struct sock_filter)BPF_STMT(code, BPF_MODE(code) == BPF_MEM || BPF_CLASS(code) == BPF_ST ||
                                                      BPF_CLASS(code) == BPF_STX
                                                  ? memory
                                                  : random_constant());
}

static struct sock_filter random_step(unsigned left)
{
    static const uint16_t operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                                          BPF_OR,  BPF_XOR, BPF_NEG, BPF_LSH, BPF_RSH};
    static const uint16_t jumps[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    uint16_t source = random_below(2) == 0 ? BPF_K : BPF_X;

    switch (random_below(5)) {
    case 0:
        return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | source | jumps[random_below(4)]),
                                            random_constant(), (uint8_t)random_below(left),
                                            (uint8_t)random_below(left));
    case 1: { /* not by 0, which kills */
        uint16_t operation = operations[random_below(sizeof operations / sizeof *operations)];
        bool is_shift =
            operation == BPF_LSH || operation == BPF_RSH; /* the kernel admits no constant above 31 */

        return (struct sock_filter)BPF_STMT(
            (uint16_t)(BPF_ALU | (operation == BPF_DIV ? BPF_K : source) | operation),
            is_shift ? random_below(32) : random_constant() | 1);
    }
    case 2:
        return (struct sock_filter)BPF_STMT((uint16_t)(BPF_MISC | (random_below(2) == 0 ? BPF_TAX : BPF_TXA)),
                                            0);
    default:
        return random_load();
    }
}

/* getpid() is refused or let pass by what it is called with; all else passes. */
static void make_program(struct sock_filter *code)
{
    unsigned at = 0;

    code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 1, 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_ST, 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_ST, 1);
    while (at < LENGTH - 3) {
        code[at] = random_step(LENGTH - 3 - at);
        at++;
    }
    code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | REFUSED);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

/* In a child: 0 if all is as foreseen, 1 if a call is not, 2 if the kernel takes no such program. */
static int try(const struct sock_fprog *program, unsigned *passed)
{
    struct filter filter = {FILTER_PROGRAM, program};
    struct filter_call calls[CALLS];
    bool foreseen[CALLS];

    for (unsigned i = 0; i < CALLS; i++) {
        calls[i].number = SYS_getpid;
        for (unsigned j = 0; j < 6; j++) {
            calls[i].args.a[j] = (uint64_t)random_constant() << 32 | random_constant();
        }
        foreseen[i] = filter_passes(&filter, &calls[i], 1);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) != 0) {
        return 2;
    }
    for (unsigned i = 0; i < CALLS; i++) {
        bool passes = sys_call(SYS_getpid, &calls[i].args) != -REFUSED;

        *passed += passes;
        if (passes != foreseen[i]) {
            return 1;
        }
    }
    return 0;
}

TEST_CASE(filter, reads_programs_as_the_kernel_does)
{
    unsigned taken = 0, mixed = 0;

    state = test_seed();
    for (unsigned round = 0; round < 300 * test_scale(); round++) {
        struct sock_filter code[LENGTH];
        struct sock_fprog program = {LENGTH, code};
        int status = 0;
        pid_t child;

        make_program(code);
        (void)random_below(2);
        child = fork();
        if (child == 0) {
            unsigned passed = 0;
            int result = try(&program, &passed);

            _exit(result == 0 && passed > 0 && passed < CALLS ? 3 : result);
        }
        REQUIRE_EQ(waitpid(child, &status, 0), child);
        REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) != 1, "round %u: status %#x", round,
                (unsigned)status);
        taken += WEXITSTATUS(status) != 2;
        mixed += WEXITSTATUS(status) == 3;
    }
    if (taken == 0) {
        TEST_SKIP("no filters here");
    }
    CHECK_GE(mixed, 10);
}

TEST_CASE(filter, a_division_by_zero_kills)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
        BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    struct filter filter = {FILTER_PROGRAM, &program};
    struct filter_call call = {SYS_getpid, {{0}}};
    int status = 0;
    pid_t child;

    CHECK(!filter_passes(&filter, &call, 1));
    child = fork();
    if (child == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
            _exit(2);
        }
        (void)sys_call(SYS_getpid, &call.args);
        _exit(1);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 1, "the kernel lets it pass");
}

/* Calls that a random program hardly tells apart. */
TEST_CASE(filter, shifts_are_by_the_lowest_bits)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 33),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    struct filter filter = {FILTER_PROGRAM, &program};
    struct filter_call call = {SYS_getpid, {{3}}};

    CHECK(filter_passes(&filter, &call, 1));
    code[2].code = BPF_ALU | BPF_RSH | BPF_X;
    code[3].k = 1;
    CHECK(filter_passes(&filter, &call, 1));
}

TEST_CASE(filter, a_program_that_is_not_there)
{
    enum { PAGES = 3, CODES = 1024 };
    char *pages = mmap(NULL, PAGES * SYS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sock_filter *code = (void *)(pages + 64);
    struct sock_fprog program = {CODES, code};
    struct filter filter = {FILTER_PROGRAM, &program}, strict = {FILTER_STRICT, NULL};
    struct filter nowhere = {FILTER_PROGRAM, (void *)(pages + 2 * SYS_PAGE - 8)};

    REQUIRE(pages != MAP_FAILED);
    CHECK(filter_is_there(&filter));
    CHECK(filter_is_there(&strict));
    REQUIRE_EQ(mprotect(pages + 2 * SYS_PAGE, SYS_PAGE, PROT_NONE), 0);
    CHECK(!filter_is_there(&filter), "its end");
    CHECK(!filter_is_there(&nowhere));
    program.len = 1;
    CHECK(filter_is_there(&filter));
    program.len = 0;
    CHECK(!filter_is_there(&filter));
    program = (struct sock_fprog){1, NULL};
    CHECK(!filter_is_there(&filter));
    program.filter = (void *)(uintptr_t)(UINT64_MAX - 3);
    CHECK(!filter_is_there(&filter));
    CHECK_EQ(munmap(pages, PAGES * SYS_PAGE), 0);
}

TEST_CASE(filter, what_a_result_says)
{
    struct sys_args plain = {{SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC}};
    struct sys_args listener = {{SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}};
    struct sys_args by_prctl = {{PR_SET_SECCOMP, SECCOMP_FILTER_FLAG_NEW_LISTENER}};

    CHECK(filter_is_on(SYS_seccomp, &plain, 0));
    CHECK(!filter_is_on(SYS_seccomp, &plain, 1234), "a thread that cannot follow");
    CHECK(filter_is_on(SYS_seccomp, &listener, 5));
    CHECK(!filter_is_on(SYS_seccomp, &listener, -EBUSY));
    CHECK(!filter_is_on(SYS_prctl, &by_prctl, 5));
}

static bool passes(const struct filter *filter, long number)
{
    struct filter_call call = {number, {{0}}};

    return filter_passes(filter, &call, 1);
}

TEST_CASE(filter, which_calls_put_one_on)
{
    struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    struct sock_fprog program = {1, &code};
    struct filter strict = {FILTER_STRICT, NULL}, filter;
    struct sys_args by_prctl = {{PR_SET_SECCOMP, SECCOMP_MODE_FILTER, sys_bits(&program)}};
    struct sys_args by_seccomp = {{SECCOMP_SET_MODE_FILTER, 0, sys_bits(&program)}};
    struct sys_args name = {{PR_SET_NAME, sys_bits("name")}}, probe = {{SECCOMP_SET_MODE_FILTER, 0, 0}};
    struct sys_args strictly = {{PR_SET_SECCOMP, SECCOMP_MODE_STRICT}};

    filter = filter_of_call(SYS_prctl, &by_prctl);
    CHECK_EQ(filter.kind, FILTER_PROGRAM);
    CHECK(!passes(&filter, SYS_read));
    filter = filter_of_call(SYS_seccomp, &by_seccomp);
    CHECK_EQ(filter.kind, FILTER_PROGRAM);
    CHECK_EQ(filter_of_call(SYS_prctl, &name).kind, FILTER_NONE);
    CHECK_EQ(filter_of_call(SYS_seccomp, &probe).kind, FILTER_NONE);
    CHECK_EQ(filter_of_call(SYS_getpid, &by_seccomp).kind, FILTER_NONE);
    CHECK_EQ(filter_of_call(SYS_prctl, &strictly).kind, FILTER_STRICT);
    CHECK(passes(&strict, SYS_write));
    CHECK(!passes(&strict, SYS_getpid));
}
