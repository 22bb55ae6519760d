// SPDX-License-Identifier: BSD-2-Clause
/* A call of every public function, for each to be made in any context: as long as the interface is. */
#include "test/context/calls.h"

#include <errno.h>
#include <string.h>

/* What a call returned if its answer is right, or if it failed and there is none. */
static int with(int result, bool is_right)
{
    return result < 0 || is_right ? (result > 0 ? 0 : result) : -EPROTO;
}

static bool is_first_range(const struct stage *stage, const struct rangemap_entry *entry)
{
    return entry->start == 100 && entry->last == 199 && entry->value == stage->value;
}

/* ---- maps and sections ---- */

static int version(struct stage *stage)
{
    (void)stage;
    return with(0, strncmp(rangemap_version(), "0.", 2) == 0);
}

static int create(struct stage *stage)
{
    const struct rangemap_options options = {.domain = stage->domain};
    struct rangemap *map = NULL;
    int result = rangemap_create(&options, &map);

    return result == 0 ? rangemap_destroy(map) : result;
}

static int destroy_one(struct rangemap **map)
{
    int result = rangemap_destroy(*map);

    if (result == 0) {
        *map = NULL;
    }
    return result;
}

static int destroy_owned(struct stage *stage)
{
    return destroy_one(&stage->owned);
}

static int destroy_plain(struct stage *stage)
{
    return destroy_one(&stage->plain);
}

static int destroy_later(struct stage *stage)
{
    const struct rangemap_options options = {.domain = stage->domain};
    struct rangemap *map = NULL;
    int result = rangemap_create(&options, &map);

    return result == 0 ? rangemap_destroy_later(map, NULL, NULL) : result;
}

static int domain_of(struct stage *stage)
{
    return with(0, rangemap_domain_of(stage->map) == stage->domain);
}

static int read_section(struct stage *stage)
{
    int result = rangemap_read_begin(stage->map);

    if (result == 0) {
        result = rangemap_lookup_held(stage->map, 150, NULL);
        rangemap_read_end(stage->map);
    }
    return result;
}

static int read_try_section(struct stage *stage)
{
    int result = rangemap_read_try_begin(stage->map);

    if (result == 0) {
        result = rangemap_lookup_held(stage->map, 150, NULL);
        rangemap_read_end(stage->map);
    } else if (result == -ESRCH) {
        result = with(0, rangemap_domain_is_attached(stage->domain) == 0);
    }
    return result;
}

static int in_section(struct stage *stage)
{
    int result = rangemap_in_section(stage->map);

    return with(result, result == 0 || result == 1);
}

static int domain_read_section(struct stage *stage)
{
    int result = rangemap_domain_read_begin(stage->domain);

    if (result == 0) {
        result = rangemap_lookup_held(stage->map, 150, NULL);
        rangemap_domain_read_end(stage->domain);
    }
    return result;
}

/* ---- lookups and queries ---- */

static int lookup(struct stage *stage)
{
    void *value = NULL;
    int result = rangemap_lookup(stage->map, 150, &value);

    return with(result, value == stage->value);
}

static int find(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_find(stage->map, 150, &entry);

    return with(result, is_first_range(stage, &entry));
}

static int lookup_batch(struct stage *stage)
{
    const uint64_t keys[] = {150, 350, 450};
    void *values[3] = {NULL};
    bool hit[3];
    int result = rangemap_lookup_batch(stage->map, keys, 3, values, hit);

    return with(result, result == 2 && values[0] == stage->value && !hit[1]);
}

static int find_batch(struct stage *stage)
{
    const uint64_t keys[] = {150, 350, 450};
    struct rangemap_entry entries[3] = {{0}};
    bool hit[3];
    int result = rangemap_find_batch(stage->map, keys, 3, entries, hit);

    return with(result, result == 2 && is_first_range(stage, &entries[0]) && !hit[1]);
}

static int lookup_held(struct stage *stage)
{
    void *value = NULL;
    int result = rangemap_lookup_held(stage->map, 150, &value);

    return with(result, value == stage->value);
}

static int find_held(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_find_held(stage->map, 150, &entry);

    return with(result, is_first_range(stage, &entry));
}

static int next(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_next(stage->map, 250, &entry);

    return with(result, entry.start == 400);
}

static int previous(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_previous(stage->map, 250, &entry);

    return with(result, is_first_range(stage, &entry));
}

