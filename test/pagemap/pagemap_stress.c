// SPDX-License-Identifier: BSD-2-Clause
/*
 * Client sequence J. Readers get and put pagemaps and pages of random pfns, while drivers map, unmap, fail at
 * random steps, kill, resurrect and come back. Each driver has a file, into which it puts pages of each mapping, and
 * views of it, which it maps, revokes, restores and unmaps, while readers pin pages by random addresses in them and ask
 * who holds what. Checked throughout:
 *
 *   - a hit covers its pfn, and is one that its driver has mapped: its magic is there until unmap has returned
 *   - a page that was got keeps its bytes: the word written to it is there when it is put
 *   - when memunmap_pages() has returned, no get finds the driver's pagemap
 *   - no page is pinned through what is revoked or truncated; the file is empty then, whoever had pins
 *   - in the end nothing is in use: memory unplugs, altmaps are empty, no warning was given
 *
 * Beside them, in every variant: children are forked, which have no views, and look; signals come at any moment, and their
 * handler gets and puts; the driver waits for readers with and without a limit of time. The variants, each in a child:
 * nothing is short; mappings are nearly used up (vm.max_map_count); the address space is full (RLIMIT_AS); membarrier(2) is
 * forbidden in the middle, after which devices cannot be torn down any more, but everything else goes on and each call ends; or
 * madvise(2) is, after which no device and no view can be made (a view could not be kept from children), and what there is goes.
 *
 * --long, or --scale=N, runs each for longer; --scale=4000 is about an hour. docs/pagemap.md says what it found.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/rig.h"
#include "test/shim/prng.h"

enum { DRIVERS = 2, READERS = 3, SLOT_MB = 16, CYCLES = 80, MAGIC = 0x600d };
enum { VIEWS = 2, VIEW_PAGES = 64, GUP_PAGES = 8 };

struct driver {
    struct dev_pagemap pgmap;
    struct range second; /* pgmap.ranges[1] */
    uint64_t magic;      /* MAGIC while get may find pgmap */
    uint64_t mapped, failed;
    uint64_t cycles; /* that ended; UINT64_MAX: all */
    struct address_space file;
    uint64_t views[VIEWS]; /* addresses; 0: there is none now */
    uint64_t failed_file_steps;
    struct prng prng;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static struct driver drivers[DRIVERS];
static uint64_t forbidden;    /* membarrier(2), from now on */
static uint64_t is_cut_short; /* no device can be mapped from now on */
static uint64_t handled, forked;
static unsigned fork_pauses = 1; /* of 5 ms, between two forks */
static uint64_t stop, hits, page_hits, gup_hits, gup_misses;

