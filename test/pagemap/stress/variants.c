// SPDX-License-Identifier: BSD-2-Clause
/* The variants, each in a child. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/pagemap/child.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/stress/world.h"

static void nothing_short(void)
{
    torture(NULL);
}

TEST_CASE(stress, client_j_torture)
{
    child_run(nothing_short);
}

/* Leaves some. What cannot be had is -ENOMEM; what is to go, goes. */
static void few_mappings(void)
{
    const size_t left = 400 * PAGE_SIZE;
    char *end = split_to_the_limit();

    (void)munmap(end - left, left);
    is_short = true;
    fork_pauses = 1000; /* to copy so many takes long */
    torture(NULL);
}

TEST_CASE(stress, at_the_limit_of_mappings)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs mappings itself");
    }
    child_run(few_mappings);
}

/* Until each driver has done its best once more, or has come to its end. */
static void await_a_cycle(void)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        uint64_t seen = loaded(&drivers[i].cycles);

        while (seen != UINT64_MAX && loaded(&drivers[i].cycles) == seen) {
            (void)usleep(1000);
        }
    }
}

/* When every thread has what it keeps: malloc's arenas, and records. */
static void fill_address_space(void)
{
    await_a_cycle();
    limit(RLIMIT_AS, mapped_bytes() + 48 * RIG_MB);
}

/* The array of all struct pages is address space that is there from the first device on. */
static void little_address_space(void)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);

    CHECK_EQ(rig_try_map(0, 2 * RIG_MB - 1), 0);
    rig_unplug(memory);
    is_short = true;
    torture(fill_address_space);
}

TEST_CASE(stress, in_a_full_address_space)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs address space itself");
    }
    child_run(little_address_space);
}

/* For all threads. Whatever happens after, each call comes back. */
static void forbid_membarrier(void)
{
    (void)usleep(200000);
    (void)__atomic_exchange_n(&forbidden, 1, __ATOMIC_SEQ_CST);
    refuse_all_threads(SYS_membarrier, EPERM);
}

static void sandboxed_later(void)
{
    torture(forbid_membarrier);
}

TEST_CASE(stress, sandboxed_in_the_middle)
{
    if (syscall(SYS_membarrier, 0, 0, 0) <= 0) {
        TEST_SKIP("there is no membarrier(2) to forbid");
    }
    child_run(sandboxed_later);
}

/* Likewise, when no step is armed to fail besides. Revoking closes views then. */
static void forbid_madvise(void)
{
    (void)usleep(100000);
    (void)__atomic_exchange_n(&is_cut_short, 1, __ATOMIC_SEQ_CST);
    await_a_cycle();
    refuse_all_threads(SYS_madvise, EPERM);
}

static void advice_is_refused_later(void)
{
    torture(forbid_madvise);
}

TEST_CASE(stress, advice_is_refused_in_the_middle)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs madvise(2) itself");
    }
    child_run(advice_is_refused_later);
}
