// SPDX-License-Identifier: BSD-2-Clause
/* What the library itself has mapped for the process, and its end. */
#ifndef RANGEMAP_EPOCH_UNLOAD_H
#define RANGEMAP_EPOCH_UNLOAD_H

#include <stdbool.h>

#include "rangemap/base/compiler.h"

/*
 * When the library is loaded: from then on exit is told from dlclose(). Called by a part of every program, so that
 * the destructors here are, too.
 */
RM_INTERNAL void rm_unload_prepare(void);

/* rangemap_unload(). */
RM_INTERNAL int rm_unload(bool others_are_done);

#endif