static int first(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_first(stage->map, &entry);

    return with(result, is_first_range(stage, &entry));
}

static int last(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_last(stage->map, &entry);

    return with(result, entry.last == 499);
}

static int overlap(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_overlap(stage->map, 0, 1000, &entry);

    return with(result, is_first_range(stage, &entry));
}

static int overlap_last(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_overlap_last(stage->map, 0, 450, &entry);

    return with(result, entry.last == 499);
}

static int is_covered(struct stage *stage)
{
    int result = rangemap_is_covered(stage->map, 100, 299);

    return with(result, result == 1);
}

static int is_free(struct stage *stage)
{
    int result = rangemap_is_free(stage->map, 300, 399);

    return with(result, result == 1);
}

/* ---- updates and gaps ---- */

static int insert(struct stage *stage)
{
    int result = rangemap_insert(stage->map, 300, 310, NULL, NULL);

    return with(result, rangemap_lookup(stage->map, 305, NULL) == 0);
}

static int store(struct stage *stage)
{
    int result = rangemap_store(stage->map, 150, 250, NULL, NULL, NULL);

    return with(result, rangemap_overlap(stage->map, 160, 240, NULL) == 0);
}

static int carve(struct stage *stage)
{
    int result = rangemap_carve(stage->map, 150, 250, NULL, NULL);

    return with(result, rangemap_is_free(stage->map, 150, 250) == 1);
}

static int erase(struct stage *stage)
{
    struct rangemap_entry erased = {0};
    int result = rangemap_erase(stage->map, 150, &erased);

    return with(result, is_first_range(stage, &erased));
}

static int erase_exact(struct stage *stage)
{
    struct rangemap_entry erased = {0};
    int result = rangemap_erase_exact(stage->map, 100, 199, &erased);

    return with(result, is_first_range(stage, &erased));
}

static int replace(struct stage *stage)
{
    return rangemap_replace(stage->map, 100, 199, stage->value, NULL, NULL);
}

static int erase_value(struct stage *stage)
{
    int result = rangemap_erase_value(stage->map, 100, 199, stage->value, NULL);

    return with(result, rangemap_is_free(stage->map, 100, 199) == 1);
}

/* ---- windows ---- */

static int splice(struct stage *stage)
{
    const struct rangemap_entry entries[] = {{150, 160, NULL}, {170, 180, NULL}};
    int result = rangemap_splice(stage->map, 150, 450, entries, 2, NULL);

    return with(result, rangemap_is_free(stage->map, 181, 450) == 1);
}

static int set_null(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                    void *context)
{
    (void)part;
    (void)whole;
    (void)context;
    *value = NULL;
    return RANGEMAP_SET;
}

static int update(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = rangemap_update(stage->map, 150, 250, set_null, NULL, NULL);

    return with(result, rangemap_find(stage->map, 160, &entry) == 0 && entry.start == 150);
}

static int carve_value(struct stage *stage)
{
    int result = rangemap_carve_value(stage->map, 150, 250, stage->value, NULL, NULL);

    return with(result, rangemap_is_free(stage->map, 150, 250) == 1);
}

static int evict(struct stage *stage)
{
    int result = rangemap_evict(stage->map, 150, 250, NULL, NULL);

    return with(result, rangemap_is_free(stage->map, 100, 299) == 1);
}

static int resize(struct stage *stage)
{
    int result = rangemap_resize(stage->map, 200, 299, 210, 350, NULL);

    return with(result, rangemap_is_covered(stage->map, 210, 350) == 1);
}

static int clone(struct stage *stage)
{
    struct rangemap_snapshot view;
    int result = rangemap_snapshot_begin(stage->map, &view);

    if (result == 0) {
        result = rangemap_clone(stage->blank, &view, 150, 450, NULL, NULL);
        result = with(result, rangemap_is_covered(stage->blank, 150, 299) == 1);
        rangemap_snapshot_end(&view);
    }
    return result;
}

static int coalesce(struct stage *stage)
{
    uint64_t joined = 0;
    int result = rangemap_coalesce(stage->map, 0, 1000, NULL, NULL, &joined);

    return with(result, joined == 1);
}

static int load(struct stage *stage)
{
    const struct rangemap_entry entries[] = {{1, 2, NULL}, {3, 4, NULL}};
    int result = rangemap_load(stage->blank, entries, 2, NULL);

    return with(result, rangemap_is_covered(stage->blank, 1, 4) == 1);
}

