// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two files of a device beside a list of what is where: pages go in, out, and in place of others, fail, are looked for
 * and held, with ranges that end at any byte. After each step all places, counts and views are those of the list; so
 * are the errors. One model of all operations: hence its length.
 */
#include <errno.h>
#include <string.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/shim/prng.h"

enum { PAGES = 20, BEYOND = 3, PLACES = 24, FILES = 2, VIEWS = 2, STEPS = 3000, NONE = -1 };
#define INDEX_END (UINT64_C(1) << 52)

struct place {
    int file, at; /* NONE: in no file */
};

static struct file_rig rig;
static struct address_space second;
static int page_at[FILES][PLACES]; /* the page's number, or NONE */
static bool shown[PLACES];         /* in the views, of the first file */
static uint64_t counts[PAGES], first_index;
static bool poisoned[PAGES];

/* One of all places, and one of some. */
static const struct {
    int first, count;
} parts[VIEWS] = {{0, PLACES}, {5, 9}};

static char *views[VIEWS];

static struct address_space *file_of(int file)
{
    return file == 0 ? &rig.file : &second;
}

static bool is_allocated(void)
{
    return rig.pgmap.type == MEMORY_DEVICE_COHERENT;
}

/* The last pages of the device; those from PAGES on are beyond it. */
static uint64_t pfn_of(int page)
{
    return (uint64_t)(1024 - PAGES + page);
}

static struct page *struct_of(int page)
{
    return pfn_to_page(pfn_of(page));
}

static struct place place_of(int page)
{
    for (int file = 0; file < FILES; file++) {
        for (int at = 0; at < PLACES; at++) {
            if (page_at[file][at] == page) {
                return (struct place){file, at};
            }
        }
    }
    return (struct place){NONE, NONE};
}

/* ---- after each step ---- */

static void check_page(int page)
{
    const struct place place = place_of(page);

    REQUIRE_EQ(page_count(struct_of(page)), counts[page] + (rig.pgmap.type == MEMORY_DEVICE_GENERIC),
               "page %d", page);
    REQUIRE_EQ(page_index(struct_of(page)),
               place.file == NONE ? UINT64_MAX : first_index + (uint64_t)place.at, "page %d", page);
    REQUIRE_EQ(pagemap_read_lock(), 0);
    REQUIRE_EQ(page_mapping(struct_of(page)), place.file == NONE ? NULL : file_of(place.file), "page %d",
               page);
    pagemap_read_unlock();
    REQUIRE_EQ(PageHWPoison(struct_of(page)), poisoned[page], "page %d", page);
}

static void check_view(const char *address, int at)
{
    struct page *page = NULL;
    const int wanted = page_at[0][at];
    long got = get_user_pages((uintptr_t)address, 1, FOLL_HWPOISON, &page);

    if (wanted != NONE && poisoned[wanted]) {
        REQUIRE_EQ(got, -EHWPOISON, "at %d", at);
    } else {
        REQUIRE_EQ(got, wanted != NONE && shown[at] ? 1 : -EFAULT, "at %d", at);
    }
    if (got == 1) {
        REQUIRE_EQ(page, struct_of(wanted), "at %d", at);
        put_page(page);
    }
}

static void check_views(void)
{
    for (int i = 0; i < VIEWS; i++) {
        for (int k = 0; k < parts[i].count; k++) {
            check_view(views[i] + (size_t)k * PAGE_SIZE, parts[i].first + k);
        }
    }
}

static void check_all(void)
{
    uint64_t in_files[FILES] = {0, 0}, busy = 0;

    for (int page = 0; page < PAGES; page++) {
        const struct place place = place_of(page);

        check_page(page);
        busy += counts[page] > 0;
        if (place.file != NONE) {
            in_files[place.file]++;
        }
    }
    REQUIRE_EQ(mapping_nr_pages(&rig.file), in_files[0]);
    REQUIRE_EQ(mapping_nr_pages(&second), in_files[1]);
    REQUIRE_EQ(pgmap_nr_references(&rig.pgmap), in_files[0] + in_files[1] + busy);
    check_views();
}

/* ---- steps that fail ---- */

/* Some step of what comes next, perhaps. */
static void fail_somewhere(struct prng *prng)
{
    (void)pm_fault_arm((unsigned)prng_between(prng, 1, 24));
}

/* What it said, beside what it had to say: only a step that failed makes a difference. Whether it did it. */
static bool is_done(int said, int wanted)
{
    bool has_failed = pm_fault_arm(0) == 0;

    if (said != wanted) {
        CHECK(has_failed);
        REQUIRE_EQ(said, -ENOMEM, "not %d", wanted);
    }
    return said == 0;
}

/* ---- putting in ---- */

