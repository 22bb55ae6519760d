// SPDX-License-Identifier: BSD-2-Clause
/*
 * A registration cache in the making: this program's malloc, free, mmap and munmap keep a map of what is allocated,
 * with the allocator's lock held. The lock tells if it is taken twice by a thread: then the library has called malloc
 * or mmap in the middle of an update, or has run a callback there, which frees memory. Forty thread keys are taken,
 * so that pthread_setspecific() would need memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
void *__libc_malloc(size_t bytes);
void __libc_free(void *memory);

enum { KEYS = 40, THREADS = 4, ROUNDS = 4000, HELD = 32, LEAST_BYTES = 1024, PAGE_BYTES = 4096 };

static pthread_mutex_t allocator_lock;
static struct rangemap_domain *domain;
static struct rangemap *allocations;
static atomic_uint reentered, registered, released, failed;

/* False: this thread is in the allocator already. */
static bool lock_allocator(void)
{
    if (allocations == NULL) {
        return false;
    }
    if (pthread_mutex_lock(&allocator_lock) == EDEADLK) {
        reentered++;
        return false;
    }
    return true;
}

static void unlock_allocator(void)
{
    (void)pthread_mutex_unlock(&allocator_lock);
}

static void note(int error)
{
    failed += error != 0 && error != -ENOENT;
}

/* What a cache would know of a piece of memory. */
static void enter_range(void *memory, size_t bytes)
{
    int before = errno;
    void *registration = __libc_malloc(16);

    registered++;
    note(rangemap_store(allocations, (uintptr_t)memory, (uintptr_t)memory + bytes - 1, registration, NULL,
                        NULL));
    if (errno != before) {
        failed++;
    }
}

void *malloc(size_t bytes)
{
    bool locked = lock_allocator();
    void *memory = __libc_malloc(bytes);

    if (locked) {
        if (memory != NULL && bytes >= LEAST_BYTES) {
            enter_range(memory, bytes);
        }
        unlock_allocator();
    }
    return memory;
}

void free(void *memory)
{
    if (memory != NULL && lock_allocator()) {
        if (rangemap_lookup(allocations, (uintptr_t)memory, NULL) == 0) {
            note(rangemap_erase(allocations, (uintptr_t)memory, NULL));
        }
        __libc_free(memory);
        unlock_allocator();
    } else {
        __libc_free(memory);
    }
}

void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    bool locked = lock_allocator();
    void *pages = (void *)syscall(SYS_mmap, address, bytes, protection, flags, file, offset);

    if (locked) {
        if (pages != MAP_FAILED) {
            enter_range(pages, bytes);
        }
        unlock_allocator();
    }
    return pages;
}

int munmap(void *address, size_t bytes)
{
    bool locked = lock_allocator();

    if (locked) {
        note(rangemap_carve(allocations, (uintptr_t)address, (uintptr_t)address + bytes - 1, NULL, NULL));
        unlock_allocator();
    }
    return (int)syscall(SYS_munmap, address, bytes);
}

/* As a user would write it: gives memory back, and so takes the allocator's lock. */
static void release(void *registration, void *context)
{
    (void)context;
    released++;
    free(registration);
}

static void retain(void *registration, void *context)
{
    (void)registration;
    (void)context;
    failed++; /* no allocation is cut in two */
}

static void *allocate_and_free(void *index)
{
    struct prng prng = prng_stream(test_seed(), (uintptr_t)index);
    void *held[HELD] = {NULL};

    for (unsigned i = 0; i < ROUNDS * test_scale(); i++) {
        unsigned at = (unsigned)prng_below(&prng, HELD);

        free(held[at]);
        held[at] = malloc(LEAST_BYTES + prng_below(&prng, 8 * LEAST_BYTES));
        if (prng_below(&prng, 16) == 0) {
            void *pages = mmap(NULL, PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            REQUIRE_NE(pages, MAP_FAILED);
            (void)munmap(pages, PAGE_BYTES);
        }
    }
    for (unsigned i = 0; i < HELD; i++) {
        free(held[i]);
    }
    return NULL;
}

static atomic_bool is_over;

static void *serve(void *context)
{
    (void)context;
    while (!is_over) {
        (void)rangemap_domain_serve(domain, 10);
    }
    return NULL;
}

static void create_map(void)
{
    struct rangemap_domain_options domain_options = {.callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED};
    struct rangemap_options options = {.release = release, .retain = retain};
    struct rangemap *map;

    REQUIRE_EQ(rangemap_domain_create(&domain_options, &domain), 0);
    options.domain = domain;
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    allocations = map;
}

static void prepare(void)
{
    pthread_mutexattr_t attributes;
    pthread_key_t key;

    REQUIRE_EQ(pthread_mutexattr_init(&attributes), 0);
    REQUIRE_EQ(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK), 0);
    REQUIRE_EQ(pthread_mutex_init(&allocator_lock, &attributes), 0);
    for (unsigned i = 0; i < KEYS; i++) {
        REQUIRE_EQ(pthread_key_create(&key, NULL), 0);
    }
}

TEST_CASE(hooks, a_map_inside_the_allocator)
{
    pthread_t server, thread[THREADS];
    struct rangemap *map;

    prepare();
    create_map();
    REQUIRE_EQ(pthread_create(&server, NULL, serve, NULL), 0);
    for (uintptr_t i = 0; i < THREADS; i++) {
        REQUIRE_EQ(pthread_create(&thread[i], NULL, allocate_and_free, (void *)i), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    is_over = true;
    (void)pthread_join(server, NULL);
    map = allocations;
    allocations = NULL; /* from here on memory is not watched */
    CHECK_EQ(reentered, 0u, "malloc, mmap or a callback in the middle of an update");
    CHECK_EQ(failed, 0u);
    CHECK_GT(registered, ROUNDS);
    CHECK_EQ(rangemap_validate(map, NULL, 0), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(released, registered);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
#else
TEST_CASE(hooks, a_map_inside_the_allocator)
{
    TEST_SKIP("malloc is the sanitizer's");
}
#endif
