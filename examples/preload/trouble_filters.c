// SPDX-License-Identifier: BSD-2-Clause
/* Seccomp filters, as sandboxes put them on. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "examples/preload/trouble.h"

#define LET(number)                                                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL(number)                                                                                         \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static const struct sock_filter load_number =
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));

enum way { BY_SECCOMP, BY_PRCTL, WITH_LISTENER };

/* As programs do to learn what the kernel has, or by mistake. */
static void put_on_nothing(void)
{
    struct sock_fprog nowhere = {1, NULL}, unmapped = {1, (void *)PAGE};

    check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) != 0 && errno == EFAULT,
          "seccomp for nothing");
    check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere) != 0, "seccomp without a program");
    check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &unmapped) != 0 && errno == EFAULT,
          "seccomp for a program that is not there");
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PAGE) != 0 && errno == EFAULT,
          "prctl for a program that is not there");
}

static void put_on(struct sock_filter *filter, size_t count, enum way way)
{
    struct sock_fprog program = {(unsigned short)count, filter};
    long result = -1;

    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    put_on_nothing();
    if (way == BY_PRCTL) {
        result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    } else if (way == WITH_LISTENER) {
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    }
    if (way == BY_SECCOMP || (way == WITH_LISTENER && result < 0)) { /* before Linux 5, or there is one */
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    }
    check(result >= 0, "a filter");
}

/* What a program that has all it needs is left with. */
static void confine(enum way way)
{
    struct sock_filter filter[] = {load_number,         LET(SYS_read),
                                   LET(SYS_write),      LET(SYS_exit),
                                   LET(SYS_exit_group), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};

    put_on(filter, sizeof filter / sizeof *filter, way);
}

void confine_by_seccomp(void)
{
    work(hot_before);
    confine(BY_SECCOMP);
    work(hot_after);
}

void confine_by_prctl(void)
{
    work(hot_before);
    confine(BY_PRCTL);
    work(hot_after);
}

/* Somebody else is to be asked, of whom the kernel gives a descriptor. */
void confine_with_listener(void)
{
    work(hot_before);
    confine(WITH_LISTENER);
    work(hot_after);
}

/* Nothing that matters to anybody. */
void confine_loosely(void)
{
    struct sock_filter filter[] = {load_number, KILL(SYS_ptrace), KILL(SYS_kexec_load),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

    work(hot_before);
    put_on(filter, sizeof filter / sizeof *filter, BY_SECCOMP);
    free(malloc(1 << 20));
    (void)map_pages(5);
    work(hot_after);
}

void confine_strictly(void)
{
    work(hot_before);
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0, "strict mode");
    work(hot_after);
    live();
    (void)syscall(SYS_exit, 0);
}

/* A program starts under it, but for libraries that do what it does not. */
void confine_and_exec(void)
{
    struct sock_filter filter[] = {load_number,
                                   KILL(SYS_getpid),
                                   KILL(SYS_gettid),
                                   KILL(SYS_readlink),
                                   KILL(SYS_timer_create),
                                   KILL(SYS_rt_sigprocmask),
                                   KILL(SYS_rt_sigreturn),
                                   KILL(SYS_pwrite64),
                                   KILL(SYS_madvise),
                                   KILL(SYS_membarrier),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

    put_on(filter, sizeof filter / sizeof *filter, BY_SECCOMP);
    (void)execl("/proc/self/exe", "trouble", "nothing", NULL);
    check(false, "execl");
}

/* systemd's way, where the kernel has none: mprotect() that makes something executable fails. */
void refuse_new_code(void)
{
    const unsigned protection = offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t);
    struct sock_filter filter[] = {load_number,
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
                                   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, protection),
                                   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

    put_on(filter, sizeof filter / sizeof *filter, BY_SECCOMP);
}
