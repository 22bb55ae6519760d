// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names of the holders of references, by what they are on. A thread that gets a reference records it after it has it,
 * and forgets it before it puts it, so that never more are recorded than there are.
 */
#ifndef PAGEMAP_PAGE_RECORD_H
#define PAGEMAP_PAGE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "pagemap/base/compiler.h"

enum { PM_HOLDER_NAME = 32 };

/* References of one name on one thing. */
struct pm_record {
    uint64_t references;
    char name[PM_HOLDER_NAME];
};

/* Whether any is recorded. Written by pagemap_record_holders() under its lock. */
PM_INTERNAL extern bool pm_recording;

/* What a record is about: a pfn (the first of a compound page), or the address of a dev_pagemap, marked. */
static inline uint64_t pm_pagemap_key(const void *pgmap)
{
    return (uint64_t)(uintptr_t)pgmap | UINT64_C(1) << 63;
}

PM_INTERNAL void pm_record_slow(uint64_t key, uint64_t references);
PM_INTERNAL void pm_forget_slow(uint64_t key, uint64_t references);

/* Relaxed: it orders nothing; the records have their own locks, under which the flag is read again. */
static inline bool pm_is_recording(void)
{
    return __atomic_load_n(&pm_recording, __ATOMIC_RELAXED);
}

static inline void pm_record(uint64_t key, uint64_t references)
{
    if (PM_UNLIKELY(pm_is_recording())) {
        pm_record_slow(key, references);
    }
}

static inline void pm_forget(uint64_t key, uint64_t references)
{
    if (PM_UNLIKELY(pm_is_recording())) {
        pm_forget_slow(key, references);
    }
}

/* Copies the first `room` records of `key`; how many. */
PM_INTERNAL unsigned pm_recorded(uint64_t key, struct pm_record *out, unsigned room);

#endif
