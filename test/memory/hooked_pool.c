// SPDX-License-Identifier: BSD-2-Clause
/* The pool by itself, which tells of each access to a shared word: base/explorer.h. */
#include "rangemap/base/clock.c"
#include "rangemap/base/system.c"
#include "rangemap/memory/cache.c"
#include "rangemap/memory/chunk.c"
#include "rangemap/memory/grow.c"
#include "rangemap/memory/home.c"
#include "rangemap/memory/pool.c"
#include "rangemap/memory/shrink.c"
#include "rangemap/memory/table.c"
