// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program that is hard to follow: mappings before main, threads that map, protect, move and unmap, signal handlers
 * that map, forks, spawns, libraries that come and go, threads that still run when the process ends. Under
 * libvmwatch.so it asks after each step who owns the address, and fails if the answer is wrong.
 *
 *   churn [--rounds N] [--until FILE]   exits with 0 if every answer was right. Each thread goes N times through all
 *                                       that it does, and on until some signals came in between and there is a FILE
 *   churn --unseen                      maps a page by a system call of its own, which the library cannot see
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "examples/vmwatch/vmwatch.h"

enum { PAGE = 4096, THREADS = 4, PAGES = 16, SIGNALS = 10, PATIENCE_S = 600 };

static vmwatch_owner_fn *ask;
static unsigned wrong, answers, handled;
static unsigned long rounds = 1; /* at least */
static const char *until;        /* NULL: nothing */
static struct timespec begun;
static int file;
static char file_name[] = "/tmp/churn.XXXXXX";

static void check(bool right, const char *what, const void *address)
{
    (void)__atomic_add_fetch(&answers, 1, __ATOMIC_RELAXED);
    if (!right && __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED) < 10) {
        (void)fprintf(stderr, "churn: wrong about %s at %p\n", what, address);
    }
}

/* Whether the owner of `address` is as expected; inode 0: anonymous. */
static void expect(const void *address, int prot, bool from_file, const char *what)
{
    struct vmwatch_owner owner = {0};
    uint64_t key = (uint64_t)(uintptr_t)address;
    int result = ask(address, &owner);
    bool right = result == 0 && owner.start <= key && owner.last >= key && owner.prot == prot &&
                 (owner.inode != 0) == from_file;

    check(right, what, address);
    if (!right) {
        (void)fprintf(stderr,
                      "churn: asked: %d, %#" PRIx64 "-%#" PRIx64 " prot %d inode %" PRIu64 " by %d %s\n",
                      result, owner.start, owner.last, owner.prot, owner.inode, owner.tid, owner.name);
    }
}

static char *map_pages(size_t pages)
{
    char *start = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED) {
        (void)fprintf(stderr, "churn: mmap: %s\n", strerror(errno));
        exit(2);
    }
    return start;
}

/* ---- before main ---- */

static char *before_main;

__attribute__((constructor)) static void map_before_main(void)
{
    before_main = map_pages(3);
    (void)mprotect(before_main + PAGE, PAGE, PROT_READ);
}

/* It has a thread and a caller, so the call was followed: what the kernel said at the start has neither. */
static void check_before_main(void)
{
    struct vmwatch_owner owner;

    check(ask(before_main, &owner) == 0 && owner.tid == gettid() && owner.mapped_by != 0,
          "a mapping made before main", before_main);
    expect(before_main + PAGE, PROT_READ, false, "a page protected before main");
}

/* ---- one thing after the other; no two threads share addresses ---- */

static void churn_anonymous(void)
{
    char *start = map_pages(PAGES), *moved;
    struct vmwatch_owner owner;

    check(ask(start + PAGES * PAGE - 1, &owner) == 0 && owner.tid == gettid() && owner.mapped_by != 0,
          "my mapping", start);
    (void)mprotect(start + 4 * PAGE, 2 * PAGE, PROT_READ);
    expect(start + 3 * PAGE, PROT_READ | PROT_WRITE, false, "below a protected page");
    expect(start + 5 * PAGE, PROT_READ, false, "a protected page");
    expect(start + 6 * PAGE, PROT_READ | PROT_WRITE, false, "above a protected page");
    (void)mprotect(start, PAGES * PAGE, PROT_READ | PROT_WRITE);
    moved = mremap(start, PAGES * PAGE, PAGES * PAGE * 64, MREMAP_MAYMOVE);
    if (moved != MAP_FAILED) {
        expect(moved + PAGES * PAGE * 64 - 1, PROT_READ | PROT_WRITE, false, "a moved page");
        (void)mmap(moved + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        expect(moved + PAGE, PROT_READ, false, "a page put over another");
        (void)munmap(moved, PAGES * PAGE * 64);
    }
}

static void churn_file(void)
{
    char *start = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, file, 3 * PAGE);
    struct vmwatch_owner owner;

    (void)munmap(start, PAGE); /* what is left begins at offset 4 pages */
    check(ask(start + PAGE, &owner) == 0 && owner.shared && owner.offset == 4 * PAGE &&
              strcmp(owner.name, file_name) == 0,
          "a file", start + PAGE);
    (void)munmap(start + PAGE, 3 * PAGE);
}

