// SPDX-License-Identifier: BSD-2-Clause
/* The map of functions while libraries come and go, without signals: threads count as signal handlers do. */
#define _GNU_SOURCE /* gettid */
#include "examples/pcmap/objects.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "examples/pcmap/elf_functions.h"
#include "examples/pcmap/linker.h"
#include "test/shim/ctest.h"

enum { COUNTERS = 2, ROUNDS = 100 };

static const char *const path[] = {"examples/pcmap/libalpha.so", "examples/pcmap/libbeta.so"};
static const char *const hot[] = {"alpha_hot", "beta_hot"};

static uint64_t target; /* where a function of the libraries is or was, by any name; 0: not known yet */
static uint64_t counted;
static bool stopping;

/* What the visitors were told. What is in doubt belongs to nobody if the object is gone. */
static uint64_t told_of[2], told_in_doubt;

static void tell(const char *function, const char *object, uint64_t samples, uint64_t in_doubt, bool gone)
{
    unsigned which = strcmp(object, path[1]) == 0;

    CHECK_STR_EQ(object, path[which]);
    (void)function; /* a section, if it was counted before the functions were entered */
    told_in_doubt += gone ? in_doubt : 0;
    told_of[which] += gone ? samples : samples + in_doubt;
}

static void *count(void *unused)
{
    uint64_t found = 0;

    (void)unused;
    while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
        uint64_t pc = __atomic_load_n(&target, __ATOMIC_RELAXED);

        found += pc != 0 && objects_count(pc, 1);
    }
    (void)__atomic_fetch_add(&counted, found, __ATOMIC_RELAXED);
    return NULL;
}

/* One library comes, is known by its names and no others, is counted, and goes. */
static void come_and_go(unsigned which)
{
    char function[64], object[64];
    struct rangemap_entry entry;
    void *library = dlopen(path[which], RTLD_NOW | RTLD_LOCAL);
    uint64_t pc;

    REQUIRE(library != NULL, "%s", dlerror());
    pc = (uint64_t)(uintptr_t)dlsym(library, hot[which]);
    __atomic_store_n(&target, pc, __ATOMIC_RELAXED);
    REQUIRE_EQ(objects_find(pc + 4, &entry, function, object, sizeof object), 0);
    CHECK_EQ(entry.start, pc);
    CHECK_STR_EQ(function, hot[which]);
    CHECK_STR_EQ(object, path[which]);
    for (unsigned i = 0; i < 100; i++) {
        (void)__atomic_fetch_add(&counted, objects_count(pc, 1), __ATOMIC_RELAXED);
    }
    (void)dlclose(library);
    CHECK_EQ(objects_find(pc, &entry, function, object, sizeof object), -ENOENT);
}

/*
 * While the linker unmaps something, what is counted is a library's own only if that stays. The linker's word is given
 * here, ahead of its own.
 */
static void come_and_go_in_doubt(void)
{
    void *library = dlopen(path[0], RTLD_NOW | RTLD_LOCAL);
    uint64_t pc;

    REQUIRE(library != NULL, "%s", dlerror());
    pc = (uint64_t)(uintptr_t)dlsym(library, hot[0]);
    objects_changed(true);
    for (unsigned i = 0; i < 7; i++) {
        counted += objects_count(pc, 1);
    }
    objects_changed(false); /* it stays */
    objects_changed(true);
    for (unsigned i = 0; i < 3; i++) {
        counted += objects_count(pc, 1);
    }
    (void)dlclose(library);
    REQUIRE_EQ(rangemap_domain_barrier(objects_domain), 0); /* nobody else is there yet */
    CHECK_EQ(told_of[0], 7);
    CHECK_EQ(told_in_doubt, 3);
}

TEST_CASE(objects, no_count_is_lost)
{
    const char *wrong;
    pthread_t thread[COUNTERS];

    REQUIRE_EQ(objects_begin(tell), 0);
    wrong = linker_follow(objects_changed);
    REQUIRE(wrong == NULL, "%s", wrong);
    come_and_go_in_doubt();
    for (unsigned i = 0; i < COUNTERS; i++) {
        REQUIRE_EQ(pthread_create(&thread[i], NULL, count, NULL), 0);
    }
    for (unsigned round = 0; round < ROUNDS * test_scale(); round++) {
        come_and_go(round % 2);
    }
    __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < COUNTERS; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    REQUIRE(objects_try_lock());
    CHECK(!objects_try_lock());
    objects_visit(tell);
    objects_unlock();
    objects_ignore(true);
    CHECK_EQ(told_of[0] + told_of[1] + told_in_doubt, counted);
    CHECK_GE(told_of[0], ROUNDS / 2 * 100);
    CHECK_GE(told_of[1], ROUNDS / 2 * 100);
    CHECK_EQ(objects_lost, 0);
}

/* ---- which names are chosen ---- */

extern int chosen(void);
extern int __chosen(void) __attribute__((alias("chosen")));

__attribute__((noinline)) int chosen(void)
{
    return (int)test_scale();
}

/*
 * Of size 0, as assembly without .size is: 16 bytes up to the next symbol, in which two others lie, one at its start.
 */
__asm__(".text\n.balign 16\n.type sizeless, @function\nsizeless:\n.skip 16, 0xcc\n"
        ".type outer, @function\nouter:\n.type first, @function\nfirst:\n.size first, 4\n.skip 4, "
        "0xcc\n.type inner, @function\ninner:\n.skip 4, 0xcc\n"
        ".size inner, 4\n.skip 8, 0xcc\n.size outer, 16\n");

static const struct elf_function *named(const struct elf_functions *functions, const char *name)
{
    for (size_t i = 0; i < functions->count; i++) {
        if (strcmp(functions->names + functions->list[i].name, name) == 0) {
            return &functions->list[i];
        }
    }
    return NULL;
}

TEST_CASE(elf_functions, names_and_bounds)
{
    const struct elf_function *sizeless, *outer, *first, *inner;
    struct elf_functions functions;

    REQUIRE_EQ(elf_functions_of_file("/proc/self/exe", "/proc/self/exe", &functions), 0);
    CHECK(named(&functions, "chosen") != NULL);
    CHECK(named(&functions, "__chosen") == NULL, "the same code under a name with underscores");
    REQUIRE(named(&functions, "[.text]") != NULL);
    CHECK(named(&functions, "[.text]") < named(&functions, "chosen"), "sections are entered first");
    sizeless = named(&functions, "sizeless");
    outer = named(&functions, "outer");
    first = named(&functions, "first");
    inner = named(&functions, "inner");
    REQUIRE(sizeless != NULL && outer != NULL && first != NULL && inner != NULL);
    CHECK_EQ(sizeless->last - sizeless->start, 15);
    CHECK_EQ(outer->last - outer->start, 15);
    CHECK_EQ(inner->start - outer->start, 4);
    CHECK_EQ(inner->last - inner->start, 3);
    CHECK(first > outer && inner > outer, "what lies inside is entered later");
    elf_functions_free(&functions);
}

TEST_CASE(elf_functions, what_is_no_elf_file)
{
    struct elf_functions functions;

    CHECK_EQ(elf_functions_of_file("/nonexistent", "/nonexistent", &functions), -ENOENT);
    CHECK_EQ(elf_functions_of_file("/proc/self/status", "/proc/self/status", &functions), -ENOEXEC);
    CHECK_EQ(elf_functions_of_image("no ELF", 6, &functions), -ENOEXEC);
}
