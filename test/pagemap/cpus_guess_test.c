// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many CPUs get words, by what a system tells of them: the file of possible ones, how many are configured, where
 * this thread may run. fopen(), fclose(), sysconf() and sched_getaffinity() are ours here.
 */
#define _GNU_SOURCE /* RTLD_NEXT, CPU_SET */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "pagemap/percpu_ref.h"
#include "pagemap/percpu_ref/percpu.h"
#include "test/pagemap/child.h"

enum { NOT_TOLD = -1, NOT_TOLD_AT_ALL = -2 }; /* by a system that leaves all ones behind; or nothing */

static const struct machine {
    const char *possible; /* NULL: there is no such file */
    long configured;
    int allowed; /* the highest, or one of the above */
    unsigned expected;
} machines[] = {
    {"0\n", 1, 0, 1},
    {"0-3\n", 1, 0, 4},
    {"0-3,8-11\n", 1, 0, 12},
    {"0-3,8\n", 1, 0, 9},
    {"0,2,5\n", 1, 0, 6},
    {"7\n", 1, 0, 8},
    {"0-1022\n", 1, 0, 1023},
    {"0-1023\n", 1, 0, 1024},
    {"0-1024\n", 1, 0, 1024},
    {"0-8191\n", 1, 0, 1024},
    {"\n", 1, 0, 1},
    {"none\n", 1, 0, 1},
    {"\n", 5, 0, 5},
    {NULL, 1, 0, 1},
    {NULL, 2, 0, 2},
    {NULL, 7, 0, 7},
    {NULL, 1023, 0, 1023},
    {NULL, 1025, 0, 1024},
    {NULL, 0, NOT_TOLD, 1},
    {NULL, -1, NOT_TOLD, 1},
    {NULL, 1, 1, 2},
    {NULL, 1, 9, 10},
    {NULL, 1, 1023, 1024},
    {"0-3\n", 5, 2, 5},
    {"0-5\n", 5, 3, 6},
    {"0-3\n", 2, 9, 10},
    {"0-3\n", 4, 3, 4},
    {"0-4294967295\n", 1, 0, 1024},
    {"4294967295\n", 1, 0, 1024},
    {"0,2-3,7-9,12\n", 1, 0, 13},
    {NULL, 0, NOT_TOLD_AT_ALL, 1},
    {NULL, 3, NOT_TOLD_AT_ALL, 3},
    {NULL, 1, 1022, 1023},
    {NULL, 1024, 0, 1024},
};

static const struct machine *machine;
static FILE *told;
static unsigned opened, closed;

static void find(const char *name, void *next)
{
    *(void **)next = dlsym(RTLD_NEXT, name);
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    FILE *(*next)(const char *, const char *);

    if (machine != NULL && strcmp(path, "/sys/devices/system/cpu/possible") == 0) {
        if (machine->possible != NULL) {
            told = fmemopen((void *)(uintptr_t)machine->possible, strlen(machine->possible), "r");
            opened++;
        }
        return machine->possible != NULL ? told : NULL;
    }
    find("fopen", (void *)&next);
    return next(path, mode);
}

int fclose(FILE *file)
{
    int (*next)(FILE *);

    closed += machine != NULL && file == told;
    find("fclose", (void *)&next);
    return next(file);
}

long sysconf(int name)
{
    long (*next)(int);

    if (machine != NULL && name == _SC_NPROCESSORS_CONF) {
        return machine->configured;
    }
    find("sysconf", (void *)&next);
    return next(name);
}

int sched_getaffinity(pid_t thread, size_t bytes, cpu_set_t *set)
{
    int (*next)(pid_t, size_t, cpu_set_t *);

    if (machine == NULL) {
        find("sched_getaffinity", (void *)&next);
        return next(thread, bytes, set);
    }
    if (machine->allowed < 0 || thread != 0) {
        memset(set, machine->allowed == NOT_TOLD ? 0xff : 0, bytes);
        errno = EINVAL;
        return -1;
    }
    CPU_ZERO_S(bytes, set);
    CPU_SET_S((size_t)machine->allowed, bytes, set);
    return 0;
}

static void one_machine(void)
{
    const struct machine *is = machine;
    struct percpu_ref ref;
    int error = percpu_ref_init(&ref, NULL, 0);

    machine = NULL;
    REQUIRE_EQ(error, 0);
    CHECK_EQ(pm_percpu_cpus, is->expected, "possible %s, configured %ld, allowed %d", is->possible,
             is->configured, is->allowed);
    CHECK_EQ(opened, is->possible != NULL);
    CHECK_EQ(closed, opened);
    percpu_ref_get_many(&ref, 5);
    CHECK_EQ(percpu_ref_count(&ref), 6);
    percpu_ref_put_many(&ref, 5);
    percpu_ref_kill(&ref);
    percpu_ref_exit(&ref);
}

TEST_CASE(cpus_guess, of_each_machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        machine = &machines[i];
        child_run(one_machine);
    }
    machine = NULL;
}