static int reserve(struct stage *stage)
{
    return rangemap_reserve(stage->map, 3);
}

static const struct rangemap_gap_request gap_request = {.length = 50, .low = 120, .high = 1000};

static int gap_find(struct stage *stage)
{
    uint64_t start = 0;
    int result = rangemap_gap_find(stage->map, &gap_request, &start);

    return with(result, start == 300);
}

static int gap_allocate(struct stage *stage)
{
    uint64_t start = 0;
    int result = rangemap_gap_allocate(stage->map, &gap_request, NULL, &start);

    return with(result, start == 300);
}

static int gap_at(struct stage *stage)
{
    struct rangemap_gap gap = {0};
    int result = rangemap_gap_at(stage->map, 350, &gap);

    return with(result, gap.start == 300 && gap.last == 399);
}

static int gap_next(struct stage *stage)
{
    struct rangemap_gap gap = {0};
    int result = rangemap_gap_next(stage->map, 150, &gap);

    return with(result, gap.start == 300 && gap.last == 399);
}

/* ---- iteration ---- */

static int snapshot(struct stage *stage)
{
    struct rangemap_snapshot view;
    struct rangemap_entry entry = {0};
    int result = rangemap_snapshot_begin(stage->map, &view);

    if (result == 0) {
        result = rangemap_snapshot_find(&view, 150, &entry);
        result = with(result, is_first_range(stage, &entry));
        rangemap_snapshot_end(&view);
    }
    return result;
}

static int snapshot_gap_next(struct stage *stage)
{
    struct rangemap_snapshot view;
    struct rangemap_gap gap = {0};
    int result = rangemap_snapshot_begin(stage->map, &view);

    if (result == 0) {
        result = rangemap_snapshot_gap_next(&view, 150, &gap);
        result = with(result, gap.start == 300);
        rangemap_snapshot_end(&view);
    }
    return result;
}

/* The snapshot need not be held, since the cursor does not move. */
static int cursor_init_at(struct stage *stage)
{
    struct rangemap_snapshot view = {.map = stage->map, .version = 1};

    return rangemap_cursor_init_at(&stage->cursor, &view, 0, UINT64_MAX);
}

static int cursor_init(struct stage *stage)
{
    return rangemap_cursor_init(&stage->cursor, stage->map, 0, UINT64_MAX);
}

static int cursor_next(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = cursor_init(stage);

    if (result == 0) {
        result = rangemap_cursor_next(&stage->cursor, &entry);
    }
    return with(result, is_first_range(stage, &entry));
}

static int cursor_previous(struct stage *stage)
{
    struct rangemap_entry entry = {0};
    int result = cursor_init(stage);

    if (result == 0) {
        result = rangemap_cursor_previous(&stage->cursor, &entry);
    }
    return with(result, entry.last == 499);
}

static int cursor_seek(struct stage *stage)
{
    int result = cursor_init(stage);

    return result != 0 ? result : rangemap_cursor_seek(&stage->cursor, 300);
}

/* ---- domains ---- */

static int domain_create(struct stage *stage)
{
    struct rangemap_domain *domain = NULL;
    int result = rangemap_domain_create(NULL, &domain);

    (void)stage;
    return result == 0 ? rangemap_domain_destroy(domain) : result;
}

static int domain_destroy(struct stage *stage)
{
    int result = rangemap_domain_destroy(stage->spare);

    if (result == 0) {
        stage->spare = NULL;
    }
    return result;
}

static int domain_attach(struct stage *stage)
{
    return rangemap_domain_attach(stage->domain);
}

static int domain_detach(struct stage *stage)
{
    return rangemap_domain_detach(stage->domain);
}

static void have_run(struct rangemap_deferred *deferred, void *context)
{
    (void)context;
    deferred->opaque[0] = NULL;
}

static int domain_defer(struct stage *stage)
{
    return rangemap_domain_defer(stage->domain, &stage->deferred, have_run, NULL);
}

static int domain_poll(struct stage *stage)
{
    int result = rangemap_domain_poll(stage->domain);

    return with(result, result <= 1);
}

static int domain_serve(struct stage *stage)
{
    int result = rangemap_domain_serve(stage->domain, 0);

    return with(result, result <= 1);
}

