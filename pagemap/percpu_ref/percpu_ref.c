// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: lib/percpu-refcount.c (6.1), of which it is the whole: more than 400 lines, to be read beside it. */
#include "pagemap/percpu_ref.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/pagemap.h"
#include "pagemap/percpu_ref/count.h"

/* In percpu mode the shared counter holds this much more, so that no put brings it to zero. */
static const uint64_t BIAS = UINT64_C(1) << 63;

/* Serialises switches of all references, as in the kernel. Never taken by get and put. */
static pthread_mutex_t switch_lock = PTHREAD_MUTEX_INITIALIZER;

int percpu_ref_init(struct percpu_ref *ref, percpu_ref_func_t *release, unsigned flags)
{
    const unsigned known = PERCPU_REF_INIT_ATOMIC | PERCPU_REF_INIT_DEAD | PERCPU_REF_ALLOW_REINIT;
    struct percpu_ref_data *data;
    uint64_t mode;

    if (ref == NULL || (flags & ~known) != 0) {
        return -EINVAL;
    }
    data = pm_domain() == NULL ? NULL : pm_alloc(sizeof *data);
    if (data == NULL) {
        return -ENOMEM;
    }
    data->words = pm_percpu_alloc();
    if (data->words == NULL) {
        free(data);
        return -ENOMEM;
    }
    mode = (uint64_t)(uintptr_t)data->words;
    data->ref = ref;
    data->release = release;
    data->force_atomic = (flags & PERCPU_REF_INIT_ATOMIC) != 0;
    data->allow_reinit = flags != 0; /* each of the three */
    if ((flags & (PERCPU_REF_INIT_ATOMIC | PERCPU_REF_INIT_DEAD)) != 0) {
        mode |= PM_REF_ATOMIC;
    } else {
        data->count = BIAS;
    }
    if ((flags & PERCPU_REF_INIT_DEAD) != 0) {
        mode |= PM_REF_DEAD;
    } else {
        data->count++;
    }
    ref->data = data;
    pm_store_release(&ref->percpu_count_ptr, mode);
    return 0;
}

static struct percpu_ref_data *data_of(const struct percpu_ref *ref)
{
    return __atomic_load_n(&ref->data, __ATOMIC_ACQUIRE);
}

static uint64_t mode_of(const struct percpu_ref *ref)
{
    return pm_load_acquire(&ref->percpu_count_ptr);
}

/* As the counter and the words, of which those that are closed count nothing, add up; without the bias. */
static uint64_t count_of(const struct percpu_ref_data *data)
{
    uint64_t sum = pm_load_acquire(&data->count);

    for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
        uint64_t word = pm_load_acquire(pm_percpu_word(data->words, cpu));

        sum += pm_ref_was_closed(word) ? 0 : word;
    }
    /* The bias is there or not, if the mode changes meanwhile: the topmost bit says nothing. */
    return (uint64_t)((int64_t)(sum << 1) >> 1);
}

static void free_data(struct rangemap_deferred *deferred, void *context)
{
    struct percpu_ref_data *data = PM_CONTAINER_OF(deferred, struct percpu_ref_data, deferred);

    (void)context;
    pm_percpu_free(data->words);
    free(data);
}

void percpu_ref_exit(struct percpu_ref *ref)
{
    struct percpu_ref_data *data = ref == NULL ? NULL : data_of(ref);

    if (data == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&switch_lock);
    while (pm_warn_on(data->confirm != NULL, "percpu_ref_exit() while a switch is in flight")) {
        (void)pthread_mutex_unlock(&switch_lock);
        if (pm_barrier() != 0) { /* `deferred` is in use */
            return;
        }
        (void)pthread_mutex_lock(&switch_lock);
    }
    pm_store_release(&ref->percpu_count_ptr, count_of(data) << 2 | PM_REF_ATOMIC | PM_REF_DEAD);
    __atomic_store_n(&ref->data, NULL, __ATOMIC_RELEASE);
    (void)pthread_mutex_unlock(&switch_lock);
    pm_defer(&data->deferred, free_data);
}

/* ---- get and put ---- */

void percpu_ref_get(struct percpu_ref *ref)
{
    pm_ref_get_many(ref, 1);
}

void percpu_ref_get_many(struct percpu_ref *ref, uint64_t nr)
{
    pm_ref_get_many(ref, nr);
}

void percpu_ref_put(struct percpu_ref *ref)
{
    pm_ref_put_many(ref, 1);
}

void percpu_ref_put_many(struct percpu_ref *ref, uint64_t nr)
{
    pm_ref_put_many(ref, nr);
}

void pm_ref_put_slow(struct percpu_ref *ref, uint64_t nr)
{
    struct percpu_ref_data *data = data_of(ref);
    percpu_ref_func_t *release = data->release; /* before the last access */

    if (pm_sub_full(&data->count, nr) == nr && release != NULL) {
        release(ref);
    }
}

bool percpu_ref_tryget(struct percpu_ref *ref)
{
    return percpu_ref_tryget_many(ref, 1);
}

