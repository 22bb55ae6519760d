// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words per CPU, each by itself: all CPUs' are cleared, counted and closed, no other is touched, and what is given back
 * is what is got next. Chunks lie between pages that cannot be touched; mmap() and sysconf() are ours here.
 */
#define _GNU_SOURCE /* RTLD_NEXT, sched_getcpu */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/core/domain.h"
#include "pagemap/pagemap.h"
#include "pagemap/percpu_ref/count.h"
#include "test/pagemap/allocated.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/shim/ctest.h"

enum { CPUS = 5, WORDS = PM_PERCPU_UNIT / 8 };

static struct {
    bool guards, refuses; /* chunks are made in the guarded way; or not at all */
    char *below;          /* not NULL: the next chunk ends where the last one began */
    size_t bytes;         /* of the last one */
} fake;

static void *raw_map(void *address, size_t bytes, int prot, int flags)
{
    return (void *)syscall(SYS_mmap, address, bytes, prot, flags, -1, 0);
}

#if !SANITIZED
/* Between two pages that nobody may touch. */
static void *map_guarded(size_t bytes)
{
    const size_t inside = (bytes + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    char *all = raw_map(NULL, inside + 2 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);

    (void)mprotect(all + PAGE_SIZE, inside, PROT_READ | PROT_WRITE);
    return all + PAGE_SIZE;
}

static void *map_chunk(size_t bytes, int prot, int flags, int fd, off_t offset)
{
    CHECK_EQ(prot, PROT_READ | PROT_WRITE);
    CHECK_EQ(flags, MAP_PRIVATE | MAP_ANONYMOUS);
    CHECK_EQ(fd, -1);
    CHECK_EQ(offset, 0);
    fake.bytes = bytes;
    if (fake.refuses) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    if (fake.below != NULL) {
        fake.below -= bytes;
        return raw_map(fake.below, bytes, prot, flags | MAP_FIXED);
    }
    return map_guarded(bytes);
}

void *mmap(void *address, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    void *(*next)(void *, size_t, int, int, int, off_t);

    if ((fake.guards || fake.refuses) && fd < 0 && address == NULL && bytes >= PM_PERCPU_UNIT / 2) {
        return map_chunk(bytes, prot, flags, fd, offset);
    }
    *(void **)&next = dlsym(RTLD_NEXT, "mmap");
    return next(address, bytes, prot, flags, fd, offset);
}

long sysconf(int name)
{
    long (*next)(int);

    if (name == _SC_NPROCESSORS_CONF) {
        return CPUS;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "sysconf");
    return next(name);
}
#endif

static void skip_where_not_ours(void)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer has these calls");
    }
}

/* The first chunk, made here, and with it the number of CPUs. */
static uint64_t *first_words(void)
{
    uint64_t *first;

    REQUIRE_NE(pm_domain(), NULL);
    fake.guards = true;
    first = pm_percpu_alloc();
    fake.guards = false;
    REQUIRE_NE(first, NULL);
    CHECK_GE(pm_percpu_cpus, (unsigned)CPUS);
    CHECK_EQ(fake.bytes, (size_t)PM_PERCPU_UNIT * pm_percpu_cpus);
    return first;
}

static void fill(uint64_t *first, uint64_t value)
{
    for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
        *pm_percpu_word(first, cpu) = value;
    }
}

static void check_words(uint64_t *first, uint64_t value)
{
    for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
        CHECK_EQ(*pm_percpu_word(first, cpu), value, "CPU %u", cpu);
    }
}

/* ---- which words ---- */

