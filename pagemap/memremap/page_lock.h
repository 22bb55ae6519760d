// SPDX-License-Identifier: BSD-2-Clause
#ifndef PAGEMAP_MEMREMAP_PAGE_LOCK_H
#define PAGEMAP_MEMREMAP_PAGE_LOCK_H

#include "pagemap/base/compiler.h"
#include "pagemap/memremap.h"

/* wait_on_page_idle() for a caller that has a reference on `pgmap`, or on pages of it, until it returns. */
PM_INTERNAL void pm_wait_idle_held(struct page *head, struct dev_pagemap *pgmap);

#endif
