// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program that is hard on libraries that live in it. Each kind does what real programs do to confine, end or multiply
 * themselves, and says "lived" if it got to its end. Usage: trouble KIND [FILE]
 * Where it works, TROUBLE_ROUNDS says how much: the clock cannot be asked under a filter, and machines differ.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examples/preload/trouble.h"

static const char *file_argument;
static uint64_t work_rounds = 1; /* of each function that works */

void live(void)
{
    static const char text[] = "lived\n";

    (void)!write(STDOUT_FILENO, text, sizeof text - 1);
}

void check(bool right, const char *what)
{
    if (!right) {
        (void)fprintf(stderr, "trouble: %s: %s\n", what, strerror(errno));
        exit(2);
    }
}

void *map_pages(size_t pages)
{
    void *start = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check(start != MAP_FAILED, "mmap");
    return start;
}

/* ---- something to find in a profile ---- */

__attribute__((noinline)) uint64_t hot_blocked(uint64_t rounds)
{
    volatile uint64_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        sum += i;
    }
    return sum;
}

__attribute__((noinline)) uint64_t hot_before(uint64_t rounds)
{
    volatile uint64_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        sum ^= i;
    }
    return sum;
}

__attribute__((noinline)) uint64_t hot_after(uint64_t rounds)
{
    volatile uint64_t sum = 1;

    for (uint64_t i = 0; i < rounds; i++) {
        sum *= i | 1;
    }
    return sum;
}

void work(uint64_t (*function)(uint64_t))
{
    (void)function(work_rounds);
}

/* ---- rights, descriptors, limits ---- */

static void drop_rights(void)
{
    pid_t child;
    int status = 1;

    if (geteuid() == 0) {
        check(chroot("/sys") == 0 && chdir("/") == 0, "chroot");
        check((setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0) ||
                  errno == EINVAL, /* a user namespace without that user */
              "setresuid");
    }
    child = fork();
    if (child == 0) {
        exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "fork");
}

/* Sandboxes look whether a way out is left open. */
static void look_for_folders(void)
{
    int status = 1, limit = (int)sysconf(_SC_OPEN_MAX);
    pid_t child = fork();

    for (int fd = 3; fd < limit && fd < 70000; fd++) {
        struct stat file;

        check(fstat(fd, &file) != 0 || !S_ISDIR(file.st_mode), "an open folder");
    }
    if (child == 0) {
        exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child without open folders");
}

static void close_all(void)
{
    live();
    (void)close_range(0, ~0U, 0);
    (void)!open("/dev/null", O_RDWR);
    _exit(0);
}

static void use_up_descriptors(void)
{
    int status = 1;
    pid_t child;

    while (open("/dev/null", O_RDONLY) >= 0) {
    }
    child = fork();
    if (child == 0) {
        exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "fork");
}

/* Half of the address space that it is allowed. */
static void use_limit(void)
{
    struct rlimit limit;
    void *half;

    check(getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY, "no limit: ulimit -v");
    half = malloc(limit.rlim_cur / 4 * 3);
    check(half != NULL, "three quarters of the address space");
    free(half);
}

/* The descriptor of standard error becomes that of a file with the program's data. */
static void replace_stderr(void)
{
    int file = open(file_argument, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    check(file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO && close(file) == 0, file_argument);
    work(hot_before);
}

static void close_stderr(void)
{
    work(hot_before);
    (void)close(STDERR_FILENO);
}

/* More mappings and names of files than a library that notes each has room for; then all change at once. */
static void crowd(void)
{
    enum { MAPPINGS = 60000, FILES = 3000, NAME_BYTES = 200 };
    char *area = map_pages(MAPPINGS), name[4096];

    for (size_t i = 0; i < MAPPINGS; i++) {
        check(mmap(area + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                   0) != MAP_FAILED,
              "mmap");
    }
    for (int i = 0; i < FILES; i++) {
        int fd;

        (void)snprintf(name, sizeof name, "%s%0*d", file_argument, NAME_BYTES, i);
        fd = open(name, O_RDWR | O_CREAT, 0600);
        check(fd >= 0 && mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, name);
        (void)unlink(name);
        (void)close(fd);
    }
    check(mprotect(area, (size_t)MAPPINGS * PAGE, PROT_READ) == 0, "mprotect");
}

/* ---- ends ---- */

static void lose_child(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        work(hot_before);
        (void)raise(SIGKILL);
    }
    check(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status), "a killed child");
}

