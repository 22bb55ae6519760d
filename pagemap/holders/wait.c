// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "pagemap/base/warn.h"
#include "pagemap/gup.h"
#include "pagemap/holders.h"
#include "pagemap/holders/report.h"
#include "pagemap/page/mapped.h"
#include "pagemap/statistics/statistics.h"

enum { LINES = 16, LONGEST_MS = 600000 };

static unsigned delay_ms = 1000;

unsigned pagemap_set_holders_delay(unsigned milliseconds)
{
    return __atomic_exchange_n(&delay_ms, milliseconds, __ATOMIC_RELAXED);
}

/* "3 references", or for pins "2 pins", "2 pins + 1". */
static void count_text(const struct pagemap_holder *holder, char *text, size_t size)
{
    unsigned long long pins = holder->references / GUP_PIN_COUNTING_BIAS;
    unsigned long long rest = holder->references % GUP_PIN_COUNTING_BIAS;

    if (pins == 0) {
        (void)snprintf(text, size, "%llu reference%s", rest, rest == 1 ? "" : "s");
    } else if (rest == 0) {
        (void)snprintf(text, size, "%llu pin%s", pins, pins == 1 ? "" : "s");
    } else {
        (void)snprintf(text, size, "%llu pin%s + %llu", pins, pins == 1 ? "" : "s", rest);
    }
}

static void warn_line(const struct pagemap_holder *holder, void *lines)
{
    unsigned long long first = holder->pfn, last = holder->pfn + holder->nr_pages - 1;
    const char *name = holder->name != NULL ? holder->name : "(not recorded)";
    char count[sizeof "18446744073709551615 pins + 1023"];

    if (++*(unsigned *)lines > LINES) {
        return;
    }
    count_text(holder, count, sizeof count);
    if (holder->kind == PAGEMAP_HELD_BY_FILE) {
        pm_warn("  pfn %#llx-%#llx: in file %s", first, last, name);
    } else if (holder->kind == PAGEMAP_HELD_PAGE) {
        pm_warn("  pfn %#llx-%#llx: %s each: %s", first, last, count, name);
    } else {
        pm_warn("  the dev_pagemap: %llu: %s", (unsigned long long)holder->references, name);
    }
}

static void tell(struct dev_pagemap *pgmap, uint64_t waited_ms)
{
    unsigned lines = 0;

    pm_warn("device memory from %#llx on is waited for since %llu ms; held by",
            (unsigned long long)pgmap->ranges[0].start, (unsigned long long)waited_ms);
    (void)pm_report_pagemap(pgmap, warn_line, &lines);
    if (lines > LINES) {
        pm_warn("  and %u more", lines - LINES);
    }
}

static void wait_telling(const void *word, pm_condition_fn *done, void *context, struct dev_pagemap *pgmap)
{
    uint64_t delay = __atomic_load_n(&delay_ms, __ATOMIC_RELAXED), waited = 0;

    if (delay == 0 || pgmap == NULL) {
        pm_wait_var(word, done, context);
        return;
    }
    while (!pm_wait_var_for(word, done, context, delay)) {
        waited += delay;
        tell(pgmap, waited);
        delay = delay > LONGEST_MS / 4 ? LONGEST_MS : delay * 4;
    }
}

void pm_wait_telling(const void *word, pm_condition_fn *done, void *context, struct dev_pagemap *pgmap)
{
    if (!done(context)) {
        uint64_t began = pm_count_wait();

        wait_telling(word, done, context, pgmap);
        pm_count_wait_end(began);
    }
}
