// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ownership under random updates: after a barrier, each value has as many owners as there are ranges that hold
 * it. First beside the oracle, then with chunks that can't be had, then from several threads with readers that
 * look whether what they see is owned.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <errno.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/check/owned.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { KEYS = 4000, THREADS = 3 };

struct fixture {
    struct rangemap_domain *domain;
    struct rangemap *map;
    struct owned_table table;
    unsigned updates; /* for each thread */
    atomic_uint running, failed;
};

static void setup(struct fixture *fixture, struct rangemap_domain *domain, size_t values)
{
    const struct rangemap_options options = {
        .domain = domain, .release = owned_release, .retain = owned_retain, .context = &fixture->table};

    fixture->domain = domain;
    fixture->running = fixture->failed = 0;
    owned_table_init(&fixture->table, values);
    REQUIRE_EQ(rangemap_create(&options, &fixture->map), 0);
}

/* What is owned is what the map holds. */
static void require_balance(struct fixture *fixture)
{
    struct entry_list list = {0};

    REQUIRE_EQ(rangemap_domain_barrier(fixture->domain), 0);
    require_valid(fixture->map, "balance");
    collect(fixture->map, 0, UINT64_MAX, &list);
    REQUIRE_EQ(owned_mismatches(&fixture->table, list.entry, list.count), 0u);
    REQUIRE_EQ(fixture->table.faults, 0u);
    entry_list_free(&list);
}

static void teardown(struct fixture *fixture)
{
    REQUIRE_EQ(rangemap_destroy(fixture->map), 0);
    REQUIRE_EQ(owned_mismatches(&fixture->table, NULL, 0), 0u);
    REQUIRE_EQ(fixture->table.faults, 0u);
    REQUIRE_EQ(rangemap_domain_destroy(fixture->domain), 0);
    owned_table_free(&fixture->table);
}

/* Pure, and true now and then. */
static bool sometimes(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    (void)context;
    return (left->start ^ right->start) & 4;
}

/* Joined to what happens to have the value `sometimes` likes; the range that is put may be gone at once. */
static int splice_one(struct fixture *fixture, uint64_t start, uint64_t last, struct owned_value *value)
{
    const struct rangemap_entry entry = {start, last - (last - start) / 4, value};
    const struct rangemap_rewrite how = {
        .if_free = start % 3 == 0, .join = start % 2 == 0, .equal = sometimes};

    return rangemap_splice(fixture->map, start, last, &entry, 1, &how);
}

/* An update that brings a value in: 0 or an error. */
static int bring(struct fixture *fixture, unsigned kind, uint64_t start, uint64_t last,
                 struct owned_value *value)
{
    struct rangemap_gap_request request = {.length = last - start + 1, .low = 0, .high = KEYS + 200};
    struct rangemap_entry found;
    uint64_t at;

    if (kind == 0) {
        return rangemap_store(fixture->map, start, last, value, NULL, NULL);
    }
    if (kind == 1) {
        return rangemap_insert(fixture->map, start, last, value, NULL);
    }
    if (kind == 2) {
        return rangemap_gap_allocate(fixture->map, &request, value, &at);
    }
    if (kind == 3) {
        return splice_one(fixture, start, last, value);
    }
    if (rangemap_find(fixture->map, start, &found)) {
        return -ENOENT;
    }
    return rangemap_replace(fixture->map, found.start, found.last, found.value, value, NULL);
}

static int keep_or_drop(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                        void *context)
{
    (void)whole;
    (void)value;
    (void)context;
    return (part->start & 12) != 0 ? RANGEMAP_KEEP : RANGEMAP_DROP;
}

static int drop_some(struct fixture *fixture, uint64_t start, uint64_t last)
{
    const struct rangemap_rewrite how = {.join = start % 2 == 0, .whole = start % 3 == 0, .equal = sometimes};

    return rangemap_update(fixture->map, start, last, keep_or_drop, NULL, &how);
}

/* Back to what it was a moment ago: values that may be about to be released are owned again. */
static int copy_part(struct fixture *fixture, uint64_t start, uint64_t last)
{
    struct rangemap_snapshot snapshot;
    int result = rangemap_snapshot_begin(fixture->map, &snapshot);

    if (result == 0) {
        rangemap_carve(fixture->map, start, start + 1, NULL, NULL);
        result = rangemap_clone(fixture->map, &snapshot, start, last, NULL, NULL);
        rangemap_snapshot_end(&snapshot);
    }
    return result;
}

