// SPDX-License-Identifier: BSD-2-Clause
/* Ranges of bytes: those of pagemap. */
#ifndef PAGEMAP_COMPAT_LINUX_RANGE_H
#define PAGEMAP_COMPAT_LINUX_RANGE_H

#include <linux/types.h>

static inline bool range_contains(const struct range *outer, const struct range *inner)
{
    return outer->start <= inner->start && outer->end >= inner->end;
}

#endif