/* All of two chunks and one more, apart from each other; and each, given back, is the next one got. */
static void each_is_got_once(void)
{
    static uint64_t *words[2 * WORDS + 1];
    const unsigned all = sizeof words / sizeof *words;

    words[0] = first_words();
    fake.guards = true;
    for (unsigned i = 1; i < all; i++) {
        words[i] = pm_percpu_alloc();
        REQUIRE_NE(words[i], NULL);
    }
    for (unsigned i = 0; i < all; i++) {
        check_words(words[i], 0);
        fill(words[i], i + 1);
    }
    for (unsigned i = 0; i < all; i++) {
        check_words(words[i], i + 1);
    }
    for (unsigned i = 0; i < WORDS; i++) {
        CHECK_EQ(words[i], words[0] + i);
    }
    for (unsigned i = 0; i + 1 < all; i++) { /* the last one: whose chunk has more */
        pm_percpu_free(words[i]);
        pm_percpu_free(NULL);
        fake.bytes = 0;
        for (uint64_t *got = NULL; got != words[i];) { /* after those that are free in the newest chunk */
            got = pm_percpu_alloc();
            REQUIRE(fake.bytes == 0, "word %u is lost", i);
        }
        check_words(words[i], 0);
        fill(words[i], 7);
    }
}

TEST_CASE(percpu_words, each_is_got_once)
{
    skip_where_not_ours();
    child_run(each_is_got_once);
}

/* The first word of a chunk, right behind that of a newer one, is not the newer one's. */
static void where_chunks_border(void)
{
    uint64_t *old, *word;

    pm_percpu_free(first_words());
    for (unsigned i = 0; i < WORDS; i++) {
        REQUIRE_NE(pm_percpu_alloc(), NULL);
    }
    pm_percpu_cpus = 1; /* so that a chunk is no longer than what belongs to one CPU */
    fake.guards = true;
    fake.below = raw_map(NULL, 4 * PM_PERCPU_UNIT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
    fake.below += 3 * PM_PERCPU_UNIT;
    old = pm_percpu_alloc();
    for (unsigned i = 1; i < WORDS; i++) {
        REQUIRE_NE(pm_percpu_alloc(), NULL);
    }
    for (unsigned i = 0; i < WORDS; i++) {
        word = pm_percpu_alloc();
        CHECK_EQ(word, old - WORDS + i);
    }
    pm_percpu_free(old);
    CHECK_EQ(pm_percpu_alloc(), old);
}

TEST_CASE(percpu_words, where_chunks_border)
{
    skip_where_not_ours();
    child_run(where_chunks_border);
}

/* ---- what a reference does with them ---- */

static uint64_t released;

static void note_release(struct percpu_ref *ref)
{
    (void)ref;
    released++;
}

static void words_of_a_reference(void)
{
    struct percpu_ref ref;
    uint64_t *words, sum = 0;

    pm_percpu_free(first_words());
    REQUIRE_EQ(percpu_ref_init(&ref, note_release, PERCPU_REF_ALLOW_REINIT), 0);
    words = ref.data->words;
    for (unsigned round = 0; round < 3; round++) {
        check_words(words, 0);
        for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
            *pm_percpu_word(words, cpu) = cpu + 1;
            sum += cpu + 1;
            CHECK_EQ(percpu_ref_count(&ref), 1 + sum, "CPU %u", cpu);
        }
        CHECK(!percpu_ref_is_zero(&ref));
        percpu_ref_switch_to_atomic_sync(&ref);
        check_words(words, PM_REF_CLOSED);
        CHECK_EQ(percpu_ref_count(&ref), 1 + sum);
        percpu_ref_switch_to_percpu(&ref);
        CHECK_EQ(percpu_ref_count(&ref), 1 + sum);
    }
    fill(words, (uint64_t)0 - 1); /* one put on each */
    CHECK_EQ(percpu_ref_count(&ref), 1 + sum - pm_percpu_cpus);
    percpu_ref_put_many(&ref, sum - pm_percpu_cpus);
    CHECK_EQ(released, 0);
    percpu_ref_kill(&ref);
    CHECK_EQ(released, 1);
    percpu_ref_exit(&ref);
}

TEST_CASE(percpu_words, of_a_reference)
{
    skip_where_not_ours();
    child_run(words_of_a_reference);
}

/* ---- closed words ---- */

