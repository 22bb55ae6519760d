// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program to be profiled. A thread opens and closes two libraries in turn, which land at the same address, and runs
 * the hot function of each; another opens and closes a third all the while; the main thread has a hot function of its
 * own. Under libpcmap.so it asks after each step whose an address is, and fails if the answer is wrong. Work is
 * measured by the CPU time of a thread, so that it brings as many samples on any machine.
 *
 *   rig [--seconds N] ALPHA BETA GAMMA   N: of CPU time for each thread; more until both have been at one address
 *   rig --fork                           works in a child of its own
 *   rig --made                           runs code that it made itself, as a just-in-time compiler does
 *   rig --signal                         has a handler of SIGPROF, and ends by that signal
 */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <iconv.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "examples/pcmap/pcmap.h"

enum { PATIENCE_S = 60, OPENINGS_PER_SWAP = 10 };

uint64_t hot_in_program(uint64_t rounds);
uint64_t hot_in_child(uint64_t rounds);

static pcmap_find_fn *find;
static const char *path[3]; /* alpha, beta, gamma */
static double duration = 1; /* seconds of a thread's CPU time */
static unsigned wrong, answers, swaps, same_place, openings;
static bool stopping;

__attribute__((noinline)) uint64_t hot_in_program(uint64_t rounds)
{
    volatile uint64_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        sum += i;
    }
    return sum;
}

__attribute__((noinline)) uint64_t hot_in_child(uint64_t rounds)
{
    volatile uint64_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        sum ^= i;
    }
    return sum;
}

static double cpu_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void work(uint64_t (*function)(uint64_t), double seconds)
{
    double end = cpu_seconds() + seconds;

    while (cpu_seconds() < end) {
        (void)function(100000);
    }
}

static void check(bool right, const char *what, const struct pcmap_symbol *symbol)
{
    (void)__atomic_add_fetch(&answers, 1, __ATOMIC_RELAXED);
    if (!right && __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED) < 10) {
        (void)fprintf(stderr, "rig: wrong about %s: %s in %s\n", what, symbol->function, symbol->object);
    }
}

/* The address has this name, and its first byte is the function's. */
static void expect(const void *address, const char *function, const char *object)
{
    struct pcmap_symbol symbol = {0, 0, "nothing", "no object"};
    int result = find(address, &symbol);

    check(result == 0 && strcmp(symbol.function, function) == 0 && strcmp(symbol.object, object) == 0 &&
              symbol.start == (uint64_t)(uintptr_t)address,
          function, &symbol);
}

/* What was closed has no name any more; only another library may be there by now. */
static void expect_gone(const void *address, const char *object)
{
    struct pcmap_symbol symbol = {0, 0, "nothing", "no object"};
    int result = find(address, &symbol);

    check(result == -ENOENT || (result == 0 && strcmp(symbol.object, object) != 0), "a closed library",
          &symbol);
}

static void *open_library(const char *file)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    const int *was_known;

    if (library == NULL) {
        (void)fprintf(stderr, "rig: %s\n", dlerror());
        exit(2);
    }
    was_known = dlsym(library, "plugin_was_known");
    check(was_known != NULL && *was_known == 1, "a library whose constructor runs",
          &(struct pcmap_symbol){0});
    return library;
}

/*
 * Opens, asks, works for at least as long as that took, closes, asks. Returns where the library's first function was.
 */
static const void *use(const char *file, const char *hot, const char *idle)
{
    double begun = cpu_seconds(), opened;
    void *library = open_library(file), *hot_address = dlsym(library, hot),
         *idle_address = dlsym(library, idle);
    uint64_t (*function)(uint64_t);

    *(void **)&function = hot_address;
    expect(hot_address, hot, file);
    expect(idle_address, idle, file);
    opened = cpu_seconds() - begun;
    work(function, opened > 0.002 ? opened : 0.002);
    expect(hot_address, hot, file);
    (void)dlclose(library);
    expect_gone(hot_address, file);
    expect_gone(idle_address, file);
    return hot_address < idle_address ? hot_address : idle_address;
}

static void *swap(void *unused)
{
    double end = cpu_seconds() + duration;

    (void)unused;
    while (cpu_seconds() < end || (same_place == 0 && cpu_seconds() < end + PATIENCE_S)) {
        const void *alpha = use(path[0], "alpha_hot", "alpha_idle");
        const void *beta = use(path[1], "beta_hot", "beta_idle");

        (void)__atomic_add_fetch(&swaps, 1, __ATOMIC_RELAXED);
        same_place += alpha == beta;
    }
    return NULL;
}

