// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stretches of address space: as large as asked for, at an alignment, and what is left after each refusal. What a
 * warning says.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/base/map.h"
#include "pagemap/base/warn.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"
#include "test/pagemap/touch.h"
#include "test/pagemap/warnings.h"
#include "test/shim/system_call.h"

/* ---- reserving ---- */

static bool is_mapped(const char *page)
{
    return msync((void *)(uintptr_t)page, PAGE_SIZE, MS_ASYNC) == 0;
}

static void check_reserved(size_t pages, size_t alignment)
{
    uint64_t before = mapped_bytes() / PAGE_SIZE;
    char *area = pm_area_reserve(pages * PAGE_SIZE, alignment);

    REQUIRE_NE(area, NULL);
    CHECK_EQ((uintptr_t)area % alignment, 0);
    CHECK(is_mapped(area));
    CHECK(is_mapped(area + (pages - 1) * PAGE_SIZE));
    if (!SANITIZED) {
        CHECK_EQ(mapped_bytes() / PAGE_SIZE, before + pages, "%zu pages, alignment %zu", pages, alignment);
    }
    CHECK_EQ(touch_read(area, NULL), SIGSEGV, "reserved, and no more");
    CHECK(pm_area_release(area, pages * PAGE_SIZE));
    CHECK(!is_mapped(area));
    if (!SANITIZED) {
        CHECK_EQ(mapped_bytes() / PAGE_SIZE, before);
    }
}

TEST_CASE(area, is_as_large_as_asked_for)
{
    static const size_t pages[] = {1, 2, 3, 511, 512, 513, 5000};

    touch_install();
    (void)mapped_bytes();
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        for (size_t alignment = PAGE_SIZE; alignment <= (size_t)1 << 30; alignment *= 4) {
            check_reserved(pages[i], alignment);
        }
    }
}

TEST_CASE(area, there_is_none)
{
    static const size_t bytes[] = {SIZE_MAX, SIZE_MAX - PAGE_SIZE + 1, SIZE_MAX - 2 * PAGE_SIZE + 1,
                                   SIZE_MAX / 2 + 1, (size_t)1 << 62};

    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        CHECK_EQ(pm_area_reserve(bytes[i], PAGE_SIZE), NULL, "%zu bytes", bytes[i]);
        CHECK_EQ(pm_area_reserve(bytes[i], 2 * PAGE_SIZE), NULL, "%zu bytes", bytes[i]);
    }
    (void)pm_fault_arm(1);
    CHECK_EQ(pm_area_reserve(PAGE_SIZE, PAGE_SIZE), NULL);
}

/* ---- what the system refuses to a part of it ---- */

static char *area;

static int map_part(void)
{
    return pm_area_map(area + PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, PM_PAGES_SMALL);
}

/* Whether exactly the two pages can be touched. */
static void check_touches(int expected)
{
    for (unsigned page = 0; page < 4; page++) {
        bool inside = page == 1 || page == 2;

        CHECK_EQ(touch_write(area + page * PAGE_SIZE, 1), inside ? expected : SIGSEGV, "page %u", page);
    }
}

static void check_map(int error)
{
    CHECK_EQ(map_part(), error);
    check_touches(error == 0 ? 0 : SIGSEGV);
    CHECK(is_mapped(area + PAGE_SIZE), "the place stays taken");
}

static void advice_is_unknown(void)
{
    refuse(SYS_madvise, EINVAL);
    check_map(0);
}

static void advice_is_refused(void)
{
    refuse(SYS_madvise, ENOMEM);
    check_map(-ENOMEM);
    CHECK(!pm_advise(area, PAGE_SIZE, PM_PAGES_SMALL));
}

static void access_is_refused(void)
{
    refuse(SYS_mprotect, ENOMEM);
    check_map(-ENOMEM);
    CHECK(!pm_area_close(area, PAGE_SIZE));
}

static void mapping_is_refused(void)
{
    (void)pm_fault_arm(1);
    check_map(-ENOMEM);
}

static void nothing_is_refused(void)
{
    check_map(0);
    (void)pm_fault_arm(1);
    CHECK(!pm_area_close(area + PAGE_SIZE, 2 * PAGE_SIZE));
    check_touches(0);
    CHECK(pm_area_close(area + PAGE_SIZE, 2 * PAGE_SIZE));
    check_touches(SIGSEGV);
}

static void release_is_refused(void)
{
    warnings_count();
    refuse(SYS_munmap, ENOMEM);
    CHECK(!pm_area_release(area, PAGE_SIZE));
    CHECK_EQ(warnings_take(), 1);
}

TEST_CASE(area, each_refusal)
{
    static void (*const bodies[])(void) = {advice_is_unknown,  advice_is_refused,  access_is_refused,
                                           mapping_is_refused, nothing_is_refused, release_is_refused};

    touch_install();
    area = pm_area_reserve(4 * PAGE_SIZE, PAGE_SIZE);
    REQUIRE_NE(area, NULL);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        if (!SANITIZED || (bodies[i] != access_is_refused && bodies[i] != release_is_refused &&
                           bodies[i] != advice_is_refused)) { /* which the sanitizer needs itself */
            child_run(bodies[i]);
        }
    }
    CHECK(pm_area_release(area, 4 * PAGE_SIZE));
}