/*
 * A daemon, with what it was started with closed. It runs until FILE is there, or whoever should make that has
 * failed.
 */
static void leave_child(void)
{
    if (fork() == 0) {
        (void)setsid();
        (void)close_range(0, 2, 0);
        for (unsigned tries = 0; tries < 60000 && access(file_argument, F_OK) != 0; tries++) {
            (void)usleep(10000);
        }
        exit(0);
    }
}

/* As programs are made to be found at their start. */
static void exec_static(void)
{
    live();
    (void)execl("/sbin/ldconfig", "ldconfig", "--version", NULL);
    check(false, "ldconfig");
}

static void exec_dynamic(void)
{
    live();
    (void)execlp("true", "true", NULL);
    check(false, "true");
}

/* What was writable may not become executable, as systemd has it for services. FILE is a script of the shell. */
static void forbid_new_code(void)
{
    enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 }; /* since Linux 6.3 */

    if (prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0) {
        refuse_new_code();
    }
    (void)execl("/bin/sh", "sh", file_argument, NULL);
    check(false, "sh");
}

static void forbid_new_code_by_filter(void)
{
    refuse_new_code();
    (void)execl("/bin/sh", "sh", file_argument, NULL);
    check(false, "sh");
}

/* Not by fork(), so no handler of anybody runs. */
static void fork_raw(void)
{
    int status = 1;
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (child == 0) {
        free(malloc(1 << 20));
        work(hot_after);
        _exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "clone");
    work(hot_before);
}

static void end_at_once(void)
{
    work(hot_before);
    live();
    _exit(0);
}

static void wait_long(void)
{
    work(hot_before);
    live();
    for (;;) {
        (void)pause();
    }
}

static void nothing(void)
{
}

static const struct {
    const char *name;
    void (*action)(void);
} kinds[] = {
    {"nothing", nothing},
    {"share", share},
    {"seccomp", confine_by_seccomp},
    {"prctl", confine_by_prctl},
    {"listener", confine_with_listener},
    {"loose", confine_loosely},
    {"strict", confine_strictly},
    {"confined-exec", confine_and_exec},
    {"block", block},
    {"unseen", work_unseen},
    {"user", change_user},
    {"drop", drop_rights},
    {"folders", look_for_folders},
    {"close", close_all},
    {"exhaust", use_up_descriptors},
    {"limit", use_limit},
    {"crowd", crowd},
    {"replace-stderr", replace_stderr},
    {"close-stderr", close_stderr},
    {"lose", lose_child},
    {"leave", leave_child},
    {"exec-static", exec_static},
    {"exec", exec_dynamic},
    {"no-new-code", forbid_new_code},
    {"no-new-code-filter", forbid_new_code_by_filter},
    {"fork-raw", fork_raw},
    {"fork-raw-malloc", fork_raw_beside_malloc},
    {"end", end_at_once},
    {"wait", wait_long},
};

int main(int argc, char **argv)
{
    file_argument = argc > 2 ? argv[2] : "";
    if (getenv("TROUBLE_ROUNDS") != NULL) {
        work_rounds = strtoull(getenv("TROUBLE_ROUNDS"), NULL, 10);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && argc > 1; i++) {
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].action();
            live();
            return 0;
        }
    }
    (void)fprintf(stderr, "usage: trouble KIND [FILE]\n");
    return 2;
}
