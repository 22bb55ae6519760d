// SPDX-License-Identifier: BSD-2-Clause
/*
 * Three threads that do everything at once, for ThreadSanitizer to watch, with one memory order taken away.
 *
 *     workload --list            the places in the library where an order can be taken away
 *     workload --site=PLACE      takes it away
 *     workload --broken=RULE     breaks a rule instead: grace, section, claim or poll_scan (test/mutations/rules.h)
 *     workload --start           only what happens once in a process
 *     workload --crowd           the same by more threads than a page of records has places, with more memory than a
 *                                table has
 *     workload --seed=N
 *
 * Ends with 0, or as ThreadSanitizer ends it; with 77 in a build without. One file, so that it is one program to run
 * by hand.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/mutations/rules.h"
#include "test/mutations/weaken.h"
#include "test/shim/prng.h"

#if defined(RM_TSAN)
enum { IS_WATCHED = 1 };
#else
enum { IS_WATCHED = 0 };
#endif

enum {
    THREADS = 3,
    CROWD = 56,
    WATCHERS = 2,
    RESERVED = 40,
    LOOKS = 200,
    LOADED = 400,
    OPERATIONS = 20000,
    KEYS = 160,
    DOMAINS = 40,
    NAME = 256
};

extern struct rm_site __start_rm_sites[], __stop_rm_sites[];

enum rm_rule rm_broken_rule = RM_NO_RULE;

static uint64_t seed = 1;
static bool only_start, is_crowd;
static struct rangemap *maps[2];
static pthread_barrier_t barrier;
static atomic_uint released;

static void fail(const char *what, const char *which)
{
    (void)fprintf(stderr, "%s: %s\n", what, which);
    exit(2);
}

static void must(int result)
{
    if (result != 0) {
        fail("failed", strerror(-result));
    }
}

/* ---- places ---- */

static void name_site(char *name, const struct rm_site *site)
{
    static const char folder[] = "rangemap/";
    const char *file = strstr(site->file, folder);

    (void)snprintf(name, NAME, "%s:%s:%s", file != NULL ? file + strlen(folder) : site->file, site->function,
                   site->access);
}

static void list_sites(void)
{
    for (const struct rm_site *site = __start_rm_sites; site < __stop_rm_sites; site++) {
        char name[NAME];

        name_site(name, site);
        puts(name);
    }
}

/* Those of that name: a function in a header is compiled into several files. */
static void weaken(const char *wanted)
{
    unsigned found = 0;

    for (struct rm_site *site = __start_rm_sites; site < __stop_rm_sites; site++) {
        char name[NAME];

        name_site(name, site);
        if (strcmp(name, wanted) == 0) {
            site->is_weak = 1;
            found++;
        }
    }
    if (found == 0) {
        fail("no such place", wanted);
    }
}

/* ---- work ---- */

static void *value_of(uint64_t number)
{
    return (void *)(uintptr_t)(number % 3 + 1);
}

static void release(void *value, void *context)
{
    (void)value;
    (void)context;
    atomic_fetch_add_explicit(&released, 1, memory_order_relaxed);
}

static void run_deferred(struct rangemap_deferred *deferred, void *context)
{
    (void)context;
    free(deferred);
}

static void defer(struct rangemap_domain *domain)
{
    struct rangemap_deferred *deferred = malloc(sizeof *deferred);

    must(deferred != NULL ? rangemap_domain_defer(domain, deferred, run_deferred, NULL) : -ENOMEM);
}

static void count_displaced(const struct rangemap_entry *entry, void *context)
{
    *(uint64_t *)context += entry->last - entry->start;
}

static void update(struct rangemap *map, struct prng *prng)
{
    uint64_t start = prng_below(prng, KEYS),
             last = start + prng_below(prng, prng_below(prng, 8) == 0 ? 60 : 3);
    void *value = value_of(last);
    uint64_t displaced = 0;

    switch (prng_below(prng, 8)) {
    case 0:
        (void)rangemap_store(map, start, last, value, count_displaced, &displaced);
        break;
    case 1:
        (void)rangemap_carve(map, start, last, count_displaced, &displaced);
        break;
    case 2:
        (void)rangemap_erase(map, start, NULL);
        break;
    case 3:
        (void)rangemap_replace(map, start, last, value, value_of(start), NULL);
        break;
    case 4:
        (void)rangemap_coalesce(map, start, last, NULL, NULL, NULL);
        break;
    case 5:
        (void)rangemap_gap_allocate(
            map, &(struct rangemap_gap_request){.length = 2, .low = start, .high = 2 * KEYS}, value,
            &displaced);
        break;
    default:
        (void)rangemap_insert(map, start, last, value, NULL);
    }
}

