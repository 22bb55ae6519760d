// SPDX-License-Identifier: BSD-2-Clause
/* What the processes leave in their slots, gathered while they come and go. */
#ifndef EXAMPLES_VMWATCH_COLLECT_H
#define EXAMPLES_VMWATCH_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/vmwatch/slots.h"

struct total {
    unsigned followed, compared, not_compared;
    unsigned long long differ, explained, lost;
    unsigned long long comparisons; /* while processes ran */
};

struct collector {
    struct slots *slots;
    const char *reports;  /* a folder for a file of each process, or NULL */
    bool quiet;           /* says nothing of processes that agree */
    uint32_t told[SLOTS]; /* comparisons of each that have been spoken of while it runs */
    struct total total;
};

/* Takes what has ended. True: a process that has not ended is left. */
bool collect(struct collector *collector);

/* Takes the rest as it is; children that are being born are awaited, though not for long. */
void collect_rest(struct collector *collector);

#endif