static uint64_t loaded(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void add(uint64_t *word, uint64_t n)
{
    (void)__atomic_fetch_add(word, n, __ATOMIC_SEQ_CST);
}

static struct driver *driver_of(struct dev_pagemap *pgmap)
{
    return (struct driver *)(void *)pgmap; /* its first member */
}

static bool covers(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    for (unsigned i = 0; i < pgmap->nr_range; i++) {
        if (pgmap->ranges[i].start <= PFN_PHYS(pfn) && PFN_PHYS(pfn) <= pgmap->ranges[i].end) {
            return true;
        }
    }
    return false;
}

static void visit_pagemap(uint64_t pfn)
{
    struct dev_pagemap *pgmap = get_dev_pagemap(pfn, NULL);

    if (pgmap != NULL) {
        add(&hits, 1);
        CHECK_EQ(loaded(&driver_of(pgmap)->magic), MAGIC);
        CHECK(covers(pgmap, pfn));
        pgmap = get_dev_pagemap(pfn ^ 512, pgmap);
        put_dev_pagemap(pgmap);
    }
}

/* Others may have the same page: each adds its bit, and a bit that was set stays until it is taken away. */
static void set_bit(struct page *page, uint64_t bit)
{
    CHECK(pgmap_pfn_valid(page_pgmap(page), page_to_pfn(page)));
    CHECK_EQ(loaded(&driver_of(page_pgmap(page))->magic), MAGIC);
    (void)__atomic_fetch_or((uint64_t *)page_address(page), bit, __ATOMIC_SEQ_CST);
}

static void take_bit(struct page *page, uint64_t bit)
{
    CHECK_NE(__atomic_fetch_and((uint64_t *)page_address(page), ~bit, __ATOMIC_SEQ_CST) & bit, 0);
}

static void visit_page(uint64_t pfn, uint64_t bit)
{
    struct page *page = pagemap_get_page(pfn);

    if (page != NULL) {
        add(&page_hits, 1);
        set_bit(page, bit);
        (void)sched_yield();
        take_bit(page, bit);
        put_page(page);
        (void)sched_yield(); /* without it: see visit_address() */
    }
}

/* The view may be gone, or be another by now: what was pinned is a page of a mapping all the same. */
static void visit_address(struct prng *prng, uint64_t bit)
{
    struct driver *driver = &drivers[prng_below(prng, DRIVERS)];
    uintptr_t start = loaded(&driver->views[prng_below(prng, VIEWS)]);
    unsigned long nr_pages = prng_between(prng, 1, GUP_PAGES);
    bool pin = prng_below(prng, 2) == 0;
    struct page *pages[GUP_PAGES];
    long got;

    if (start == 0) {
        return;
    }
    start += prng_below(prng, VIEW_PAGES) * PAGE_SIZE;
    got = pin ? pin_user_pages(start, nr_pages, FOLL_WRITE, pages)
              : get_user_pages(start, nr_pages, FOLL_WRITE, pages);
    add(got > 0 ? &gup_hits : &gup_misses, 1);
    CHECK(got == -EFAULT || (got > 0 && got <= (long)nr_pages), "%ld", got);
    for (long i = 0; i < got; i++) {
        set_bit(pages[i], bit);
    }
    (void)sched_yield();
    for (long i = 0; i < got; i++) {
        take_bit(pages[i], bit);
        if (pin) {
            unpin_user_page(pages[i]);
        } else {
            put_page(pages[i]);
        }
    }
    /*
     * Who waits until a page is idle must see it idle, and has no precedence over who gets it meanwhile: readers that gave up
     * the processor only while they hold the same compound page would keep it busy for as long as they like.
     */
    (void)sched_yield();
}

static void note_holder(const struct pagemap_holder *holder, void *context)
{
    (void)context;
    CHECK_GT(holder->references, 0);
    CHECK_GT(holder->nr_pages, 0);
}

/*
 * A thread's first use of the library, with the signal blocked: a first use may be refused for want of memory, a later one not.
 */
static void take_signals(void)
{
    sigset_t alarms;

    REQUIRE_EQ(pagemap_read_lock(), 0);
    pagemap_read_unlock();
    (void)sigemptyset(&alarms);
    (void)sigaddset(&alarms, SIGALRM);
    (void)pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
}

static void *read_randomly(void *context)
{
    uint64_t number = (uint64_t)(uintptr_t)context;
    struct prng prng = prng_stream(test_seed(), number);
    const uint64_t pfns = DRIVERS * SLOT_MB * RIG_MB / PAGE_SIZE;

    take_signals();
    while (!loaded(&stop)) {
        uint64_t pfn = prng_below(&prng, pfns);

        switch (prng_below(&prng, 16)) {
        case 0:
            CHECK_GE(pagemap_report_holders(0, PHYSMEM_END, note_holder, NULL), 0);
            break;
        case 1 ... 5:
            visit_pagemap(pfn);
            break;
        case 6 ... 9:
            visit_page(pfn, UINT64_C(1) << number);
            break;
        default:
            visit_address(&prng, UINT64_C(1) << number);
        }
    }
    return NULL;
}

/* One or two ranges of the driver's slot, with an altmap or not, of any type but PRIVATE (which has no bytes). */
static void configure(struct driver *driver, uint64_t base)
{
    static const enum memory_type types[] = {MEMORY_DEVICE_FS_DAX, MEMORY_DEVICE_GENERIC,
                                             MEMORY_DEVICE_PCI_P2PDMA};
    uint64_t split = 2 * RIG_MB * prng_between(&driver->prng, 1, SLOT_MB / 2 - 2);

    struct range first = rig_range(base, split);

    driver->pgmap = rig_pgmap(types[prng_below(&driver->prng, 3)], &first, 1);
    driver->second = rig_range(base + split + 2 * RIG_MB, SLOT_MB * RIG_MB - split - 2 * RIG_MB);
    if (prng_below(&driver->prng, 2) == 0) {
        driver->pgmap.nr_range = 2;
    } else {
        driver->pgmap.flags = PGMAP_ALTMAP_VALID;
        driver->pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(base), .reserve = 1, .free = 127};
    }
    driver->pgmap.vmemmap_shift = (unsigned)prng_below(&driver->prng, 2) * 9;
}