static void walk(struct rangemap *map, bool at_once)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    if (at_once) {
        must(rangemap_snapshot_begin(map, &snapshot));
    }
    must(at_once ? rangemap_cursor_init_at(&cursor, &snapshot, 0, UINT64_MAX)
                 : rangemap_cursor_init(&cursor, map, 0, UINT64_MAX));
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
    }
    if (at_once) {
        rangemap_snapshot_end(&snapshot);
    }
}

static void read_map(struct rangemap *map, struct prng *prng)
{
    uint64_t key[4] = {prng_below(prng, KEYS), prng_below(prng, KEYS), prng_below(prng, KEYS), KEYS};
    struct rangemap_entry entry[4];

    switch (prng_below(prng, 8)) {
    case 0:
        (void)rangemap_find_batch(map, key, 4, entry, NULL);
        break;
    case 1:
        (void)rangemap_next(map, key[0], entry);
        break;
    case 2:
        (void)rangemap_is_covered(map, key[0], key[0] + 40);
        break;
    case 3:
        walk(map, key[0] % 2 == 0);
        break;
    case 4:
        (void)rangemap_gap_find(map, &(struct rangemap_gap_request){.length = 3, .high = KEYS}, &key[0]);
        break;
    default:
        (void)rangemap_find(map, key[0], entry);
    }
}

static void inspect(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;
    struct rangemap_blocker blocker;

    must(rangemap_domain_stats(domain, &statistics));
    must(rangemap_domain_blocker(domain, &blocker));
}

/* From outside, without a record: nothing that it does orders it behind those who attach meanwhile. */
static void watch(struct rangemap_domain *domain, unsigned records)
{
    struct rangemap_domain_statistics statistics = {0};

    for (unsigned i = 0; i < LOOKS || statistics.records < records; i++) {
        must(rangemap_domain_stats(domain, &statistics));
    }
}

/* Comes back to a record that another thread may have had meanwhile. */
static void leave_and_return(struct rangemap_domain *domain, struct prng *prng)
{
    must(rangemap_domain_detach(domain));
    (void)usleep((useconds_t)prng_below(prng, 100));
    must(rangemap_domain_attach(domain));
}

static void look_after(struct rangemap_domain *domain, struct prng *prng)
{
    switch (prng_below(prng, 8)) {
    case 0:
        leave_and_return(domain, prng);
        break;
    case 1:
        must(rangemap_domain_synchronize(domain));
        break;
    case 2:
        inspect(domain);
        break;
    case 3:
        defer(domain);
        break;
    default:
        (void)rangemap_domain_poll(domain);
    }
}

static void load_a_map(struct rangemap_domain *domain)
{
    static const struct rangemap_entry entries[] = {{0, 1, NULL}, {2, 3, NULL}, {4, 5, NULL}, {6, 7, NULL}};
    struct rangemap_options options = {.domain = domain};
    struct rangemap *map;

    must(rangemap_create(&options, &map));
    must(rangemap_load(map, entries, sizeof entries / sizeof entries[0], NULL));
    must(rangemap_destroy(map));
}

/* Slabs change hands: whole maps come and go, which share nothing but the pool. */
static void change_slabs(void)
{
    struct rangemap_entry entries[LOADED];
    struct rangemap *map;

    for (unsigned i = 0; i < LOADED; i++) {
        entries[i] = (struct rangemap_entry){2 * i, 2 * i, NULL};
    }
    for (unsigned i = 0; i < DOMAINS; i++) {
        must(rangemap_create(NULL, &map));
        must(rangemap_load(map, entries, LOADED, NULL));
        must(rangemap_destroy(map));
        (void)rangemap_domain_trim(NULL);
    }
}

static void operate(struct prng *prng, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct rangemap *map = maps[prng_below(prng, 2)];
        uint64_t what = prng_below(prng, 64);

        if (what == 0) {
            look_after(rangemap_domain_of(map), prng);
        } else if (what == 1) {
            load_a_map(rangemap_domain_of(map));
        } else if (what < 32) {
            update(map, prng);
        } else {
            read_map(map, prng);
        }
    }
}

static struct rangemap *create_with_domain(void)
{
    struct rangemap_options options = {0};
    struct rangemap *map;

    must(rangemap_domain_create(NULL, &options.domain));
    must(rangemap_create(&options, &map));
    return map;
}

static void destroy_with_domain(struct rangemap *map)
{
    struct rangemap_domain *domain = rangemap_domain_of(map);

    must(rangemap_destroy(map));
    must(rangemap_domain_destroy(domain));
}

/* What a domain has left behind is given back, and taken again, by a thread that knows of its end by that alone. */
static void take_what_is_left(void)
{
    struct rangemap_domain *domain;

    must(rangemap_domain_create(NULL, &domain));
    must(rangemap_domain_attach(domain));
    must(rangemap_domain_destroy(domain));
}

