// SPDX-License-Identifier: BSD-2-Clause
/* Records, rosters, shards and light sections by themselves, which tell of each access to a shared word. */
#define _GNU_SOURCE /* syscall */
#include "rangemap/base/fence.c"
#include "rangemap/epoch/domain.c"
#include "rangemap/epoch/grace.c"
#include "rangemap/epoch/light.c"
#include "rangemap/epoch/own.c"
#include "rangemap/epoch/reclaim.c"
#include "rangemap/epoch/record.c"
#include "rangemap/epoch/roster.c"