static int domain_is_attached(struct stage *stage)
{
    int result = rangemap_domain_is_attached(stage->domain);

    return with(result, result <= 1);
}

static int domain_trim(struct stage *stage)
{
    int result = rangemap_domain_trim(stage->domain);

    return with(result, result <= 1);
}

static int domain_synchronize(struct stage *stage)
{
    return rangemap_domain_synchronize(stage->domain);
}

static int domain_barrier(struct stage *stage)
{
    return rangemap_domain_barrier(stage->domain);
}

static int domain_blocker(struct stage *stage)
{
    struct rangemap_blocker blocker;

    return rangemap_domain_blocker(stage->domain, &blocker);
}

static int domain_stats(struct stage *stage)
{
    struct rangemap_domain_statistics statistics = {0};
    int result = rangemap_domain_stats(stage->domain, &statistics);

    return with(result, statistics.maps >= 1);
}

static int after_fork_in_child(struct stage *stage)
{
    (void)stage;
    rangemap_after_fork_in_child();
    return 0;
}

/* There are a domain and a map. */
static int unload(struct stage *stage)
{
    (void)stage;
    return rangemap_unload(true);
}

/* Where sections have full fences anyway it is no error. */
static int forgo_membarrier(struct stage *stage)
{
    int result = rangemap_forgo_membarrier();

    (void)stage;
    return result == 0 ? -EBUSY : result;
}

/* ---- looking inside ---- */

static int stats(struct stage *stage)
{
    struct rangemap_statistics statistics = {0};
    int result = rangemap_stats(stage->map, &statistics);

    return with(result, statistics.ranges == 3);
}

static int validate(struct stage *stage)
{
    char message[200];

    return rangemap_validate(stage->map, message, sizeof message);
}

static int dump(struct stage *stage)
{
    FILE *out = fopen("/dev/null", "w");
    int result = out != NULL ? rangemap_dump(stage->map, out, RANGEMAP_DUMP_TEXT) : -EIO;

    if (out != NULL) {
        (void)fclose(out);
    }
    return result;
}

static int kernel(struct stage *stage)
{
    (void)stage;
    return with(0, strlen(rangemap_kernel()) > 0);
}

static int select_kernel(struct stage *stage)
{
    (void)stage;
    return rangemap_select_kernel(rangemap_kernel());
}