/* In the order in which the library finds it out. */
static int error_of_pages(int page, int n)
{
    int error = 0;

    if (page + n > PAGES) {
        return -ENXIO;
    }
    for (int i = page; i < page + n; i++) {
        error = poisoned[i] ? -EHWPOISON : error;
    }
    for (int i = page; i < page + n && error == 0; i++) {
        error = is_allocated() && counts[i] == 0 ? -EAGAIN : 0;
    }
    for (int i = page; i < page + n && error == 0; i++) {
        error = place_of(i).file != NONE ? -EBUSY : 0;
    }
    return error;
}

static int error_of_adding(int file, int at, int page, int n)
{
    int error;

    if (n == 0 || first_index + (uint64_t)at + (uint64_t)n > INDEX_END) {
        return -EINVAL;
    }
    error = error_of_pages(page, n);
    for (int i = at; i < at + n && error == 0; i++) {
        error = page_at[file][i] != NONE ? -EEXIST : 0;
    }
    return error;
}

static void add(struct prng *prng)
{
    int file = (int)prng_below(prng, FILES), at = (int)prng_below(prng, PLACES - 1);
    int page = (int)prng_below(prng, PAGES + BEYOND), n = (int)prng_below(prng, 5);
    bool is_last = first_index > 0, done; /* is_last: beyond the last place there is no other */
    int error;

    n = !is_last && at + n > PLACES ? PLACES - at : n;
    error = error_of_adding(file, at, page, n);
    fail_somewhere(prng);
    done = is_done(filemap_add_pages(file_of(file), first_index + (uint64_t)at, pfn_of(page), (uint64_t)n),
                   error);
    for (int i = 0; i < n && done; i++) {
        page_at[file][at + i] = page + i;
        shown[at + i] = file == 0 ? true : shown[at + i];
    }
}

/* ---- taking out ---- */

/* Bytes that begin and end in, or between, pages. */
static void some_bytes(struct prng *prng, uint64_t *start, uint64_t *end)
{
    static const uint64_t beside[] = {0, 1, PAGE_SIZE - 2, PAGE_SIZE - 1};

    *start = (first_index + prng_below(prng, PLACES)) * PAGE_SIZE + beside[prng_below(prng, 4)];
    *end = (first_index + prng_below(prng, PLACES)) * PAGE_SIZE + beside[prng_below(prng, 4)];
}

/* Whether all, or any, of the place's bytes are among them. */
static bool has_whole(int at, uint64_t start, uint64_t end)
{
    uint64_t first = (first_index + (uint64_t)at) * PAGE_SIZE;

    return start <= first && first + (PAGE_SIZE - 1) <= end;
}

static bool has_part(int at, uint64_t start, uint64_t end)
{
    uint64_t first = (first_index + (uint64_t)at) * PAGE_SIZE;

    return start <= end && start <= first + (PAGE_SIZE - 1) && first <= end;
}

/* What was in use is not waited for, or nobody would ever come to put it. */
static bool is_any_held(int file, uint64_t start, uint64_t end)
{
    for (int at = 0; at < PLACES; at++) {
        if (has_whole(at, start, end) && page_at[file][at] != NONE && counts[page_at[file][at]] > 0) {
            return true;
        }
    }
    return false;
}

static void take_out(struct prng *prng)
{
    int file = (int)prng_below(prng, FILES);
    uint64_t start, end;
    bool wait;

    some_bytes(prng, &start, &end);
    wait = prng_below(prng, 2) == 0 && (is_allocated() || !is_any_held(file, start, end));
    REQUIRE_EQ(wait ? truncate_inode_pages_range(file_of(file), start, end)
                    : filemap_remove_pages(file_of(file), start, end),
               end < start ? -EINVAL : 0);
    for (int at = 0; at < PLACES && start <= end; at++) {
        if (has_whole(at, start, end) && page_at[file][at] != NONE) {
            counts[page_at[file][at]] -= is_allocated();
            page_at[file][at] = NONE;
        }
    }
}

/* The lowest that is held; and all of them are revoked. */
static void look_for_busy(struct prng *prng)
{
    int file = (int)prng_below(prng, FILES);
    struct page *busy = NULL;
    uint64_t start, end;

    some_bytes(prng, &start, &end);
    for (int at = PLACES - 1; at >= 0; at--) {
        if (has_part(at, start, end)) {
            shown[at] = shown[at] && file != 0;
            if (!is_allocated() && page_at[file][at] != NONE && counts[page_at[file][at]] > 0) {
                busy = struct_of(page_at[file][at]);
            }
        }
    }
    REQUIRE_EQ(dax_layout_busy_page_range(file_of(file), start, end), busy);
    if (busy == NULL) {
        dax_break_layout(file_of(file), start, end); /* comes back at once */
    }
}

static void show_all(void)
{
    REQUIRE_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    for (int at = 0; at < PLACES; at++) {
        shown[at] = page_at[0][at] != NONE && !poisoned[page_at[0][at]];
    }
}

/* ---- one in place of another ---- */

