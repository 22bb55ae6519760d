// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/viewers.h"

#include <string.h>

#include "test/explorer/views.h"

enum { FENCES = 4096 };

struct viewer viewers[SCHEDULE_THREADS];
/* The sequentially consistent fences, in their order: what all up to that one have seen. */
static struct fence {
    uint32_t order, seen[SCHEDULE_THREADS];
} fences[FENCES];
static unsigned fence_count;
static uint32_t last_order;
static const char *fault;

void viewers_reset(void)
{
    memset(viewers, 0, sizeof viewers);
    fence_count = 1; /* the first one has seen nothing */
    last_order = 0;
    fault = NULL;
}

void viewers_set_fault(const char *text)
{
    fault = fault != NULL ? fault : text;
}

const char *views_fault(void)
{
    return fault;
}

uint32_t viewers_last_order(void)
{
    return last_order;
}

uint32_t viewers_next_order(void)
{
    return ++last_order;
}

struct view viewers_released(unsigned thread, int order)
{
    struct viewer *viewer = &viewers[thread];
    struct view view = viewer->released;

    if (viewers_releases(order)) {
        view = viewer->now;
        view_join(&view, &viewer->followed);
    }
    for (unsigned i = 0; order == __ATOMIC_SEQ_CST && i < SCHEDULE_THREADS; i++) {
        view.seen[i] = view_later(view.seen[i], fences[fence_count - 1].seen[i]);
    }
    return view;
}

/* ---- fences ---- */

bool viewers_fenced(unsigned thread, uint32_t number, uint32_t order)
{
    unsigned i = fence_count - 1;

    while (fences[i].order > order) {
        i--;
    }
    return number <= fences[i].seen[thread];
}

/* All sequentially consistent fences are in one order; each has seen what those before it had. */
static void fence_fully(struct viewer *viewer)
{
    struct fence *before = &fences[fence_count - 1], *fence = &fences[fence_count];

    if (fence_count + 1 == FENCES) {
        viewers_set_fault("the explorer has no room for so many fences");
        return;
    }
    fence_count++;
    viewer->now.order = viewer->now.fence = fence->order = ++last_order;
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        fence->seen[i] = view_later(before->seen[i], viewer->now.seen[i]);
        viewer->now.seen[i] = fence->seen[i];
    }
}

void views_fence(unsigned thread, int order)
{
    struct viewer *viewer = &viewers[thread];

    if (viewers_acquires(order)) {
        view_join(&viewer->now, &viewer->acquired);
    }
    if (order == __ATOMIC_SEQ_CST) {
        fence_fully(viewer);
    }
    if (viewers_releases(order)) {
        viewer->released = viewer->now;
        view_join(&viewer->released, &viewer->followed);
    }
}

struct view views_barrier_begin(unsigned caller)
{
    views_fence(caller, __ATOMIC_SEQ_CST);
    return viewers[caller].now;
}

void views_barrier_interrupt(unsigned caller, const struct view *begin, unsigned thread)
{
    view_join(&viewers[thread].now, begin);
    views_fence(thread, __ATOMIC_SEQ_CST);
    view_join(&viewers[caller].now, &viewers[thread].now);
    views_fence(caller, __ATOMIC_SEQ_CST);
}

struct view views_send(unsigned thread)
{
    return viewers_released(thread, __ATOMIC_RELEASE);
}

void views_receive(unsigned thread, const struct view *sent)
{
    view_join(&viewers[thread].now, sent);
}

uint32_t views_number(unsigned thread)
{
    return viewers[thread].number;
}

bool views_happened(unsigned thread, unsigned other, uint32_t number)
{
    return number <= viewers[thread].now.before[other];
}