/* An update that only takes away, joins or copies. */
static int take(struct fixture *fixture, unsigned kind, uint64_t start, uint64_t last)
{
    if (kind == 0) {
        return rangemap_carve(fixture->map, start, last, NULL, NULL);
    }
    if (kind == 1) {
        return rangemap_erase(fixture->map, start, NULL);
    }
    if (kind == 2) {
        return rangemap_coalesce(fixture->map, start, last, sometimes, NULL, NULL);
    }
    if (kind == 3) {
        return rangemap_evict(fixture->map, start, last, NULL, NULL);
    }
    if (kind == 4) {
        return rangemap_resize(fixture->map, start, last, start, start, NULL);
    }
    return kind == 5 ? copy_part(fixture, start, last) : drop_some(fixture, start, last);
}

static int random_update(struct fixture *fixture, struct prng *random)
{
    uint64_t wide = prng_below(random, 100) == 0 ? KEYS : 12;
    uint64_t start = prng_below(random, KEYS);
    uint64_t last = start + prng_below(random, wide);
    unsigned kind = (unsigned)prng_below(random, 16);
    struct owned_value *value;
    int result;

    if (kind >= 8) {
        return take(fixture, kind % 8 % 7, start, last);
    }
    value = owned_new(&fixture->table);
    result = bring(fixture, kind % 5, start, last, value);
    if (result != 0) {
        owned_drop(value);
    }
    return result;
}

TEST_CASE(value_model, one_thread)
{
    unsigned updates = 100000 * test_scale();
    struct prng random = prng_stream(test_seed(), 1);
    struct rangemap_domain *domain = NULL;
    struct fixture fixture;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    setup(&fixture, domain, updates);
    for (unsigned i = 0; i < updates; i++) {
        random_update(&fixture, &random);
        if (i % (1000 * test_scale()) == 0) {
            require_balance(&fixture);
        }
    }
    require_balance(&fixture);
    teardown(&fixture);
}

/* Updates that fail in the middle have neither released nor retained anything. */
TEST_CASE(value_model, without_memory)
{
    enum { ROUNDS = 15 };
    unsigned updates = 3000 * test_scale();
    struct prng random = prng_stream(test_seed(), 2);
    struct chunk_source *source = malloc(sizeof *source);
    struct fixture fixture;
    unsigned failed = 0;

    REQUIRE(source != NULL);
    chunk_source_init(source);
    setup(&fixture, chunk_source_domain(source), (size_t)updates * ROUNDS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        REQUIRE_EQ(rangemap_read_begin(fixture.map), 0);
        source->fail_all = true;
        for (unsigned i = 0; i < updates; i++) {
            failed += random_update(&fixture, &random) == -ENOMEM;
        }
        source->fail_all = false;
        rangemap_read_end(fixture.map);
        require_balance(&fixture);
    }
    CHECK_GE(failed, 1000u);
    teardown(&fixture);
    CHECK_EQ(source->live, 0u);
    free(source);
}

/* What is seen in a section is owned to its end. */
static void look(struct fixture *fixture, struct prng *random)
{
    struct owned_value *seen[16];
    unsigned count = 0;

    REQUIRE_EQ(rangemap_read_begin(fixture->map), 0);
    for (unsigned i = 0; i < 16; i++) {
        void *value;

        if (rangemap_lookup_held(fixture->map, prng_below(random, KEYS), &value) == 0) {
            seen[count++] = value;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (owned_count(seen[i]) < 1) {
            atomic_fetch_add(&fixture->failed, 1);
        }
    }
    rangemap_read_end(fixture->map);
}

static void take_part(unsigned index, void *context)
{
    struct fixture *fixture = context;
    struct prng random = prng_stream(test_seed(), 100 + index);

    if (index > 0) {
        for (unsigned i = 0; i < fixture->updates; i++) {
            random_update(fixture, &random);
        }
        atomic_fetch_sub(&fixture->running, 1);
        return;
    }
    do {
        look(fixture, &random);
    } while (fixture->running && !crew_is_broken());
}

TEST_CASE(value_model, several_threads)
{
    struct rangemap_domain *domain = NULL;
    struct fixture fixture;

    for (unsigned round = 0; round < 5 * test_scale(); round++) {
        REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
        fixture.updates = 60000;
        setup(&fixture, domain, THREADS * (size_t)fixture.updates);
        fixture.running = THREADS - 1;
        crew_run_jittered(THREADS, take_part, &fixture);
        CHECK_EQ(fixture.failed, 0u, "values seen in a section and already released");
        require_balance(&fixture);
        teardown(&fixture);
    }
}