bool percpu_ref_tryget_many(struct percpu_ref *ref, uint64_t nr)
{
    struct percpu_ref_data *data;

    if (pm_ref_add_percpu(ref, nr)) {
        return true;
    }
    data = data_of(ref);
    return data != NULL && pm_add_unless_zero(&data->count, nr);
}

/* Inside a section: a kill that we do not see yet waits for us before it confirms. */
bool pm_ref_tryget_live_slow(struct percpu_ref *ref)
{
    struct percpu_ref_data *data = data_of(ref);

    return (mode_of(ref) & PM_REF_DEAD) == 0 && data != NULL && pm_add_unless_zero(&data->count, 1);
}

bool percpu_ref_tryget_live_held(struct percpu_ref *ref)
{
    return pm_ref_tryget_live(ref);
}

bool percpu_ref_tryget_live(struct percpu_ref *ref)
{
    bool got = false;

    if (pm_ref_add_percpu(ref, 1)) {
        return true;
    }
    if (pagemap_read_lock() == 0) {
        got = pm_ref_tryget_live_slow(ref);
        pagemap_read_unlock();
    }
    return got;
}

/* ---- switching ---- */

/*
 * Takes the switch lock when no switch of `ref` waits for its grace period any more. False: it was exited, or
 * that grace period cannot end.
 */
static bool lock_settled(struct percpu_ref *ref)
{
    for (;;) {
        struct percpu_ref_data *data;

        (void)pthread_mutex_lock(&switch_lock);
        data = data_of(ref);
        if (data == NULL) {
            (void)pthread_mutex_unlock(&switch_lock);
            pm_warn("percpu_ref used after percpu_ref_exit() or before percpu_ref_init()");
            return false;
        }
        if (data->confirm == NULL) {
            return true;
        }
        (void)pthread_mutex_unlock(&switch_lock);
        if (pm_barrier() != 0) {
            return false;
        }
    }
}

/*
 * A put in atomic mode, in which the lock, which the caller has, keeps it: exit may come as soon as that is free.
 * Returns what is to be called then, or NULL.
 */
static percpu_ref_func_t *put_locked(struct percpu_ref_data *data)
{
    percpu_ref_func_t *release = data->release;

    return pm_sub_full(&data->count, 1) == 1 ? release : NULL;
}

/* Ends a switch, with the reference that to_atomic() took. */
static void confirm_switch(struct rangemap_deferred *deferred, void *context)
{
    struct percpu_ref_data *data = PM_CONTAINER_OF(deferred, struct percpu_ref_data, deferred);
    struct percpu_ref *ref = data->ref;
    percpu_ref_func_t *release;

    (void)context;
    data->confirm(ref);
    (void)pthread_mutex_lock(&switch_lock);
    data->confirm = NULL;
    release = put_locked(data);
    (void)pthread_mutex_unlock(&switch_lock);
    if (release != NULL) {
        release(ref);
    }
}

/*
 * Closes the words, in atomic mode already and with no restartable addition under way, and moves their sum over. The
 * sum is removed from the words before it is added to the counter, and with it goes the bias, so the counter cannot
 * be seen too low.
 */
static void close_words(struct percpu_ref_data *data)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
        sum += pm_swap_full(pm_percpu_word(data->words, cpu), PM_REF_CLOSED);
    }
    (void)pm_add_full(&data->count, sum - BIAS);
}

/*
 * Sets `flags` (ATOMIC and perhaps DEAD) and prepares `confirm`, if there is one. False: additions under way
 * could not be restarted, and all is as before; what went to the shared counter meanwhile may stay there.
 */
static bool to_atomic(struct percpu_ref *ref, uint64_t flags, percpu_ref_func_t *confirm)
{
    struct percpu_ref_data *data = ref->data;

    if ((pm_or_full(&ref->percpu_count_ptr, flags) & PM_REF_ATOMIC) == 0) {
        if (pm_warn_on(!pm_restart_all(), "membarrier(2) is refused: the percpu_ref stays in percpu mode")) {
            (void)pm_and_full(&ref->percpu_count_ptr, ~flags);
            return false;
        }
        close_words(data);
    }
    if (confirm != NULL) {
        pm_ref_get_many(ref, 1);
        data->confirm = confirm;
    }
    return true;
}

/* The bias first: from the first open word on, puts may bypass the counter. */
static void to_percpu(struct percpu_ref *ref)
{
    struct percpu_ref_data *data = ref->data;

    if ((mode_of(ref) & PM_REF_ATOMIC) == 0 ||
        pm_warn_on(!data->allow_reinit, "percpu mode again without PERCPU_REF_ALLOW_REINIT")) {
        return;
    }
    (void)pm_add_full(&data->count, BIAS);
    for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
        (void)pm_swap_full(pm_percpu_word(data->words, cpu), 0);
    }
    (void)pm_and_full(&ref->percpu_count_ptr, ~PM_REF_ATOMIC);
}

