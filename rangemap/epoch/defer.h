// SPDX-License-Identifier: BSD-2-Clause
/* The caller's own objects that wait for a grace period: what struct rangemap_deferred is inside. */
#ifndef RANGEMAP_EPOCH_DEFER_H
#define RANGEMAP_EPOCH_DEFER_H

#include "rangemap/epoch/garbage.h"
#include "rangemap/rangemap.h"

/* Makes *deferred garbage that ends with run(deferred, context). */
RM_INTERNAL struct rm_garbage *rm_defer_prepare(struct rangemap_deferred *deferred, rangemap_deferred_fn *run,
                                                void *context);

#endif