/* ---- the driver's file and its views ---- */

/* Makes one of the next steps fail, or none. Where the system makes them fail, what undoes them must not. */
static void arm(struct driver *driver, uint64_t steps)
{
    unsigned step = (unsigned)prng_below(&driver->prng, steps);

    (void)pm_fault_arm(loaded(&is_cut_short) != 0 ? 0 : step);
}

/* Whether it went well; all that may go wrong is that something ran out. */
static bool went_well(struct driver *driver, long error)
{
    (void)pm_fault_arm(0);
    CHECK(error == 0 || error == -ENOMEM, "%ld", error);
    driver->failed_file_steps += error != 0;
    return error == 0;
}

static void map_view(struct driver *driver, unsigned number)
{
    void *view;

    arm(driver, 12);
    view = vm_mmap(&driver->file, VIEW_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    if (went_well(driver, IS_ERR(view) ? PTR_ERR(view) : 0)) {
        (void)__atomic_exchange_n(&driver->views[number], (uint64_t)(uintptr_t)view, __ATOMIC_SEQ_CST);
    }
}

/* Readers still try its addresses for a while, or what comes to lie there. */
static void unmap_view(struct driver *driver, unsigned number)
{
    uint64_t view = __atomic_exchange_n(&driver->views[number], 0, __ATOMIC_SEQ_CST);

    if (view != 0) {
        CHECK_EQ(vm_munmap((void *)(uintptr_t)view, VIEW_PAGES * PAGE_SIZE), 0);
    }
}

/* Nobody can pin [first, first + nr_pages) through a view: only the driver makes pages present. */
static void check_absent(const struct driver *driver, uint64_t first, uint64_t nr_pages)
{
    struct page *page;

    for (unsigned v = 0; v < VIEWS; v++) {
        for (uint64_t i = first; i < first + nr_pages && driver->views[v] != 0; i++) {
            CHECK_EQ(get_user_pages((uintptr_t)driver->views[v] + i * PAGE_SIZE, 1, 0, &page), -EFAULT);
        }
    }
}

static void change_views(struct driver *driver)
{
    uint64_t first = prng_below(&driver->prng, VIEW_PAGES);
    uint64_t nr_pages = prng_between(&driver->prng, 1, VIEW_PAGES - first);
    unsigned number = (unsigned)prng_below(&driver->prng, VIEWS);

    switch (prng_below(&driver->prng, 3)) {
    case 0:
        unmap_view(driver, number);
        map_view(driver, number);
        break;
    case 1:
        unmap_mapping_pages(&driver->file, first, nr_pages, false);
        check_absent(driver, first, nr_pages);
        break;
    default:
        arm(driver, 6);
        (void)went_well(driver, map_mapping_range(&driver->file, first * PAGE_SIZE, nr_pages * PAGE_SIZE));
    }
}

/* Pages of the first range, in one or two runs, beyond any altmap. */
static void fill_file(struct driver *driver, uint64_t base)
{
    uint64_t pfn = PHYS_PFN(base) + 128 + prng_below(&driver->prng, 200);

    for (uint64_t index = 0; index < VIEW_PAGES; index += VIEW_PAGES / 2) {
        arm(driver, 16);
        (void)went_well(driver, filemap_add_pages(&driver->file, index, pfn + index * 2, VIEW_PAGES / 2));
    }
}

/* Waits for the readers' pins. */
static void empty_file(struct driver *driver)
{
    CHECK_EQ(truncate_inode_pages(&driver->file, 0), 0);
    CHECK_EQ(mapping_nr_pages(&driver->file), 0);
    check_absent(driver, 0, VIEW_PAGES);
}

/* ---- the driver ---- */

static void kill_and_perhaps_resurrect(struct driver *driver, uint64_t base)
{
    int error = kill_dev_pagemap(&driver->pgmap);

    if (error != 0) {
        CHECK(error == -EPERM && loaded(&forbidden) != 0, "%d", error);
        return;
    }
    CHECK(rig_finds(PHYS_PFN(base), NULL));
    if (prng_below(&driver->prng, 2) == 0) { /* called off, whatever is still held */
        CHECK_EQ(resurrect_dev_pagemap(&driver->pgmap), 0);
        CHECK(rig_finds(PHYS_PFN(base), &driver->pgmap));
    }
}

/* At once, or in pieces of time. False: it cannot be done any more. */
static bool take_down(struct driver *driver)
{
    int error = -ETIMEDOUT;

    while (error == -ETIMEDOUT) {
        error = prng_below(&driver->prng, 2) == 0
                    ? memunmap_pages(&driver->pgmap)
                    : memunmap_pages_timeout(&driver->pgmap, (unsigned)prng_below(&driver->prng, 2));
    }
    CHECK(error == 0 || (error == -EPERM && loaded(&forbidden) != 0), "%d", error);
    return error == 0;
}

/* False: the driver can't go on. */
static bool cycle(struct driver *driver, uint64_t base)
{
    int error;

    configure(driver, base);
    (void)__atomic_exchange_n(&driver->magic, MAGIC, __ATOMIC_SEQ_CST);
    arm(driver, 24); /* 0, and beyond the last step: none fails */
    error = rig_map(&driver->pgmap);
    (void)pm_fault_arm(0);
    if (error == 0) {
        driver->mapped++;
        CHECK(rig_finds(PHYS_PFN(base), &driver->pgmap));
        fill_file(driver, base);
        for (uint64_t i = prng_below(&driver->prng, 50); i > 0; i--) {
            if (i % 8 == 0) {
                change_views(driver);
            }
            (void)sched_yield();
        }
        if (prng_below(&driver->prng, 2) == 0) {
            empty_file(driver); /* before the kill, or after it */
        }
        if (prng_below(&driver->prng, 2) == 0) {
            kill_and_perhaps_resurrect(driver, base);
        }
        empty_file(driver);
        if (!take_down(driver)) {
            return false;
        }
    } else {
        driver->failed++;
        CHECK_EQ(error, -ENOMEM);
    }
    (void)__atomic_exchange_n(&driver->magic, 0, __ATOMIC_SEQ_CST);
    CHECK(rig_finds(PHYS_PFN(base), NULL));
    CHECK_EQ(driver->pgmap.altmap.alloc, 0);
    return true;
}

static void *drive(void *context)
{
    struct driver *driver = context;
    uint64_t number = (uint64_t)(driver - drivers);
    bool is_whole = true;
    int error;

    take_signals();
    driver->prng = prng_stream(test_seed(), 100 + number);
    REQUIRE_EQ(address_space_init(&driver->file, "stress", NULL), 0);
    for (unsigned i = 0; i < CYCLES * test_scale() && is_whole; i++) {
        is_whole = cycle(driver, number * SLOT_MB * RIG_MB);
        add(&driver->cycles, 1);
    }
    (void)__atomic_exchange_n(&driver->cycles, UINT64_MAX, __ATOMIC_SEQ_CST);
    for (unsigned v = 0; v < VIEWS; v++) {
        unmap_view(driver, v);
    }
    error = address_space_destroy(&driver->file);
    CHECK(error == 0 || (error == -EPERM && loaded(&forbidden) != 0), "%d", error);
    return NULL;
}

/* ---- what else happens to a process ---- */

/* On any of the threads, at any moment: a get and a put. */
static void visit_in_handler(int signal)
{
    static uint64_t next;
    int before = errno;
    uint64_t pfn = __atomic_fetch_add(&next, 37, __ATOMIC_RELAXED) % (DRIVERS * SLOT_MB * RIG_MB / PAGE_SIZE);
    struct page *page = pagemap_get_page(pfn);

    (void)signal;
    if (page != NULL) {
        put_page(page);
    }
    put_dev_pagemap(get_dev_pagemap(pfn, NULL));
    add(&handled, 1);
    errno = before;
}

static void *fork_often(void *context)
{
    (void)context;
    take_signals();
    while (!loaded(&stop)) {
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            _exit(child_has_views());
        }
        if (child > 0) { /* else memory is short */
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK(status == 0 || loaded(&is_cut_short) != 0, "a child with a view");
            add(&forked, 1);
        }
        for (unsigned i = 0; i < fork_pauses && !loaded(&stop); i++) {
            (void)usleep(5000);
        }
    }
    return NULL;
}

