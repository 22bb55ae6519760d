// SPDX-License-Identifier: BSD-2-Clause
/*
 * A place in the sources where a memory order can be taken away: test/mutations/weaken.h.
 *
 * A macro, since only it knows where it stands.
 */
#ifndef RANGEMAP_TEST_MUTATIONS_SITE_H
#define RANGEMAP_TEST_MUTATIONS_SITE_H

#include <stdbool.h>
#include <stdint.h>

struct rm_site {
    const char *file, *function, *access;
    uint32_t is_weak;    /* else with the order that its name says */
    uint32_t is_reached; /* the explorer's: some thread came by */
} __attribute__((aligned(32)));

static inline bool rm_is_weak(struct rm_site *site)
{
#if defined(RANGEMAP_EXPLORER)
    site->is_reached = 1;
#endif
    return site->is_weak;
}

/* In a section of their own, where a program finds all of them. */
#define RM_SITE(name)                                                                                        \
    __extension__({                                                                                          \
        static struct rm_site site                                                                           \
            __attribute__((section("rm_sites"), used)) = {__FILE__, __func__, name, 0, 0};                   \
        &site;                                                                                               \
    })

#endif