/* Ends what lock_settled() began. Deferring may run other callbacks, so it is done unlocked. */
static void unlock_and_defer(struct percpu_ref *ref, bool defer)
{
    struct percpu_ref_data *data = ref->data;

    (void)pthread_mutex_unlock(&switch_lock);
    if (defer) {
        pm_defer(&data->deferred, confirm_switch);
    }
}

void percpu_ref_kill_and_confirm(struct percpu_ref *ref, percpu_ref_func_t *confirm)
{
    percpu_ref_func_t *release;
    bool dying, killed;

    if (!lock_settled(ref)) {
        return;
    }
    dying = percpu_ref_is_dying(ref);
    killed = !dying && to_atomic(ref, PM_REF_DEAD | PM_REF_ATOMIC, confirm);
    release = killed ? put_locked(ref->data) : NULL; /* the initial one */
    unlock_and_defer(ref, killed && confirm != NULL);
    (void)pm_warn_on(dying, "percpu_ref_kill() of a reference that is dying");
    if (release != NULL) {
        release(ref);
    }
}

void percpu_ref_kill(struct percpu_ref *ref)
{
    percpu_ref_kill_and_confirm(ref, NULL);
}

void percpu_ref_switch_to_atomic(struct percpu_ref *ref, percpu_ref_func_t *confirm)
{
    bool switching, switched;

    if (!lock_settled(ref)) {
        return;
    }
    switching = (mode_of(ref) & PM_REF_ATOMIC) == 0;
    switched = !switching || to_atomic(ref, PM_REF_ATOMIC, confirm);
    ref->data->force_atomic |= switched;
    unlock_and_defer(ref, switching && switched && confirm != NULL);
    if (!switching && confirm != NULL) {
        confirm(ref);
    }
}

void percpu_ref_switch_to_atomic_sync(struct percpu_ref *ref)
{
    percpu_ref_switch_to_atomic(ref, NULL);
    (void)pm_synchronize(); /* WARNs if it cannot */
}

void percpu_ref_switch_to_percpu(struct percpu_ref *ref)
{
    if (!lock_settled(ref)) {
        return;
    }
    ref->data->force_atomic = false;
    if (!percpu_ref_is_dying(ref)) {
        to_percpu(ref);
    }
    unlock_and_defer(ref, false);
}

/* With the lock held and the ref dying: the initial reference is back before any thread can see it alive. */
static void revive(struct percpu_ref *ref)
{
    (void)pm_add_full(&ref->data->count, 1);
    (void)pm_and_full(&ref->percpu_count_ptr, ~PM_REF_DEAD);
    if (!ref->data->force_atomic) {
        to_percpu(ref);
    }
}

static void revive_if(struct percpu_ref *ref, bool must_be_zero, const char *what)
{
    bool legal;

    if (!lock_settled(ref)) {
        return;
    }
    legal = percpu_ref_is_dying(ref) && (!must_be_zero || pm_load_acquire(&ref->data->count) == 0);
    if (legal) {
        revive(ref);
    }
    unlock_and_defer(ref, false);
    (void)pm_warn_on(!legal, what);
}

void percpu_ref_reinit(struct percpu_ref *ref)
{
    revive_if(ref, true, "percpu_ref_reinit() of a reference that is alive or not zero");
}

void percpu_ref_resurrect(struct percpu_ref *ref)
{
    revive_if(ref, false, "percpu_ref_resurrect() of a reference that is alive");
}

/* ---- looking ---- */

bool percpu_ref_is_dying(const struct percpu_ref *ref)
{
    return (mode_of(ref) & PM_REF_DEAD) != 0;
}

/*
 * In a section, or where memory for the thread's record is short with the lock: exit frees `data` a grace period after
 * it let go of the lock. That is read before the mode, of which exit stores in the other order: where there is no data
 * the mode is that of after exit.
 */
struct look {
    struct percpu_ref_data *data;
    uint64_t mode;
    bool in_section;
};

static struct look begin_look(const struct percpu_ref *ref)
{
    struct look look = {.in_section = pagemap_read_lock() == 0};

    if (!look.in_section) {
        (void)pthread_mutex_lock(&switch_lock);
    }
    look.data = data_of(ref);
    look.mode = mode_of(ref);
    return look;
}

static void end_look(const struct look *look)
{
    if (look->in_section) {
        pagemap_read_unlock();
    } else {
        (void)pthread_mutex_unlock(&switch_lock);
    }
}

bool percpu_ref_is_zero(const struct percpu_ref *ref)
{
    struct look look = begin_look(ref);
    bool is_zero = false;

    if ((look.mode & PM_REF_ATOMIC) != 0) {
        is_zero = look.data == NULL ? look.mode >> 2 == 0 : pm_load_acquire(&look.data->count) == 0;
    }
    end_look(&look);
    return is_zero;
}

uint64_t percpu_ref_count(const struct percpu_ref *ref)
{
    struct look look = begin_look(ref);
    uint64_t count = look.data == NULL ? look.mode >> 2 : count_of(look.data);

    end_look(&look);
    return count;
}
