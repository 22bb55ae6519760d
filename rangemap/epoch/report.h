// SPDX-License-Identifier: BSD-2-Clause
/* What a domain can tell about itself. Any context; touches only shared words. */
#ifndef RANGEMAP_EPOCH_REPORT_H
#define RANGEMAP_EPOCH_REPORT_H

#include "rangemap/epoch/record.h"

/* The thread whose section is furthest behind the domain's epoch; else one that works on a shard with garbage. */
RM_INTERNAL void rm_report_blocker(struct rangemap_domain *domain, struct rangemap_blocker *blocker);

RM_INTERNAL void rm_report_statistics(struct rangemap_domain *domain,
                                      struct rangemap_domain_statistics *statistics);

#endif