/* Domains that come and go while the threads keep their records. */
static void change_domains(unsigned self, struct prng *prng)
{
    static struct rangemap *map;

    for (unsigned i = 0; i < DOMAINS; i++) {
        if (self == 0) {
            map = create_with_domain();
        }
        (void)pthread_barrier_wait(&barrier);
        if (self == 1) {
            watch(rangemap_domain_of(map), 0);
        }
        for (unsigned j = 0; j < 20; j++) {
            update(map, prng);
            if (self == 1) {
                inspect(rangemap_domain_of(map));
            } else {
                (void)rangemap_domain_poll(rangemap_domain_of(map));
            }
        }
        (void)pthread_barrier_wait(&barrier);
        if (self == 0) {
            destroy_with_domain(map);
        }
        for (unsigned j = 0; j < 4 && self != 0; j++) {
            take_what_is_left();
        }
        for (unsigned j = 0; j < 20; j++) {
            leave_and_return(NULL, prng); /* where they learn that a domain of theirs is gone */
        }
    }
}

/* More than the pool's first table of extents can name. */
static void reserve_at_once(unsigned self)
{
    if (self == 0) {
        must(rangemap_create(NULL, &maps[0]));
    }
    (void)pthread_barrier_wait(&barrier);
    must(rangemap_reserve(maps[0], RESERVED));
    (void)rangemap_domain_poll(NULL);
}

static void *work(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;
    struct prng prng = prng_stream(seed, self);

    (void)pthread_barrier_wait(&barrier);
    if (is_crowd && self < WATCHERS) {
        watch(NULL, CROWD - WATCHERS);
    }
    (void)rangemap_domain_poll(NULL); /* all at once: the default domain, and what a process has once */
    (void)pthread_barrier_wait(&barrier);
    if (is_crowd) {
        reserve_at_once(self);
    }
    if (only_start) {
        return NULL;
    }
    if (self == 0) {
        struct rangemap_options owning = {.release = release, .retain = release, .track_gaps = true};

        must(rangemap_create(NULL, &maps[0]));
        must(rangemap_create(&owning, &maps[1]));
    }
    (void)pthread_barrier_wait(&barrier);
    operate(&prng, OPERATIONS);
    (void)pthread_barrier_wait(&barrier);
    change_domains(self, &prng);
    change_slabs();
    return NULL;
}

static void *update_and_exit(void *map)
{
    struct prng prng = prng_stream(seed, THREADS);

    update(map, &prng);
    (void)pthread_barrier_wait(&barrier);
    return NULL;
}

/* Threads exit while the domain that they have used is destroyed. */
static void exit_beside_destroy(void)
{
    pthread_t thread[THREADS - 1];

    for (unsigned i = 0; i < DOMAINS; i++) {
        struct rangemap *map = create_with_domain();

        for (unsigned j = 0; j < THREADS - 1; j++) {
            must(-pthread_create(&thread[j], NULL, update_and_exit, map));
        }
        (void)pthread_barrier_wait(&barrier);
        destroy_with_domain(map);
        for (unsigned j = 0; j < THREADS - 1; j++) {
            must(-pthread_join(thread[j], NULL));
        }
    }
}

static void run(void)
{
    pthread_t thread[CROWD];
    unsigned threads = is_crowd ? CROWD : THREADS;

    must(-pthread_barrier_init(&barrier, NULL, threads));
    for (uintptr_t i = 0; i < threads; i++) {
        must(-pthread_create(&thread[i], NULL, work, (void *)i));
    }
    for (unsigned i = 0; i < threads; i++) {
        must(-pthread_join(thread[i], NULL));
    }
    if (!only_start) {
        exit_beside_destroy();
        must(rangemap_destroy(maps[0]));
        must(rangemap_destroy(maps[1]));
    }
}

static void break_rule(const char *name)
{
    static const struct {
        const char *name;
        enum rm_rule rule;
    } rules[] = {
        {"grace", RM_GRACE}, {"section", RM_SECTION}, {"claim", RM_CLAIM}, {"poll_scan", RM_POLL_SCAN}};

    for (unsigned i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            rm_broken_rule = rules[i].rule;
            return;
        }
    }
    fail("no such rule", name);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *text = strchr(argv[i], '=');

        text = text != NULL ? text + 1 : "";
        if (strcmp(argv[i], "--list") == 0) {
            list_sites();
            return 0;
        }
        if (strncmp(argv[i], "--site=", 7) == 0) {
            weaken(text);
        } else if (strncmp(argv[i], "--broken=", 9) == 0) {
            break_rule(text);
        } else if (strcmp(argv[i], "--start") == 0) {
            only_start = true;
        } else if (strcmp(argv[i], "--crowd") == 0) {
            only_start = is_crowd = true;
        } else if (strncmp(argv[i], "--seed=", 7) == 0) {
            seed = strtoull(text, NULL, 0);
        } else {
            fail("what is", argv[i]);
        }
    }
    run();
    return IS_WATCHED ? 0 : 77;
}
