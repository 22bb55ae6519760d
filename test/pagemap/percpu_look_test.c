// SPDX-License-Identifier: BSD-2-Clause
/*
 * A reference is exited before any one instruction of a look at it, with a sanitizer before one in some: the look sees
 * what there was, or what exit kept.
 */
#define _GNU_SOURCE /* REG_EFL */
#include "pagemap/pagemap.h"
#include "pagemap/percpu_ref.h"
#include "test/shim/step.h"

static struct percpu_ref ref;
static unsigned mode;
static uint64_t count;
static bool is_zero;

static void begin(void)
{
    REQUIRE_EQ(percpu_ref_init(&ref, NULL, mode), 0);
    percpu_ref_get_many(&ref, 2); /* in percpu mode, not where the first one is */
}

static void look(void)
{
    count = percpu_ref_count(&ref);
    is_zero = percpu_ref_is_zero(&ref);
}

static void end(void)
{
    percpu_ref_exit(&ref);
}

static void check(void)
{
    REQUIRE_EQ(count, 3u, "instruction %lu", (unsigned long)step.at);
    REQUIRE(!is_zero, "instruction %lu", (unsigned long)step.at);
}

static void begin_again(void)
{
    CHECK_EQ(pagemap_barrier(), 0);
    begin();
}

static void step_through_all(unsigned flags)
{
    mode = flags;
    begin();
    step_everywhere();
    end();
    CHECK_EQ(pagemap_barrier(), 0);
}

TEST_CASE(percpu_look, exited_before_any_instruction)
{
    if (!STEP_WORKS) {
        TEST_SKIP("only x86-64 traps after each instruction");
    }
    memset(&step, 0, sizeof step);
    step.in_handler = true;
    step.act = look;
    step.interfere = end;
    step.check = check;
    step.restore = begin_again;
    step_prepare();
    step_through_all(0);
    step_through_all(PERCPU_REF_INIT_ATOMIC);
}