static int error_of_replacing(int file, int at, int old, int page)
{
    int error;

    if (old == page || first_index + (uint64_t)at >= INDEX_END) {
        return -EINVAL;
    }
    if (page >= PAGES) {
        return -ENXIO;
    }
    error = error_of_pages(page, 1);
    return error != 0 && error != -EBUSY ? error : page_at[file][at] != old || old == NONE ? -ESTALE : error;
}

static void replace(struct prng *prng)
{
    int file = (int)prng_below(prng, FILES), at = (int)prng_below(prng, PLACES + (first_index > 0));
    int old = at < PLACES && prng_below(prng, 8) > 0 ? page_at[file][at] : (int)prng_below(prng, PAGES);
    int page = (int)prng_below(prng, PAGES + BEYOND), error;

    old = old == NONE ? 0 : old;
    fail_somewhere(prng);
    error = error_of_replacing(file, at, old, page);
    if (is_done(
            filemap_replace_page(file_of(file), first_index + (uint64_t)at, struct_of(old), struct_of(page)),
            error)) {
        counts[old] -= is_allocated();
        page_at[file][at] = page;
    }
}

/* ---- pages by themselves ---- */

static void find(struct prng *prng)
{
    int file = (int)prng_below(prng, FILES), at = (int)prng_below(prng, PLACES), page = page_at[file][at];
    bool found = page != NONE && !poisoned[page];

    REQUIRE_EQ(find_get_page(file_of(file), first_index + (uint64_t)at), found ? struct_of(page) : NULL);
    if (found) {
        counts[page]++;
    }
}

static void allocate(int page)
{
    if (is_allocated() && counts[page] == 0) {
        REQUIRE_EQ(zone_device_page_init(struct_of(page)), 0);
        unlock_page(struct_of(page));
        counts[page] = 1;
    }
}

/* All but what its file holds. */
static void put(int page)
{
    uint64_t of_file = is_allocated() && place_of(page).file != NONE ? 1 : 0;

    put_page_many(struct_of(page), counts[page] - of_file);
    counts[page] = of_file;
}

static void fail_or_mend(int page)
{
    struct place place = place_of(page);

    if (poisoned[page]) {
        REQUIRE_EQ(unpoison_memory(pfn_of(page)), 0);
        poisoned[page] = false;
    } else {
        REQUIRE_EQ(memory_failure(pfn_of(page), 0), is_allocated()       ? -ENXIO
                                                    : place.file == NONE ? -EBUSY
                                                                         : 0);
        poisoned[page] = !is_allocated() && place.file != NONE;
        if (place.file == 0 && poisoned[page]) {
            shown[place.at] = false;
        }
    }
}

/* ---- all of it ---- */

static void live(struct prng *prng)
{
    int page = (int)prng_below(prng, PAGES);

    switch (prng_below(prng, 12)) {
    case 0:
    case 1:
    case 2:
        add(prng);
        break;
    case 3:
        take_out(prng);
        break;
    case 4:
        look_for_busy(prng);
        break;
    case 5:
        show_all();
        break;
    case 6:
    case 7:
        replace(prng);
        break;
    case 8:
        find(prng);
        break;
    case 9:
        put(page);
        break;
    case 10:
        fail_or_mend(page);
        break;
    default:
        allocate(page);
    }
}

static void end(void)
{
    for (int page = 0; page < PAGES; page++) {
        if (poisoned[page]) {
            fail_or_mend(page);
        }
        put(page);
    }
    CHECK_EQ(truncate_inode_pages(&second, 0), 0);
    CHECK_EQ(address_space_destroy(&second), 0);
    for (int i = 0; i < VIEWS; i++) {
        CHECK_EQ(vm_munmap(views[i], (size_t)parts[i].count * PAGE_SIZE), 0);
    }
    file_rig_tear_down(&rig);
}

static void against_the_list(enum memory_type type, uint64_t index, unsigned stream)
{
    struct prng prng = prng_stream(test_seed(), stream);

    file_rig_set_up(&rig, type);
    REQUIRE_EQ(address_space_init(&second, "second", NULL), 0);
    memset(page_at, 0xff, sizeof page_at); /* NONE */
    memset(counts, 0, sizeof counts);
    memset(poisoned, 0, sizeof poisoned);
    memset(shown, 0, sizeof shown);
    first_index = index;
    for (int i = 0; i < VIEWS; i++) {
        views[i] = file_rig_view(&rig, first_index + (uint64_t)parts[i].first, (uint64_t)parts[i].count);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        live(&prng);
        check_all();
    }
    end();
}

TEST_CASE(file, places_are_those_of_a_list)
{
    against_the_list(MEMORY_DEVICE_GENERIC, 0, 1);
    against_the_list(MEMORY_DEVICE_COHERENT, 0, 2);
}

TEST_CASE(file, at_its_end_as_well)
{
    against_the_list(MEMORY_DEVICE_FS_DAX, INDEX_END - PLACES, 3);
    against_the_list(MEMORY_DEVICE_COHERENT, INDEX_END - PLACES, 4);
}
