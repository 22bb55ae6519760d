// SPDX-License-Identifier: BSD-2-Clause
/* A percpu_ref beside plain numbers: any calls that are allowed, in any order, with each set of flags. */
#include <errno.h>
#include <string.h>

#include "pagemap/percpu_ref.h"
#include "test/pagemap/file_rig.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { LIVES = 60, CALLS = 60 };

static struct percpu_ref ref;

static struct plain {
    uint64_t count, released, confirmed, warnings;
    bool is_atomic, stays_atomic, is_dying, may_return;
} plain;

static uint64_t released, confirmed;

static void note_release(struct percpu_ref *gone)
{
    CHECK_EQ(gone, &ref);
    released++;
}

static void note_confirm(struct percpu_ref *switched)
{
    CHECK_EQ(switched, &ref);
    confirmed++;
}

static void check(const char *call)
{
    REQUIRE_EQ(pagemap_barrier(), 0);
    REQUIRE_EQ(percpu_ref_count(&ref), plain.count, "after %s", call);
    REQUIRE_EQ(percpu_ref_is_dying(&ref), plain.is_dying, "after %s", call);
    REQUIRE_EQ(percpu_ref_is_zero(&ref), plain.is_atomic && plain.count == 0, "after %s", call);
    REQUIRE_EQ(released, plain.released, "after %s", call);
    REQUIRE_EQ(confirmed, plain.confirmed, "after %s", call);
    REQUIRE_EQ(warnings_take(), plain.warnings, "after %s", call);
    plain.warnings = 0;
}

/* ---- what each call is to the numbers ---- */

static void begin(unsigned flags)
{
    released = confirmed = 0;
    plain = (struct plain){.is_dying = (flags & PERCPU_REF_INIT_DEAD) != 0,
                           .stays_atomic = (flags & PERCPU_REF_INIT_ATOMIC) != 0,
                           .is_atomic = (flags & (PERCPU_REF_INIT_ATOMIC | PERCPU_REF_INIT_DEAD)) != 0,
                           .may_return = flags != 0};
    plain.count = !plain.is_dying;
    REQUIRE_EQ(percpu_ref_init(&ref, note_release, flags), 0);
}

static void get(uint64_t nr)
{
    if (plain.count == 0) {
        return; /* only who has one gets more */
    }
    if (nr == 1) {
        percpu_ref_get(&ref);
    } else {
        percpu_ref_get_many(&ref, nr);
    }
    plain.count += nr;
}

static void put(uint64_t nr)
{
    nr = nr < plain.count ? nr : plain.count;
    if (nr == 1) {
        percpu_ref_put(&ref);
    } else if (nr > 0) {
        percpu_ref_put_many(&ref, nr);
    }
    plain.count -= nr;
    plain.released += nr > 0 && plain.count == 0 && plain.is_atomic;
}

static void try_get(uint64_t nr)
{
    bool expected = !plain.is_atomic || plain.count > 0;

    CHECK_EQ(nr == 1 ? percpu_ref_tryget(&ref) : percpu_ref_tryget_many(&ref, nr), expected);
    plain.count += expected ? nr : 0;
}

static void try_get_live(bool in_section)
{
    bool expected = !plain.is_dying && (!plain.is_atomic || plain.count > 0);

    if (in_section) {
        REQUIRE_EQ(pagemap_read_lock(), 0);
        CHECK_EQ(percpu_ref_tryget_live_held(&ref), expected);
        pagemap_read_unlock();
    } else {
        CHECK_EQ(percpu_ref_tryget_live(&ref), expected);
    }
    plain.count += expected;
}

/* Which calls need that somebody has one: what drops the initial one, or has one of its own for a moment. */
static bool is_held(void)
{
    return plain.count > 0 || plain.is_dying;
}

static void kill_it(bool confirms)
{
    if (!is_held()) {
        return;
    }
    if (confirms) {
        percpu_ref_kill_and_confirm(&ref, note_confirm);
    } else {
        percpu_ref_kill(&ref);
    }
    if (plain.is_dying) {
        plain.warnings++;
        return;
    }
    plain.is_dying = plain.is_atomic = true;
    plain.confirmed += confirms;
    plain.count--;
    plain.released += plain.count == 0;
}

