// SPDX-License-Identifier: BSD-2-Clause
/*
 * Concurrency Kit, and a clear word where it is missing, too old or another machine's. There is no version to
 * compare, since CK_VERSION is a string: ck_ec.h came with 0.7.0, as did the functions of ck_epoch.h that we call.
 */
#ifndef RANGEMAP_BASE_CK_H
#define RANGEMAP_BASE_CK_H

#include "rangemap/base/compiler.h"

#if !__has_include(<ck_epoch.h>)
#error "rangemap needs Concurrency Kit (libck-dev in Debian, ck-devel in Fedora): ck_epoch.h is not found"
#elif !__has_include(<ck_ec.h>)
#error "rangemap needs Concurrency Kit 0.7.0 or later: this one lacks ck_ec.h, which came with it"
#endif

#include <ck_md.h>

/* On a processor that reorders more, ck_pr's fences would be missing. */
#if defined(CK_MD_TSO) && !defined(__x86_64__)
#error                                                                                                       \
    "ck_md.h says that this processor has total store order: Concurrency Kit was configured for another one"
#endif

#include <ck_epoch.h>
#include <ck_pr.h>

#endif