static const struct {
    uint64_t word;
    bool is_closed;
} values[] = {
    {0, false},
    {1, false},
    {UINT64_C(1) << 40, false},
    {(uint64_t)0 - 1, false},
    {(uint64_t)0 - (UINT64_C(1) << 40), false},
    {PM_REF_CLOSED / 2 - 9, false},
    {PM_REF_CLOSED / 2 + 9, true},
    {PM_REF_CLOSED - (UINT64_C(1) << 40), true},
    {PM_REF_CLOSED - 1, true},
    {PM_REF_CLOSED, true},
    {PM_REF_CLOSED + (UINT64_C(1) << 40), true},
};

enum { VALUES = sizeof values / sizeof *values };

/* By locked additions: to an open word they go there, to a closed one to the shared counter. */
static void locked_additions(void)
{
    struct percpu_ref ref;
    uint64_t *words, shared;

    pm_percpu_free(first_words());
    pm_restart_is_used = false;
    REQUIRE_EQ(percpu_ref_init(&ref, note_release, PERCPU_REF_ALLOW_REINIT), 0);
    words = ref.data->words;
    shared = ref.data->count;
    CHECK(!pm_ref_was_closed(PM_REF_CLOSED / 2 - 1));
    CHECK(pm_ref_was_closed(PM_REF_CLOSED / 2));
    for (unsigned i = 0; i < VALUES; i++) {
        fill(words, values[i].word);
        CHECK_EQ(pm_ref_was_closed(values[i].word), values[i].is_closed, "%#lx",
                 (unsigned long)values[i].word);
        percpu_ref_get_many(&ref, 5);
        percpu_ref_put_many(&ref, 2);
        shared += values[i].is_closed ? 3 : 0;
        CHECK_EQ(ref.data->count, shared, "%#lx", (unsigned long)values[i].word);
        CHECK_EQ(percpu_ref_count(&ref) << 1,
                 (shared + (values[i].is_closed ? 0 : pm_percpu_cpus * values[i].word + 3)) << 1, "%#lx",
                 (unsigned long)values[i].word);
    }
    fill(words, 0);
    CHECK(percpu_ref_tryget(&ref));
    CHECK(percpu_ref_tryget_live(&ref));
    CHECK_EQ(ref.data->count, shared);
    pm_percpu_cpus = 0; /* no CPU has a word */
    CHECK(percpu_ref_tryget(&ref));
    percpu_ref_put(&ref);
    CHECK_EQ(ref.data->count, shared);
}

TEST_CASE(percpu_words, closed_ones_are_not_counted_in)
{
    skip_where_not_ours();
    child_run(locked_additions);
}

/* ---- without memory ---- */

/* Each step that fails leaves no memory behind, and leaves the next attempt as good as the first. */
static void without_memory(void)
{
    struct percpu_ref ref;
    unsigned step = 0;
    int error;

    REQUIRE_NE(pm_domain(), NULL);
    REQUIRE_EQ(pagemap_barrier(), 0);
    fake.refuses = true;
    allocated_count();
    CHECK_EQ(percpu_ref_init(&ref, NULL, 0), -ENOMEM);
    CHECK_EQ(pm_percpu_alloc(), NULL);
    CHECK_EQ(allocated_stop(), 0, "blocks");
    fake.refuses = false;
    do {
        allocated_count();
        (void)pm_fault_arm(++step);
        error = percpu_ref_init(&ref, NULL, 0);
        CHECK_EQ(allocated_stop(), error == 0 ? 2 : 0, "blocks after step %u", step);
    } while (error == -ENOMEM);
    CHECK_NE(pm_fault_arm(0), 0);
    CHECK_EQ(step, 4u, "its record, its words, their chunk");
    percpu_ref_kill(&ref);
    percpu_ref_exit(&ref);
    REQUIRE_EQ(pagemap_barrier(), 0);
    CHECK_EQ(allocated.nr, 1, "the chunk stays");
}

TEST_CASE(percpu_words, without_memory)
{
    skip_where_not_ours();
    child_run(without_memory);
}
