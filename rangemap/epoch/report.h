// SPDX-License-Identifier: BSD-2-Clause
/* What a domain can tell about itself. */
#ifndef RANGEMAP_EPOCH_REPORT_H
#define RANGEMAP_EPOCH_REPORT_H

#include "rangemap/epoch/thread.h"

/* The thread whose section is furthest behind the domain's epoch. Wait-free; touches only shared words. */
RM_INTERNAL void rm_report_blocker(struct rangemap_domain *domain, struct rangemap_blocker *blocker);

#endif
