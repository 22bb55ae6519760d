// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"
#include "pagemap/base/cancel.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/map.h"

/* What is plugged in, in no order: few, and looked up by memremap_pages() only. */
static struct pagemap_memory *plugged;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct kind {
    const char *name;
    pm_open_fn *open;
    bool has_path, has_size; /* its own, where none is given */
} kinds[] = {
    [PAGEMAP_MEMFD] = {"memfd", pm_open_memfd, false, false},
    [PAGEMAP_HUGETLB] = {"hugetlb", pm_open_hugetlb, false, false},
    [PAGEMAP_FILE] = {"file", pm_open_file, true, true},
    [PAGEMAP_DEVDAX] = {"devdax", pm_open_devdax, true, true},
    [PAGEMAP_FD] = {"fd", pm_open_fd, false, true},
};

static const struct kind *check_options(const struct pagemap_memory_options *options)
{
    const struct kind *kind;

    if (options == NULL || (unsigned)options->kind >= sizeof kinds / sizeof *kinds) {
        return NULL;
    }
    kind = &kinds[options->kind];
    if (kind->has_path != (options->path != NULL) || (!kind->has_size && options->bytes == 0) ||
        (options->offset != 0 && options->kind != PAGEMAP_FD) ||
        (options->huge_page_bytes != 0 && options->kind != PAGEMAP_HUGETLB) ||
        options->bytes % PAGE_SIZE != 0 || options->bytes >> MAX_PHYSMEM_BITS != 0) {
        return NULL;
    }
    return kind;
}

static void tell(const struct pagemap_memory_options *options, const char *message)
{
    if (options != NULL && options->message != NULL) {
        (void)snprintf(options->message, options->message_size, "%s", message);
    }
}

static int fail(struct pagemap_memory *memory, const struct pagemap_memory_options *options, int error)
{
    if (*memory->report == 0 && error != -EINVAL) {
        (void)snprintf(memory->report, sizeof memory->report, "%s: the system refused %s (errno %d)",
                       kinds[options->kind].name, options->path != NULL ? options->path : "it", -error);
    }
    tell(options, memory->report);
    if (memory->fd >= 0) {
        (void)close(memory->fd);
    }
    free(memory);
    return error;
}

/* Views and the memmap are mapped page by page, of PAGE_SIZE: larger ones, which arm64 may have, cannot be. */
static int check_pages(struct pagemap_memory *made, const struct pagemap_memory_options *options)
{
    long bytes = sysconf(_SC_PAGESIZE);

    if (bytes == (long)PAGE_SIZE) {
        return 0;
    }
    (void)snprintf(made->report, sizeof made->report, "%s: pages of this system have %ld bytes, not %lu",
                   kinds[options->kind].name, bytes, PAGE_SIZE);
    return -EOPNOTSUPP;
}

static int create(const struct kind *kind, const struct pagemap_memory_options *options,
                  struct pagemap_memory **memory)
{
    struct pagemap_memory *made = pm_alloc(sizeof *made);
    int error;

    if (made == NULL) {
        return -ENOMEM;
    }
    made->fd = PM_NO_FD;
    made->map_flags = MAP_SHARED;
    made->granule = PAGE_SIZE;
    error = check_pages(made, options);
    if (error == 0) {
        error = kind->open(made, options);
    }
    if (error != 0) {
        return fail(made, options, error);
    }
    if (*made->report == 0) {
        (void)snprintf(made->report, sizeof made->report, "%s", kind->name);
    }
    *memory = made;
    return 0;
}

int pagemap_memory_create(const struct pagemap_memory_options *options, struct pagemap_memory **memory)
{
    const struct kind *kind = check_options(options);
    int error, cancel;

    tell(options, "");
    if (kind == NULL || memory == NULL) {
        return -EINVAL;
    }
    cancel = pm_cancel_off();
    error = create(kind, options, memory);
    pm_cancel_restore(cancel);
    return error;
}

int pagemap_memory_destroy(struct pagemap_memory *memory)
{
    int cancel;
    bool busy;

    if (memory == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&lock);
    busy = memory->plugged;
    (void)pthread_mutex_unlock(&lock);
    if (busy) {
        return -EBUSY;
    }
    cancel = pm_cancel_off();
    (void)close(memory->fd);
    pm_cancel_restore(cancel);
    free(memory);
    return 0;
}