static void to_atomic(unsigned how)
{
    if (!is_held()) {
        return;
    }
    if (how == 0) {
        percpu_ref_switch_to_atomic_sync(&ref);
    } else {
        percpu_ref_switch_to_atomic(&ref, how == 1 ? note_confirm : NULL);
    }
    plain.confirmed += how == 1;
    plain.is_atomic = plain.stays_atomic = true;
}

static void become_percpu(void)
{
    plain.warnings += plain.is_atomic && !plain.may_return;
    plain.is_atomic &= !plain.may_return;
}

static void to_percpu(void)
{
    percpu_ref_switch_to_percpu(&ref);
    plain.stays_atomic = false;
    if (!plain.is_dying) {
        become_percpu();
    }
}

static void revive(bool from_zero)
{
    bool is_legal = plain.is_dying && (!from_zero || plain.count == 0);

    if (from_zero) {
        percpu_ref_reinit(&ref);
    } else {
        percpu_ref_resurrect(&ref);
    }
    plain.warnings += !is_legal;
    if (is_legal) {
        plain.count++;
        plain.is_dying = false;
        if (!plain.stays_atomic) {
            become_percpu();
        }
    }
}

/* What it was is told, and nothing else is done with it. */
static void end(void)
{
    kill_it(false);
    plain.warnings = 0;
    (void)warnings_take();
    if (!plain.is_dying) {
        percpu_ref_switch_to_atomic_sync(&ref);
    }
    percpu_ref_exit(&ref);
    CHECK_EQ(percpu_ref_count(&ref), plain.count);
    CHECK_EQ(percpu_ref_is_zero(&ref), plain.count == 0);
    CHECK(percpu_ref_is_dying(&ref));
    CHECK(!percpu_ref_tryget(&ref));
    CHECK(!percpu_ref_tryget_many(&ref, 2));
    CHECK(!percpu_ref_tryget_live(&ref));
    CHECK_EQ(warnings_take(), 0);
    percpu_ref_kill(&ref);
    percpu_ref_switch_to_percpu(&ref);
    percpu_ref_reinit(&ref);
    percpu_ref_switch_to_atomic(&ref, note_confirm);
    CHECK_EQ(warnings_take(), 4, "used after percpu_ref_exit()");
    CHECK_EQ(percpu_ref_count(&ref), plain.count);
    CHECK_EQ(released, plain.released);
    CHECK_EQ(confirmed, plain.confirmed);
}

static const char *call(struct prng *prng)
{
    uint64_t nr = prng_between(prng, 1, 5);

    switch (prng_below(prng, 9)) {
    case 0:
        get(nr);
        return "get";
    case 1:
    case 2:
        put(nr);
        return "put";
    case 3:
        try_get(nr);
        return "tryget";
    case 4:
        try_get_live(nr % 2 != 0);
        return "tryget_live";
    case 5:
        kill_it(nr % 2 != 0);
        return "kill";
    case 6:
        to_atomic((unsigned)nr % 3);
        return "switch_to_atomic";
    case 7:
        to_percpu();
        return "switch_to_percpu";
    default:
        revive(nr % 2 != 0);
        return nr % 2 != 0 ? "reinit" : "resurrect";
    }
}

TEST_CASE(percpu_ref_model, beside_plain_numbers)
{
    struct prng prng = prng_stream(test_seed(), 4);

    warnings_count();
    for (unsigned life = 0; life < LIVES * test_scale(); life++) {
        begin(life % 8);
        check("init");
        for (unsigned i = 0; i < CALLS; i++) {
            check(call(&prng));
        }
        end();
    }
    REQUIRE_EQ(pagemap_barrier(), 0);
}

static void switch_and_wait(void *unused)
{
    (void)unused;
    percpu_ref_switch_to_atomic_sync(&ref);
}

/* One that waits, waits for whoever may still count by CPU: a section that is open. */
TEST_CASE(percpu_ref_model, a_switch_waits_for_sections)
{
    struct waiter waiter;

    REQUIRE_EQ(percpu_ref_init(&ref, NULL, 0), 0);
    REQUIRE_EQ(pagemap_read_lock(), 0);
    waiter_start(&waiter, switch_and_wait, NULL);
    CHECK(!waiter_is_done_after(&waiter, 20000));
    pagemap_read_unlock();
    waiter_join(&waiter);
    percpu_ref_kill(&ref);
    percpu_ref_exit(&ref);
    REQUIRE_EQ(pagemap_barrier(), 0);
}
