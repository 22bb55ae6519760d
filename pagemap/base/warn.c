// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/warn.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "pagemap/base/cancel.h"
#include "pagemap/pagemap.h"

static pagemap_warn_fn *handler;

pagemap_warn_fn *pagemap_set_warn_fn(pagemap_warn_fn *warn)
{
    return __atomic_exchange_n(&handler, warn, __ATOMIC_ACQ_REL);
}

void pagemap_warn(const char *message)
{
    pm_warn("%s", message);
}

void pm_warn(const char *format, ...)
{
    pagemap_warn_fn *warn = __atomic_load_n(&handler, __ATOMIC_ACQUIRE);
    char message[200];
    va_list arguments;
    int cancel = pm_cancel_off();

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (warn != NULL) {
        warn(message);
    } else {
        (void)fprintf(stderr, "pagemap: WARNING: %s\n", message);
    }
    pm_cancel_restore(cancel);
}