uint64_t pagemap_memory_bytes(const struct pagemap_memory *memory)
{
    return memory->bytes;
}

uint64_t pagemap_memory_granule(const struct pagemap_memory *memory)
{
    return memory->granule;
}

bool pagemap_memory_is_sync(const struct pagemap_memory *memory)
{
    return memory->is_sync;
}

uint64_t pagemap_memory_resident(const struct pagemap_memory *memory)
{
    struct stat status;

    return fstat(memory->fd, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

const char *pagemap_memory_report(const struct pagemap_memory *memory)
{
    return memory->report;
}

static int check_place(const struct pagemap_memory *memory, phys_addr_t start)
{
    if (memory->plugged) {
        return -EBUSY;
    }
    for (const struct pagemap_memory *at = plugged; at != NULL; at = at->next) {
        if (at->start < start + memory->bytes && start < at->start + at->bytes) {
            return -EEXIST;
        }
    }
    return 0;
}

int pagemap_memory_plug(struct pagemap_memory *memory, phys_addr_t start)
{
    const phys_addr_t last = start + memory->bytes - PAGE_SIZE; /* the last page's, where it does not wrap */
    int error;

    if (start % memory->granule != 0 || (start | last) >> MAX_PHYSMEM_BITS != 0) {
        return -EINVAL;
    }
    (void)pthread_mutex_lock(&lock);
    error = check_place(memory, start);
    if (error == 0) {
        memory->start = start;
        memory->plugged = true;
        memory->next = plugged;
        plugged = memory;
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}

int pagemap_memory_unplug(struct pagemap_memory *memory)
{
    struct pagemap_memory **link = &plugged;
    int error = 0;

    (void)pthread_mutex_lock(&lock);
    if (!memory->plugged || memory->users > 0) {
        error = memory->plugged ? -EBUSY : -EINVAL;
    } else {
        while (*link != memory) {
            link = &(*link)->next;
        }
        *link = memory->next;
        memory->plugged = false;
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}

struct pagemap_memory *pm_memory_use(phys_addr_t start, uint64_t bytes, uint64_t *offset)
{
    struct pagemap_memory *at;

    (void)pthread_mutex_lock(&lock);
    for (at = plugged; at != NULL; at = at->next) {
        if (at->start <= start && start + bytes <= at->start + at->bytes) {
            at->users++;
            *offset = start - at->start;
            break;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return at;
}

void pm_memory_unuse(struct pagemap_memory *memory)
{
    if (memory != NULL) {
        (void)pthread_mutex_lock(&lock);
        memory->users--;
        (void)pthread_mutex_unlock(&lock);
    }
}

static enum pm_pages pages_of(const struct pagemap_memory *memory)
{
    return memory->is_devdax ? PM_PAGES_OF_DEVICE : PM_PAGES_SMALL;
}

int pm_memory_map(const struct pagemap_memory *memory, void *address, uint64_t offset, uint64_t bytes,
                  int prot)
{
    void *mapped = pm_mmap(address, bytes, prot, memory->map_flags | MAP_FIXED, memory->fd,
                           (off_t)(memory->offset + offset));

    return mapped == MAP_FAILED ? -errno : pm_advise(mapped, bytes, pages_of(memory)) ? 0 : -ENOMEM;
}

int pm_memory_map_lazily(const struct pagemap_memory *memory, void *address, uint64_t offset, uint64_t bytes,
                         int prot)
{
    return pm_area_map(address, bytes, prot, memory->map_flags, memory->fd, (off_t)(memory->offset + offset),
                       pages_of(memory));
}

static bool punch_hole(const struct pagemap_memory *memory, uint64_t offset, uint64_t bytes)
{
    int cancel = pm_cancel_off();
    int error = fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                          (off_t)(memory->offset + offset), (off_t)bytes);

    pm_cancel_restore(cancel);
    return error == 0;
}

int pm_memory_zero(const struct pagemap_memory *memory, uint64_t offset, uint64_t bytes)
{
    void *address;

    if (punch_hole(memory, offset, bytes)) {
        return 0;
    }
    address = pm_mmap(NULL, bytes, PROT_READ | PROT_WRITE, memory->map_flags, memory->fd,
                      (off_t)(memory->offset + offset));
    if (address == MAP_FAILED) {
        return -errno;
    }
    memset(address, 0, bytes);
    (void)munmap(address, bytes);
    return 0;
}