/* ---- the node ---- */

static int refused_with;

/* Without a node there is nothing to ask for. */
static void node_is_refused(void)
{
    int expected = refused_with == EINVAL || refused_with == ENOMEM ? -refused_with : 0;

    refuse(SYS_mbind, refused_with);
    CHECK_EQ(pm_prefer_node(area, PAGE_SIZE, -1), 0);
    CHECK_EQ(pm_prefer_node(area, PAGE_SIZE, 0), expected);
    CHECK_EQ(pm_prefer_node(area, PAGE_SIZE, 1023), expected);
    CHECK_EQ(pm_prefer_node(area, PAGE_SIZE, 1024), -EINVAL, "no number of a node");
    CHECK_EQ(pm_prefer_node(area, PAGE_SIZE, INT32_MAX), -EINVAL);
}

TEST_CASE(area, node_that_the_system_refuses)
{
    static const int errors[] = {EINVAL, ENOMEM, ENOSYS, EPERM, EIO};

    area = pm_area_reserve(PAGE_SIZE, PAGE_SIZE);
    REQUIRE_NE(area, NULL);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        refused_with = errors[i];
        child_run(node_is_refused);
    }
    CHECK(pm_area_release(area, PAGE_SIZE));
}

#if !SANITIZED
/* What the system is asked for, which here is none of its business: mbind(2). */
static bool is_asked;
static unsigned long asked_mode, asked_nodes[16], asked_bits, asked_flags;

long syscall(long number, ...)
{
    long a[SYSTEM_CALL_ARGUMENTS];
    va_list list;

    va_start(list, number);
    system_call_arguments(list, a);
    va_end(list);
    if (is_asked && number == SYS_mbind) {
        asked_mode = (unsigned long)a[2];
        asked_bits = (unsigned long)a[4];
        asked_flags = (unsigned long)a[5];
        memcpy(asked_nodes, (const void *)a[3], sizeof asked_nodes);
        return 0;
    }
    return system_call(number, a);
}

TEST_CASE(area, each_node_by_its_number)
{
    is_asked = true;
    for (int nid = 0; nid < 1024; nid++) {
        CHECK_EQ(pm_prefer_node(NULL, PAGE_SIZE, nid), 0);
        CHECK_EQ(asked_mode, MPOL_PREFERRED);
        CHECK_EQ(asked_flags, 0, "pages that are there stay where they are");
        CHECK_EQ(asked_bits, (unsigned long)nid + 2, "the kernel takes one less");
        for (int i = 0; i < 1024; i++) {
            bool is_set = (asked_nodes[i / 64] >> i % 64 & 1) != 0;

            CHECK_EQ(is_set, i == nid, "node %d, bit %d", nid, i);
        }
    }
    is_asked = false;
}
#endif

/* ---- warnings ---- */

static char said[400];
static int cancel_state;

static void note(const char *message)
{
    (void)snprintf(said, sizeof said, "%s", message);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
}

/* A handler cannot be cancelled, and whoever warns can as before. */
static void check_cancel_state(int state)
{
    int before, after;

    (void)pthread_setcancelstate(state, &before);
    pagemap_warn("x");
    CHECK_EQ(cancel_state, PTHREAD_CANCEL_DISABLE);
    (void)pthread_setcancelstate(before, &after);
    CHECK_EQ(after, state);
}

TEST_CASE(warn, a_warning_for_a_handler)
{
    char text[300];

    CHECK_EQ(pagemap_set_warn_fn(note), NULL);
    CHECK_EQ(pagemap_set_warn_fn(note), note);
    pagemap_warn("100 %s of %d");
    CHECK_STR_EQ(said, "100 %s of %d");
    memset(text, 'x', sizeof text);
    text[250] = 0;
    pagemap_warn(text);
    CHECK_EQ(strlen(said), 199, "cut off");
    text[199] = 0;
    pagemap_warn(text);
    CHECK_STR_EQ(said, text);
    CHECK(!pm_warn_on(false, "no"));
    CHECK_STR_EQ(said, text);
    CHECK(pm_warn_on(true, "yes"));
    CHECK_STR_EQ(said, "yes");
    check_cancel_state(PTHREAD_CANCEL_ENABLE);
    check_cancel_state(PTHREAD_CANCEL_DISABLE);
    CHECK_EQ(pagemap_set_warn_fn(NULL), note);
}

static void warn_on_standard_error(void)
{
    int ends[2];

    REQUIRE_EQ(pipe(ends), 0);
    (void)pagemap_set_warn_fn(NULL);
    REQUIRE_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    pagemap_warn("first");
    CHECK_EQ(read(ends[0], said, sizeof said - 1), strlen("pagemap: WARNING: first\n"));
    CHECK_STR_EQ(said, "pagemap: WARNING: first\n");
}

TEST_CASE(warn, a_warning_without_one)
{
    memset(said, 0, sizeof said);
    child_run(warn_on_standard_error);
}