static const struct call all[] = {
    {"rangemap_version()", version, NEEDS_NOTHING},
    {"rangemap_create()", create, NEEDS_NOTHING},
    {"rangemap_destroy() of a map with release", destroy_owned, NEEDS_NOTHING},
    {"rangemap_destroy() of another", destroy_plain, NEEDS_NOTHING},
    {"rangemap_destroy_later()", destroy_later, NEEDS_NOTHING},
    {"rangemap_domain_of()", domain_of, NEEDS_NOTHING},
    {"rangemap_read_begin()", read_section, NEEDS_NOTHING},
    {"rangemap_read_try_begin()", read_try_section, NEEDS_NOTHING},
    {"rangemap_in_section()", in_section, NEEDS_NOTHING},
    {"rangemap_read_end()", read_section, NEEDS_NOTHING},
    {"rangemap_lookup()", lookup, NEEDS_NOTHING},
    {"rangemap_find()", find, NEEDS_NOTHING},
    {"rangemap_lookup_batch()", lookup_batch, NEEDS_NOTHING},
    {"rangemap_find_batch()", find_batch, NEEDS_NOTHING},
    {"rangemap_lookup_held()", lookup_held, NEEDS_SECTION},
    {"rangemap_find_held()", find_held, NEEDS_SECTION},
    {"rangemap_next()", next, NEEDS_NOTHING},
    {"rangemap_previous()", previous, NEEDS_NOTHING},
    {"rangemap_first()", first, NEEDS_NOTHING},
    {"rangemap_last()", last, NEEDS_NOTHING},
    {"rangemap_overlap()", overlap, NEEDS_NOTHING},
    {"rangemap_overlap_last()", overlap_last, NEEDS_NOTHING},
    {"rangemap_is_covered()", is_covered, NEEDS_NOTHING},
    {"rangemap_is_free()", is_free, NEEDS_NOTHING},
    {"rangemap_insert()", insert, NEEDS_NOTHING},
    {"rangemap_store()", store, NEEDS_NOTHING},
    {"rangemap_carve()", carve, NEEDS_NOTHING},
    {"rangemap_erase()", erase, NEEDS_NOTHING},
    {"rangemap_erase_exact()", erase_exact, NEEDS_NOTHING},
    {"rangemap_replace()", replace, NEEDS_NOTHING},
    {"rangemap_erase_value()", erase_value, NEEDS_NOTHING},
    {"rangemap_coalesce()", coalesce, NEEDS_NOTHING},
    {"rangemap_load()", load, NEEDS_NOTHING},
    {"rangemap_reserve()", reserve, NEEDS_NOTHING},
    {"rangemap_splice()", splice, NEEDS_NOTHING},
    {"rangemap_update()", update, NEEDS_NOTHING},
    {"rangemap_carve_value()", carve_value, NEEDS_NOTHING},
    {"rangemap_evict()", evict, NEEDS_NOTHING},
    {"rangemap_resize()", resize, NEEDS_NOTHING},
    {"rangemap_clone()", clone, NEEDS_NOTHING},
    {"rangemap_gap_find()", gap_find, NEEDS_NOTHING},
    {"rangemap_gap_allocate()", gap_allocate, NEEDS_NOTHING},
    {"rangemap_gap_at()", gap_at, NEEDS_NOTHING},
    {"rangemap_gap_next()", gap_next, NEEDS_NOTHING},
    {"rangemap_snapshot_begin()", snapshot, NEEDS_NOTHING},
    {"rangemap_snapshot_end()", snapshot, NEEDS_NOTHING},
    {"rangemap_snapshot_find()", snapshot, NEEDS_NOTHING},
    {"rangemap_snapshot_gap_next()", snapshot_gap_next, NEEDS_NOTHING},
    {"rangemap_cursor_init()", cursor_init, NEEDS_NOTHING},
    {"rangemap_cursor_init_at()", cursor_init_at, NEEDS_NOTHING},
    {"rangemap_cursor_next()", cursor_next, NEEDS_NOTHING},
    {"rangemap_cursor_previous()", cursor_previous, NEEDS_NOTHING},
    {"rangemap_cursor_seek()", cursor_seek, NEEDS_NOTHING},
    {"rangemap_domain_create()", domain_create, NEEDS_NOTHING},
    {"rangemap_domain_destroy()", domain_destroy, NEEDS_SPARE},
    {"rangemap_domain_attach()", domain_attach, NEEDS_NOTHING},
    {"rangemap_domain_detach()", domain_detach, NEEDS_NOTHING},
    {"rangemap_domain_read_begin()", domain_read_section, NEEDS_NOTHING},
    {"rangemap_domain_read_end()", domain_read_section, NEEDS_NOTHING},
    {"rangemap_domain_defer()", domain_defer, NEEDS_NOTHING},
    {"rangemap_domain_poll()", domain_poll, NEEDS_NOTHING},
    {"rangemap_domain_serve()", domain_serve, NEEDS_NOTHING},
    {"rangemap_domain_is_attached()", domain_is_attached, NEEDS_NOTHING},
    {"rangemap_domain_trim()", domain_trim, NEEDS_NOTHING},
    {"rangemap_domain_synchronize()", domain_synchronize, NEEDS_NOTHING},
    {"rangemap_domain_barrier()", domain_barrier, NEEDS_NOTHING},
    {"rangemap_domain_blocker()", domain_blocker, NEEDS_NOTHING},
    {"rangemap_after_fork_in_child()", after_fork_in_child, NEEDS_NOTHING},
    {"rangemap_unload()", unload, NEEDS_NOTHING},
    {"rangemap_forgo_membarrier()", forgo_membarrier, NEEDS_NOTHING},
    {"rangemap_stats()", stats, NEEDS_NOTHING},
    {"rangemap_domain_stats()", domain_stats, NEEDS_NOTHING},
    {"rangemap_validate()", validate, NEEDS_NOTHING},
    {"rangemap_dump()", dump, NEEDS_NOTHING},
    {"rangemap_kernel()", kernel, NEEDS_NOTHING},
    {"rangemap_select_kernel()", select_kernel, NEEDS_NOTHING},
};

const struct call *call_named(const char *label)
{
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].label, label) == 0) {
            return &all[i];
        }
    }
    return NULL;
}

const struct call *calls_all(unsigned *count)
{
    *count = sizeof all / sizeof all[0];
    return all;
}