static void set_timer(long microseconds)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};

    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* The main thread takes no signals, nor do those that it makes until take_signals(). */
static void block_signals(void)
{
    sigset_t alarms;

    (void)sigemptyset(&alarms);
    (void)sigaddset(&alarms, SIGALRM);
    (void)pthread_sigmask(SIG_BLOCK, &alarms, NULL);
}

static void start_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = visit_in_handler;
    action.sa_flags = SA_RESTART;
    REQUIRE_EQ(sigaction(SIGALRM, &action, NULL), 0);
    set_timer(500);
}

/* ---- all of it ---- */

static void join_all(const pthread_t *reader, const pthread_t *driver, pthread_t forker)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        (void)pthread_join(driver[i], NULL);
    }
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    set_timer(0);
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(reader[i], NULL);
    }
    if (!SANITIZED) {
        (void)pthread_join(forker, NULL);
        CHECK_GT(forked, 0);
    }
}

static void check_counts(void)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        CHECK_GT(drivers[i].mapped, 0);
        CHECK_GT(drivers[i].failed, 0);
        CHECK_GT(drivers[i].failed_file_steps, 0);
    }
    CHECK_GT(loaded(&hits), 0);
    CHECK_GT(loaded(&page_hits), 0);
    CHECK_GT(loaded(&gup_hits), 0);
    CHECK_GT(loaded(&gup_misses), 0);
    CHECK_GT(loaded(&handled), 0);
}

