// SPDX-License-Identifier: BSD-2-Clause
/* WARN_ON(): a caller broke a rule that the library survives. */
#ifndef PAGEMAP_BASE_WARN_H
#define PAGEMAP_BASE_WARN_H

#include <stdbool.h>

#include "pagemap/base/compiler.h"

/* Tells the handler (pagemap_set_warn_fn()), or standard error. */
PM_INTERNAL void pm_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As the kernel's WARN_ON(): warns with `what` if `condition`, and returns it. */
static inline bool pm_warn_on(bool condition, const char *what)
{
    if (PM_UNLIKELY(condition)) {
        pm_warn("%s", what);
    }
    return condition;
}

#endif
