// SPDX-License-Identifier: BSD-2-Clause
/*
 * The handler of SIGBUS beside what was there before it: what becomes of each signal, what it leaves as it was, what is
 * left when a step of its installation is refused. In children, since it is the process's.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "pagemap/sigbus/note.h"
#include "test/pagemap/broken.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"

/* ---- what was there before, and what becomes of a signal ---- */

static unsigned calls, last_number;
static const void *last_address;

static void plain_handler(int number)
{
    calls++;
    last_number = (unsigned)number;
}

static void full_handler(int number, siginfo_t *info, void *context)
{
    plain_handler(number);
    last_address = context != NULL ? info->si_addr : NULL;
}

enum before { BY_DEFAULT, IGNORED, PLAIN, FULL, NR_BEFORE };

static struct sigaction action_of(enum before before)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = before == IGNORED ? SIG_IGN : before == PLAIN ? plain_handler : SIG_DFL;
    if (before == FULL) {
        action.sa_sigaction = full_handler;
        action.sa_flags = SA_SIGINFO;
    }
    return action;
}

/* To this thread, which has handled it when this returns. */
static void raise_code(int code)
{
    siginfo_t info = broken(5 * PAGE_SIZE, PAGE_SHIFT, code);

    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGBUS, &info) != 0) {
        (void)raise(SIGBUS);
    }
}

static void fill_notes(void)
{
    for (uintptr_t i = 1; i <= 100; i++) {
        siginfo_t info = broken((1000 + i) * PAGE_SIZE, PAGE_SHIFT, BUS_MCEERR_AO);

        (void)pagemap_sigbus_note(&info);
    }
}

static struct {
    enum before before;
    int code;
    bool is_full, is_refused;
} trial;

static _Noreturn void end_trial(unsigned expected_calls)
{
    bool right = calls == expected_calls && (calls == 0 || last_number == SIGBUS) &&
                 (trial.before != FULL || last_address == (void *)(5 * PAGE_SIZE));

    _exit(right ? 0 : 1);
}

/* A handler that never serves: its thread is stopped before, so that notes stay. */
static void run_trial(void)
{
    struct sigaction before = action_of(trial.before), ours;

    if (sigaction(SIGBUS, &before, NULL) != 0 || pagemap_sigbus_install() != 0 ||
        sigaction(SIGBUS, NULL, &ours) != 0) {
        _exit(2);
    }
    if (trial.is_full) {
        if (pagemap_sigbus_uninstall() != 0 || sigaction(SIGBUS, &ours, NULL) != 0) {
            _exit(3);
        }
        fill_notes();
    }
    if (trial.is_refused) {
        refuse(SYS_rt_tgsigqueueinfo, EPERM);
    }
    raise_code(trial.code);
    end_trial(trial.before == PLAIN || trial.before == FULL);
}

/* How it ends: the number of a signal, or the exit status, negative. */
static int end_of_trial(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        run_trial();
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static bool ends_process(void)
{
    bool is_noted = trial.code == BUS_MCEERR_AO && !trial.is_full;

    return !(trial.before == PLAIN || trial.before == FULL || is_noted ||
             (trial.before == IGNORED && trial.code <= 0));
}

static void each_trial(void)
{
    static const int codes[] = {BUS_MCEERR_AR, BUS_MCEERR_AO, BUS_ADRERR, BUS_ADRALN,
                                SI_USER,       SI_QUEUE,      SI_TKILL};

    for (unsigned before = 0; before < NR_BEFORE; before++) {
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            for (unsigned full = 0; full < 2; full++) {
                trial.before = (enum before)before;
                trial.code = codes[i];
                trial.is_full = full;
                CHECK_EQ(end_of_trial(), ends_process() ? SIGBUS : 0, "before %u, code %d, full %u", before,
                         codes[i], full);
            }
        }
    }
    trial.before = BY_DEFAULT;
    trial.is_full = false;
    trial.is_refused = true;
    CHECK_EQ(end_of_trial(), SIGBUS, "whom the system refuses the same signal again");
}

TEST_CASE(sigbus_handler, each_signal_with_each_handler_before)
{
    child_run(each_trial);
}

/* ---- what stays as it was ---- */

static bool same_action(const struct sigaction *one, const struct sigaction *other)
{
    const int known = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_NOCLDSTOP;
    bool same = one->sa_handler == other->sa_handler && (one->sa_flags & known) == (other->sa_flags & known);

    for (int number = 1; number < 32; number++) {
        same &= sigismember(&one->sa_mask, number) == sigismember(&other->sa_mask, number);
    }
    return same;
}

static void check_actions(enum before which, int flags)
{
    struct sigaction before = action_of(which), ours, after;
    const int always = SA_SIGINFO | SA_ONSTACK | SA_RESTART;

    before.sa_flags |= flags;
    (void)sigaddset(&before.sa_mask, SIGUSR2);
    REQUIRE_EQ(sigaction(SIGBUS, &before, NULL), 0);
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &ours), 0);
    CHECK_EQ(ours.sa_flags & (always | SA_NODEFER), always | (flags & SA_NODEFER));
    CHECK_EQ(sigismember(&ours.sa_mask, SIGUSR2), 1);
    CHECK_EQ(sigismember(&ours.sa_mask, SIGUSR1), 0);
    REQUIRE_EQ(pagemap_sigbus_uninstall(), 0);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &after), 0);
    CHECK(same_action(&before, &after), "before %d, flags %#x", (int)which, (unsigned)flags);
}