static void churn_shared_memory(void)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600);
    char *start = id >= 0 ? shmat(id, NULL, 0) : (char *)-1;
    struct vmwatch_owner owner;

    if (id >= 0) {
        (void)shmctl(id, IPC_RMID, NULL);
    }
    if (start != (char *)-1) {
        check(ask(start + 2 * PAGE, &owner) == 0 && owner.shared, "shared memory", start);
        (void)mprotect(start + PAGE, PAGE, PROT_READ);
        (void)shmdt(start);
        check(ask(start + 2 * PAGE, &owner) != 0 || owner.inode != (uint64_t)id, "detached memory", start);
    }
}

static void churn_library(void)
{
    void *library = dlopen("libelf.so.1", RTLD_NOW | RTLD_LOCAL);
    void *function = library != NULL ? dlsym(library, "elf_begin") : NULL;
    struct vmwatch_owner owner;

    if (function != NULL) {
        check(ask(function, &owner) == 0 && strstr(owner.name, "libelf") != NULL &&
                  owner.prot == (PROT_READ | PROT_EXEC),
              "a library", function);
        (void)dlclose(library);
    }
}

static void *ask_about_stack(void *unused)
{
    int local = 0;

    (void)unused;
    expect(&local, PROT_READ | PROT_WRITE, false, "a thread's stack");
    free(malloc(1 << 20));
    return NULL;
}

static void churn_threads(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, 24 << 20); /* too large for libc's cache of stacks */
    if (pthread_create(&thread, &attributes, ask_about_stack, NULL) == 0) {
        (void)pthread_join(thread, NULL);
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_create(&thread, &attributes, ask_about_stack, NULL);
    (void)pthread_attr_destroy(&attributes);
}

/* The child has what the parent had, and goes its own way. */
static void churn_fork(void)
{
    char *start = map_pages(2);
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        expect(start, PROT_READ | PROT_WRITE, false, "the parent's mapping");
        (void)munmap(start, 2 * PAGE);
        churn_anonymous();
        _exit(__atomic_load_n(&wrong, __ATOMIC_RELAXED) != 0);
    }
    expect(start, PROT_READ | PROT_WRITE, false, "a mapping that the child unmapped");
    (void)munmap(start, 2 * PAGE);
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "the child's answers", start);
}

static void churn_spawn(void)
{
    static char name[] = "true";
    char *const arguments[] = {name, NULL}, *const environment[] = {NULL};
    pid_t child;
    int status = 0;

    if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment) == 0) {
        (void)waitpid(child, &status, 0);
    }
    churn_anonymous();
}

/* ---- threads, signals ---- */

static void on_signal(int signal)
{
    char *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int saved = errno;

    (void)signal;
    expect(page, PROT_READ, false, "a signal handler's page");
    expect(&saved, PROT_READ | PROT_WRITE, false, "a signal handler's stack");
    (void)munmap(page, PAGE);
    (void)__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
    errno = saved;
}

static bool is_enough(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - begun.tv_sec > PATIENCE_S ||
           (__atomic_load_n(&handled, __ATOMIC_RELAXED) >= SIGNALS &&
            (until == NULL || access(until, F_OK) == 0));
}

static void *churn(void *number)
{
    static void (*const things[])(void) = {churn_anonymous, churn_file,  churn_shared_memory, churn_library,
                                           churn_threads,   churn_spawn, churn_fork};
    const unsigned count = sizeof things / sizeof *things, first = (unsigned)(uintptr_t)number;

    for (unsigned long turn = 0; turn < rounds * count || !is_enough(); turn++) {
        for (unsigned i = 0; i < 20; i++) {
            churn_anonymous();
            churn_file();
        }
        things[(first + turn) % count]();
    }
    return NULL;
}