/* The linker's lock is not fair: left to itself, this thread would keep the other from it. */
static void *open_and_close(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
        void *library = open_library(path[2]);

        expect(dlsym(library, "gamma_hot"), "gamma_hot", path[2]);
        (void)dlclose(library);
        openings++;
        while (openings > OPENINGS_PER_SWAP * (__atomic_load_n(&swaps, __ATOMIC_RELAXED) + 1) &&
               !__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
            (void)usleep(100);
        }
    }
    return NULL;
}

/* Finds the code of the module that libc has loaded for itself. */
static int find_module(struct dl_phdr_info *info, size_t size, void *code)
{
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum && strstr(info->dlpi_name, "ISO8859-15") != NULL; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
            *(uint64_t *)code = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        }
    }
    return 0;
}

/* libc loads a library without a call of dlopen() that could be intercepted. */
static void check_module(void)
{
    struct pcmap_symbol symbol = {0, 0, "nothing", "no object"};
    iconv_t conversion = iconv_open("UTF-8", "ISO-8859-15");
    uint64_t code = 0;

    (void)dl_iterate_phdr(find_module, &code);
    check(code != 0 && find((const void *)(uintptr_t)code, &symbol) == 0 &&
              strstr(symbol.object, "ISO8859-15") != NULL,
          "a module of iconv", &symbol);
    if (conversion != (iconv_t)-1) {
        (void)iconv_close(conversion);
    }
}

static int come_and_go(void)
{
    pthread_t thread[2];

    check_module();
    if (pthread_create(&thread[0], NULL, swap, NULL) != 0 ||
        pthread_create(&thread[1], NULL, open_and_close, NULL) != 0) {
        return 2;
    }
    work(hot_in_program, duration);
    expect((const void *)(uintptr_t)&hot_in_program, "hot_in_program", realpath("/proc/self/exe", NULL));
    (void)pthread_join(thread[0], NULL);
    __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
    (void)pthread_join(thread[1], NULL);
    printf("rig: %u answers, %u wrong; %u swaps, %u at the same address; %u openings beside them\n", answers,
           wrong, swaps, same_place, openings);
    return wrong != 0 || same_place == 0;
}

static int work_in_child(void)
{
    pid_t child = fork();
    int status = 1;

    if (child == 0) {
        work(hot_in_child, duration);
        exit(0);
    }
    work(hot_in_program, duration);
    (void)waitpid(child, &status, 0);
    return child < 0 || status != 0;
}

static int run_made_code(void)
{
    static const uint8_t code[] = {0x48, 0xff, 0xcf, 0x75, 0xfb, 0xc3}; /* 1: dec %rdi; jne 1b; ret */
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t (*function)(uint64_t);

    if (page == MAP_FAILED) {
        return 2;
    }
    memcpy(page, code, sizeof code);
    (void)mprotect(page, 4096, PROT_READ | PROT_EXEC);
    *(void **)&function = page;
    work(function, duration);
    return 0;
}

/* ---- SIGPROF of the program's own ---- */

static unsigned handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

/* Its handler gets its own signals and no others; without a handler it is not ended by a signal that is not its own. */
static int use_signal(void)
{
    sighandler_t before = signal(SIGPROF, on_signal);
    struct sigaction now;

    work(hot_in_program, duration / 2);
    (void)raise(SIGPROF);
    (void)sigaction(SIGPROF, NULL, &now);
    if (handled != 1 || before != SIG_DFL || now.sa_handler != on_signal) {
        (void)fprintf(stderr, "rig: %u signals handled\n", handled);
        return 1;
    }
    (void)signal(SIGPROF, SIG_DFL);
    work(hot_in_program, duration / 2);
    (void)printf("rig: not ended by a tick\n");
    (void)fflush(stdout);
    (void)raise(SIGPROF); /* the end */
    return 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seconds", required_argument, NULL, 's'},
                                            {"fork", no_argument, NULL, 'f'},
                                            {"made", no_argument, NULL, 'm'},
                                            {"signal", no_argument, NULL, 'S'},
                                            {NULL, 0, NULL, 0}};
    int (*action)(void) = come_and_go;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'f') {
            action = work_in_child;
        } else if (option == 'm') {
            action = run_made_code;
        } else if (option == 'S') {
            action = use_signal;
        } else {
            duration = option == 's' ? strtod(optarg, NULL) : 0;
        }
    }
    *(void **)&find = dlsym(RTLD_DEFAULT, "pcmap_find");
    if (find == NULL || duration <= 0 || (action == come_and_go && argc - optind != 3)) {
        (void)fprintf(stderr, "usage: LD_PRELOAD=libpcmap.so rig [--seconds N] ALPHA BETA GAMMA | --fork | "
                              "--made | --signal\n");
        return 2;
    }
    for (int i = 0; i < 3 && action == come_and_go; i++) {
        path[i] = argv[optind + i];
    }
    return action();
}
