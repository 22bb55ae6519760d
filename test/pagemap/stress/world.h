// SPDX-License-Identifier: BSD-2-Clause
/*
 * Client sequence J. Readers get and put pagemaps and pages of random pfns, while drivers map, unmap, fail at random
 * steps, kill, resurrect and come back. Each driver has a file, into which it puts pages of each mapping, and views
 * of it, which it maps, revokes, restores and unmaps, while readers pin pages by random addresses in them and ask who
 * holds what. It replaces pages of the file by others. Beside it hardware uses pages that it need not hold, since it
 * is told before they go (hardware.h), by notifiers that come and go. Checked throughout:
 *
 *   - a hit covers its pfn, and is one that its driver has mapped: its magic is there until unmap has returned
 *   - a page that was got keeps its bytes: the word written to it is there when it is put
 *   - when memunmap_pages() has returned, no get finds the driver's pagemap
 *   - no page is pinned through what is revoked or truncated; the file is empty then, whoever had pins
 *   - a page that replaced another is found in its place, pinned and touched through the views that showed the other,
 *     and the other is not; if a step failed, the other is; parts of compound pages are not replaced
 *   - when a call has returned that revokes, truncates, replaces, unmaps, kills or tears down, hardware has nothing of
 *     what went, and uses nothing of it later
 *   - in the end nothing is in use: memory unplugs, altmaps are empty, no warning was given
 *
 * Beside them, in every variant: children are forked, which have no views and no notifiers, and look; signals come at
 * any moment, and their handler gets and puts; the driver waits for readers with and without a limit of time. The
 * variants, each in a child: nothing is short; mappings are nearly used up (vm.max_map_count); the address space is
 * full (RLIMIT_AS); membarrier(2) is forbidden in the middle, after which devices cannot be torn down any more, but
 * everything else goes on and each call ends; or madvise(2) is, after which no device and no view can be made (a view
 * could not be kept from children), and what there is goes.
 *
 * --long, or --scale=N, runs each for longer; --scale=4000 is about an hour. docs/pagemap.md says what it found.
 */
#ifndef PAGEMAP_TEST_STRESS_WORLD_H
#define PAGEMAP_TEST_STRESS_WORLD_H

#include "test/pagemap/rig.h"
#include "test/shim/prng.h"

enum { DRIVERS = 2, READERS = 3, SLOT_MB = 16, CYCLES = 80, MAGIC = 0x600d };
enum { VIEWS = 2, VIEW_PAGES = 64, GUP_PAGES = 8 };
enum {
    FILE_PFNS = 128,
    FILE_PFNS_END = 512
}; /* of the device's pages; those that come into the file. One compound page. */

struct driver {
    struct dev_pagemap pgmap;
    struct range second; /* pgmap.ranges[1] */
    uint64_t magic;      /* MAGIC while get may find pgmap */
    uint64_t is_dead;    /* killed, and not resurrected since */
    uint64_t mapped, failed;
    uint64_t cycles; /* that ended; UINT64_MAX: all */
    struct address_space file;
    uint64_t views[VIEWS];            /* addresses; 0: there is none now */
    uint64_t gone[VIEWS][VIEW_PAGES]; /* 1: it was revoked, and not brought back since */
    uint64_t where[VIEW_PAGES];       /* the pfn that the file has there; 0: none */
    uint64_t failed_file_steps;
    uint64_t replaced, refused; /* pages of the file */
    struct prng prng;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

extern struct driver drivers[DRIVERS];
extern uint64_t forbidden;    /* membarrier(2), from now on */
extern uint64_t is_cut_short; /* no device can be mapped from now on */
extern bool is_short;         /* what a step that fails took may not be had again */
extern uint64_t stop;         /* readers and forks */
extern uint64_t hits, page_hits, gup_hits, gup_misses;
extern uint64_t handled, forked;
extern unsigned fork_pauses; /* of 5 ms, between two forks */

static inline uint64_t loaded(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void store(uint64_t *word, uint64_t value)
{
    (void)__atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static inline void add(uint64_t *word, uint64_t n)
{
    (void)__atomic_fetch_add(word, n, __ATOMIC_SEQ_CST);
}

static inline struct driver *driver_of(struct dev_pagemap *pgmap)
{
    return (struct driver *)(void *)pgmap; /* its first member */
}

/* The word of a page that has its pfn while it is in the file. (The first has the bits of those who use it.) */
static inline uint64_t *label_of(struct page *page)
{
    return (uint64_t *)page_address(page) + 1;
}

/* ---- threads; each ends by itself, the first two when there is a stop ---- */

void *read_randomly(void *number);
void *fork_often(void *unused);
void *drive(void *driver);

/* ---- driver.c ---- */

/* Before any thread of it. */
void set_up_driver(unsigned number);

/* ---- readers.c ---- */

/* Others may have the same page: each adds its bit, and a bit that was set stays until it is taken away. */
void set_bit(struct page *page, uint64_t bit);
void take_bit(struct page *page, uint64_t bit);

/* ---- views.c ---- */

/* Makes one of the next steps fail, or none. Where the system makes them fail, what undoes them must not. */
void arm(struct driver *driver, uint64_t steps);

/* Whether it went well; all that may go wrong is that something ran out. */
bool went_well(struct driver *driver, long error);

/* Pages of the first range, in one or two runs, beyond any altmap. */
void fill_file(struct driver *driver, uint64_t base);

/* Waits for the readers' pins, and those of hardware, which is told. */
void empty_file(struct driver *driver);

void change_views(struct driver *driver);

/* What can be pinned through the view there; NULL: nothing, or there is no such view. */
struct page *shown_page(const struct driver *driver, unsigned number, uint64_t index);

/* Readers still try its addresses for a while, or what comes to lie there. */
void unmap_view(struct driver *driver, unsigned number);

/* ---- replace.c ---- */

/* Some pages of the file by others of the device. */
void replace_pages(struct driver *driver);

/* ---- process.c ---- */

/*
 * A thread's first use of the library, with the signal blocked: a first use may be refused for want of memory, a
 * later one not.
 */
void take_signals(void);

/* The main thread takes no signals, nor do those that it makes until take_signals(). */
void block_signals(void);

void start_signals(void);
void set_timer(long microseconds);

/* ---- torture.c ---- */

/* All of it. `interfere`, if any, runs when all is under way. */
void torture(void (*interfere)(void));

#endif