/* Goes on until the process is gone. */
static void *churn_for_ever(void *unused)
{
    (void)unused;
    for (;;) {
        churn_anonymous();
        free(malloc(300000));
    }
    return NULL;
}

/* While there is one thread: else somebody else may own the address by now. */
static void check_unmapped(void)
{
    char *start = map_pages(3);
    struct vmwatch_owner owner;

    (void)munmap(start + PAGE, PAGE);
    expect(start, PROT_READ | PROT_WRITE, false, "below a hole");
    check(ask(start + PAGE, &owner) == -ENOENT, "a hole", start + PAGE);
    expect(start + 2 * PAGE, PROT_READ | PROT_WRITE, false, "above a hole");
    (void)munmap(start, 3 * PAGE);
    check(ask(start, &owner) == -ENOENT && ask(NULL, &owner) == -ENOENT, "nothing", start);
}

static void check_kernel(const char *start, size_t pages, const char *what)
{
    struct vmwatch_owner owner;

    for (size_t i = 0; i < pages; i++) {
        const char *page = start + i * PAGE;

        check((ask(page, &owner) == 0) == (msync((void *)(uintptr_t)page, PAGE, MS_ASYNC) == 0), what, page);
    }
}

/*
 * By kernel it fails before or after the target is gone, or when one page has moved, and that which is sealed has not.
 * They stay, so that their protections are compared at the end.
 */
static void check_half_moved(void)
{
    enum { MSEAL = 462 }; /* since Linux 6.10 */

    for (size_t more = 0; more < 2; more++) {
        char *source = map_pages(3), *target = map_pages(3);

        (void)mmap(source + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
        (void)munmap(source + 2 * PAGE, PAGE);
        (void)mprotect(target, 3 * PAGE, PROT_READ);
        (void)syscall(MSEAL, source + PAGE, PAGE, 0);
        (void)mremap(source, 2 * PAGE, (2 + more) * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
        check_kernel(source, 2, "what was to be moved");
        check_kernel(target, 3, "where it was to go");
    }
}

static int churn_all(void)
{
    const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    pthread_t thread[THREADS];

    file = mkstemp(file_name);
    if (file < 0 || ftruncate(file, 16 * PAGE) != 0) {
        return 2;
    }
    check_before_main();
    check_unmapped();
    check_half_moved();
    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    (void)signal(SIGPROF, on_signal);
    (void)setitimer(ITIMER_PROF, &often, NULL);
    for (uintptr_t i = 0; i < THREADS; i++) {
        if (pthread_create(&thread[i], NULL, churn, (void *)i) != 0) {
            return 2;
        }
    }
    (void)printf("churn: begun\n");
    (void)fflush(stdout);
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    (void)setitimer(ITIMER_PROF, &never, NULL);
    (void)unlink(file_name);
    printf("churn: %u answers, %u wrong, %u signals\n", answers, wrong, handled);
    for (unsigned i = 0; i < THREADS; i++) {
        if (pthread_create(&thread[i], NULL, churn_for_ever, NULL) != 0) {
            return 2;
        }
    }
    (void)usleep(1000);
    return wrong != 0 || !is_enough() || handled < SIGNALS;
}

static int map_unseen(void)
{
    register long r10 __asm__("r10") = MAP_PRIVATE | MAP_ANONYMOUS;
    register long r8 __asm__("r8") = -1;
    register long r9 __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(9L), "D"(0L), "S"((long)PAGE), "d"((long)PROT_READ), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result < 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
                                            {"until", required_argument, NULL, 't'},
                                            {"unseen", no_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'u') {
            return map_unseen();
        }
        until = option == 't' ? optarg : until;
        rounds = option == 'r' ? strtoul(optarg, NULL, 10) : rounds;
        if (rounds == 0 || option == '?') {
            (void)fprintf(stderr, "usage: churn [--rounds N] [--until FILE] | --unseen\n");
            return 2;
        }
    }
    *(void **)&ask = dlsym(RTLD_DEFAULT, "vmwatch_owner");
    if (ask == NULL) {
        (void)fprintf(stderr, "churn: to be run by vmwatch\n");
        return 2;
    }
    return churn_all();
}
