// SPDX-License-Identifier: BSD-2-Clause
/* What an emulated system takes and does not do. */
#ifndef PAGEMAP_TEST_EMULATED_H
#define PAGEMAP_TEST_EMULATED_H

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pagemap/types.h"

/*
 * Whether madvise(MADV_DONTFORK) keeps pages from children. qemu-user says that it has, as to most advice, and does
 * nothing: in its children they are there, which msync(2) of the page tells.
 */
static inline bool emulated_keeps_from_children(void)
{
    void *page = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status = 1;
    pid_t child;

    if (page == MAP_FAILED || madvise(page, PAGE_SIZE, MADV_DONTFORK) != 0) {
        return false;
    }
    child = fork();
    if (child == 0) {
        _exit(msync(page, PAGE_SIZE, MS_ASYNC) != 0 ? 0 : 1); /* ENOMEM: nothing is mapped there */
    }
    (void)waitpid(child, &status, 0);
    (void)munmap(page, PAGE_SIZE);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