/* `interfere`, if any, runs when all is under way. */
static void torture(void (*interfere)(void))
{
    struct pagemap_memory *memory = rig_plug(0, DRIVERS * SLOT_MB * RIG_MB);
    pthread_t reader[READERS], driver[DRIVERS], forker = pthread_self();

    warnings_count();
    block_signals();
    for (unsigned i = 0; i < READERS; i++) {
        REQUIRE_EQ(pthread_create(&reader[i], NULL, read_randomly, (void *)(uintptr_t)i), 0);
    }
    for (unsigned i = 0; i < DRIVERS; i++) {
        REQUIRE_EQ(pthread_create(&driver[i], NULL, drive, &drivers[i]), 0);
    }
    start_signals();
    if (!SANITIZED) {
        REQUIRE_EQ(pthread_create(&forker, NULL, fork_often, NULL), 0);
    }
    if (interfere != NULL) {
        interfere();
    }
    join_all(reader, driver, forker);
    if (loaded(&forbidden) == 0) {
        if (loaded(&is_cut_short) == 0) { /* else they may have come to an end too soon */
            check_counts();
        }
        CHECK_EQ(warnings_take(), 0);
        rig_unplug(memory);
    }
}

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
    const size_t pages = 200000, left = 400;
    char *all = mmap(NULL, pages * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t at = 0;

    REQUIRE_NE((void *)all, MAP_FAILED);
    while (at < pages && mprotect(all + at * PAGE_SIZE, PAGE_SIZE, PROT_READ) == 0) {
        at += 2;
    }
    if (at >= pages) {
        child_skip("vm.max_map_count is too large to reach");
    }
    (void)munmap(all + (at - left) * PAGE_SIZE, left * PAGE_SIZE);
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

static void fill_address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    REQUIRE_NE(file, NULL);
    CHECK_EQ(fscanf(file, "%lu", &pages), 1);
    (void)fclose(file);
    limit(RLIMIT_AS, pages * PAGE_SIZE + 48 * RIG_MB);
}

/* The array of all struct pages is address space that is there from the first device on. */
static void little_address_space(void)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);

    CHECK_EQ(rig_try_map(0, 2 * RIG_MB - 1), 0);
    rig_unplug(memory);
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
    for (unsigned i = 0; i < DRIVERS; i++) {
        uint64_t seen = loaded(&drivers[i].cycles);

        while (seen != UINT64_MAX && loaded(&drivers[i].cycles) == seen) {
            (void)usleep(1000);
        }
    }
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
