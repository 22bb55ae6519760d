// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words per CPU where the library cannot know the CPUs: a jail without /proc and /sys, numbers with gaps, more than
 * there are words. Two CPUs with one word would lose counts; a CPU without one is merely slower.
 */
#define _GNU_SOURCE /* CPU_SET */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

#include "pagemap/percpu_ref/count.h"
#include "test/pagemap/child.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/rig.h"

enum { THREADS = 2 };

static struct percpu_ref ref;
static uint64_t released;

static void note_release(struct percpu_ref *gone)
{
    (void)gone;
    (void)__atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
}

static bool run_on(unsigned cpu)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

static void make_ref(void)
{
    REQUIRE_EQ(percpu_ref_init(&ref, note_release, PERCPU_REF_ALLOW_REINIT), 0);
}

/* The kill sees every count, and the last put releases, once. */
static void end_ref(void)
{
    CHECK_EQ(percpu_ref_count(&ref), 1, "as many puts as gets");
    percpu_ref_get(&ref);
    percpu_ref_kill(&ref);
    CHECK_EQ(percpu_ref_count(&ref), 1);
    CHECK_EQ(released, 0);
    percpu_ref_put(&ref);
    CHECK_EQ(released, 1);
    CHECK(percpu_ref_is_zero(&ref));
    percpu_ref_exit(&ref);
}

static void *count(void *cpu)
{
    (void)run_on((unsigned)(uintptr_t)cpu);
    for (unsigned i = 0; i < 200000 * test_scale(); i++) {
        percpu_ref_get(&ref);
        percpu_ref_put(&ref);
    }
    return NULL;
}

static void count_on_all_cpus(void)
{
    pthread_t thread[THREADS];

    for (uintptr_t cpu = 0; cpu < THREADS; cpu++) {
        REQUIRE_EQ(pthread_create(&thread[cpu], NULL, count, (void *)cpu), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE_EQ(pthread_join(thread[i], NULL), 0);
    }
}

/* ---- nothing to read, and the first thread pinned, as a main thread of DPDK is ---- */

static void without_proc_and_sys(void)
{
    if (!run_on(1) || !run_on(0)) {
        child_skip("there is one CPU only");
    }
    refuse(SYS_openat, ENOENT);
    make_ref();
    if (sysconf(_SC_NPROCESSORS_CONF) > 1 || pm_percpu_cpus > 1) {
        child_skip("this C library learns of other CPUs in yet another way");
    }
    (void)run_on(1);
    for (unsigned i = 0; i < 1000; i++) {
        percpu_ref_get(&ref);
    }
    CHECK_EQ(*pm_percpu_word(ref.data->words, 0), 0, "CPU 1 left the word of CPU 0 alone");
    CHECK_EQ(percpu_ref_count(&ref), 1001);
    percpu_ref_put_many(&ref, 1000);
    count_on_all_cpus();
    end_ref();
}

TEST_CASE(cpus, unknown_cpus_count_on_the_shared_counter)
{
    child_run(without_proc_and_sys);
}

/* ---- numbers beyond the words ---- */

/* What a CPU beyond them does, on each. The words that were made before stay unused. */
static void beyond_the_words(void)
{
    make_ref();
    percpu_ref_exit(&ref);
    for (unsigned cpus = 0; cpus < 2; cpus++) {
        released = 0;
        pm_percpu_cpus = cpus;
        make_ref();
        count_on_all_cpus();
        end_ref();
    }
}

TEST_CASE(cpus, the_shared_counter_alone_suffices)
{
    child_run(beyond_the_words);
}

/* The same for what is built on it. */
static void devices_beyond_the_words(void)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct pagemap_memory *memory;
    struct page *page;

    warnings_count();
    make_ref();
    percpu_ref_exit(&ref);
    pm_percpu_cpus = 0;
    memory = rig_plug(RIG_GB, 2 * RIG_MB);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    page = pagemap_get_page(PHYS_PFN(RIG_GB));
    REQUIRE_NE(page, NULL);
    CHECK_EQ(pgmap_nr_references(&pgmap), 1);
    CHECK_EQ(kill_dev_pagemap(&pgmap), 0);
    CHECK(rig_finds(PHYS_PFN(RIG_GB), NULL));
    CHECK_EQ(resurrect_dev_pagemap(&pgmap), 0);
    CHECK(rig_finds(PHYS_PFN(RIG_GB), &pgmap));
    put_page(page);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(cpus, devices_on_the_shared_counter)
{
    child_run(devices_beyond_the_words);
}