/* Over a handler that came later it does not step. */
static void check_later(enum before which)
{
    struct sigaction later = action_of(which), ours, now;

    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &ours), 0);
    REQUIRE_EQ(sigaction(SIGBUS, &later, NULL), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), -EBUSY);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &now), 0);
    CHECK(same_action(&later, &now));
    REQUIRE_EQ(sigaction(SIGBUS, &ours, NULL), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
}

/* Of the same function, called in another way: none of ours. */
static void check_without_siginfo(void)
{
    struct sigaction ours, changed;

    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &ours), 0);
    changed = ours;
    changed.sa_flags &= ~SA_SIGINFO;
    REQUIRE_EQ(sigaction(SIGBUS, &changed, NULL), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), -EBUSY);
    REQUIRE_EQ(sigaction(SIGBUS, &ours, NULL), 0);
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
}

static void each_action(void)
{
    for (unsigned which = 0; which < NR_BEFORE; which++) {
        check_actions((enum before)which, 0);
        check_actions((enum before)which, SA_NODEFER);
        check_actions((enum before)which, SA_RESTART | SA_ONSTACK);
        check_later((enum before)which);
    }
    check_without_siginfo();
}

TEST_CASE(sigbus_handler, handlers_before_and_later_are_left)
{
    child_run(each_action);
}

/* ---- the thread ---- */

/* The threads there are; *other is one that is not this. */
static unsigned threads(int *other)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    unsigned count = 0;

    REQUIRE_NE(folder, NULL);
    while ((entry = readdir(folder)) != NULL) {
        int tid = atoi(entry->d_name);

        count += tid > 0;
        *other = tid > 0 && tid != (int)syscall(SYS_gettid) && tid != getpid() ? tid : *other;
    }
    (void)closedir(folder);
    return count;
}

/* One that was joined is seen for a moment longer. */
static bool threads_become(unsigned count)
{
    int other = 0;

    for (unsigned i = 0; i < 20000 && threads(&other) != count; i++) {
        (void)usleep(1000);
    }
    return threads(&other) == count;
}

static uint64_t blocked_by(int tid)
{
    unsigned long long blocked = 0;
    char path[64], line[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    file = fopen(path, "re");
    REQUIRE_NE(file, NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "SigBlk: %llx", &blocked);
    }
    (void)fclose(file);
    return blocked;
}

static uint64_t bit_of(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* At first it has all blocked, as any thread that is made. */
static bool takes(int tid, int number)
{
    for (unsigned i = 0; i < 20000 && (blocked_by(tid) & bit_of(number)) != 0; i++) {
        (void)usleep(1000);
    }
    return (blocked_by(tid) & bit_of(number)) == 0;
}

/* The program's signals are for its own threads, and this one's mask is as it was. */
static void look_at_thread(void)
{
    int self = (int)syscall(SYS_gettid), server = 0;
    unsigned before = threads(&server);
    uint64_t mask = blocked_by(self);

    server = 0;
    REQUIRE_EQ(pagemap_sigbus_install(), 0);
    CHECK_EQ(threads(&server), before + 1);
    CHECK_EQ(blocked_by(self), mask);
    REQUIRE_GT(server, 0);
    CHECK(takes(server, SIGBUS));
    for (int number = SIGHUP; number <= SIGTERM; number++) {
        if (number != SIGBUS && number != SIGKILL) {
            CHECK_NE(blocked_by(server) & bit_of(number), 0, "signal %d", number);
        }
    }
    REQUIRE_EQ(pagemap_sigbus_uninstall(), 0);
    CHECK(threads_become(before), "it has ended");
}

TEST_CASE(sigbus_handler, its_thread_takes_no_signals)
{
    child_run(look_at_thread);
}

/* ---- refused steps ---- */

static const struct step {
    long calls[2];
    int error;
} steps[] = {{{SYS_eventfd2, SYS_eventfd2}, ENFILE},
             {{SYS_clone, SYS_clone3}, EAGAIN},
             {{SYS_rt_sigaction, SYS_rt_sigaction}, EPERM}};

static const struct step *step;

static void *install_refused(void *context)
{
    uint64_t mask = blocked_by((int)syscall(SYS_gettid));
    int other = 0;
    unsigned before = threads(&other);

    (void)context;
    for (unsigned i = 0; i < 2; i++) {
        refuse(step->calls[i], step->error);
    }
    CHECK_EQ(pagemap_sigbus_install(), -step->error);
    CHECK(threads_become(before));
    CHECK_EQ(blocked_by((int)syscall(SYS_gettid)), mask);
    CHECK_EQ(pagemap_sigbus_uninstall(), -EINVAL);
    return NULL;
}

/* To a thread; another one can install it afterwards. */
static void refused_installation(void)
{
    struct sigaction before = action_of(PLAIN), after;
    pthread_t thread;

    REQUIRE_EQ(sigaction(SIGBUS, &before, NULL), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, install_refused, NULL), 0);
    (void)pthread_join(thread, NULL);
    REQUIRE_EQ(sigaction(SIGBUS, NULL, &after), 0);
    CHECK(same_action(&before, &after));
    CHECK_EQ(pagemap_sigbus_install(), 0);
    raise_code(BUS_ADRERR);
    CHECK_EQ(calls, 1);
    CHECK_EQ(pagemap_sigbus_uninstall(), 0);
}

TEST_CASE(sigbus_handler, a_refused_step_installs_nothing)
{
    for (step = steps; step < steps + sizeof steps / sizeof *steps; step++) {
        child_run(refused_installation);
    }
}
