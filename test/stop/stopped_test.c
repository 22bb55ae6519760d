// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads stopped at random instructions inside the library. The others finish their operations; and so does
 * the child of a fork, in which the stopped threads are no more.
 */
#define _GNU_SOURCE /* dladdr, basename */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "test/check/crew.h"
#include "test/check/patience.h"
#include "test/shim/ctest.h"
#include "test/stop/operate.h"
#include "test/stop/subject.h"
#include "test/stop/tracer.h"

enum { STOPS = 500, FORKS = 50, OPERATIONS = 30, STEPS_MAX = 10, HANG_SECONDS = 120 };

static struct subject *subject;
static struct prng random_numbers;

/* The instructions at which threads were stopped: a set with some forgetfulness. */
static uint64_t seen[1 << 14];
static unsigned different;

static char where[256]; /* of a thread that hangs */

static void note(uint64_t instruction)
{
    uint64_t *place = &seen[prng_mix(instruction) % (sizeof seen / sizeof seen[0])];

    different += *place != instruction;
    *place = instruction;
}

#if defined(__SANITIZE_ADDRESS__)
extern const char __executable_start[], etext[];

/* The sanitizer's own code takes locks, such as that of the list of roots in which it looks for leaks. */
static bool is_sanitizer(uint64_t instruction)
{
    return instruction < (uintptr_t)__executable_start || instruction >= (uintptr_t)etext;
}
#else
static bool is_sanitizer(uint64_t instruction)
{
    (void)instruction;
    return false;
}
#endif

static bool is_inside(unsigned index)
{
    uint64_t instruction = tracer_instruction(subject->thread[index].tid);

    return subject->thread[index].inside && !operate_contains(instruction) && !is_sanitizer(instruction);
}

/*
 * Stops it wherever it is, and again until that is inside the library, or in what that has called. Some steps on:
 * an interrupt comes more often after some instructions than after others.
 */
static void stop_inside(unsigned index)
{
    pid_t tid = subject->thread[index].tid;

    for (;;) {
        unsigned steps = (unsigned)prng_below(&random_numbers, STEPS_MAX);

        REQUIRE(tracer_stop(tid), "thread %u is gone", index);
        for (unsigned i = 0; i < steps; i++) {
            REQUIRE(tracer_step(tid), "thread %u is gone", index);
        }
        if (is_inside(index)) {
            note(tracer_instruction(tid));
            return;
        }
        tracer_continue(tid);
    }
}

static void begin(unsigned stream, bool tracks_gaps)
{
    int reason = 0;

    random_numbers = prng_stream(test_seed(), stream);
    different = 0;
    memset(seen, 0, sizeof seen);
    subject = subject_start(prng_next(&random_numbers), tracks_gaps);
    REQUIRE(subject != NULL);
    for (unsigned i = 0; i < SUBJECT_THREADS && reason == 0; i++) {
        reason = tracer_attach(subject->thread[i].tid);
    }
    if (reason != 0) {
        subject_kill(subject);
        TEST_SKIP("ptrace is refused here: %s", strerror(reason));
    }
}

static void end(void)
{
    for (unsigned i = 0; i < SUBJECT_THREADS; i++) {
        tracer_detach(subject->thread[i].tid);
    }
    CHECK_EQ(subject->bad, 0, "an operation gave an answer that is never right");
    CHECK_EQ(subject_end(subject), 0, "how the process ended");
}

/* Where a thread is, to be read beside the symbols of the program or library. It must be stopped. */
static void print_place(unsigned index)
{
    uint64_t instruction = tracer_instruction(subject->thread[index].tid);
    Dl_info image = {.dli_fname = "?"};

    /* The subject is a fork: it has the same images. */
    (void)dladdr((const void *)(uintptr_t)instruction, &image);
    snprintf(where, sizeof where, "%s+%#llx", basename(image.dli_fname),
             (unsigned long long)(instruction - (uintptr_t)image.dli_fbase));
    printf("thread %u: %llu done, at %s\n", index, (unsigned long long)subject->thread[index].done, where);
}

/* Where all are when nothing goes on, and at last the one that is stopped. */
static void print_hang(unsigned stopped)
{
    for (unsigned i = 0; i < SUBJECT_THREADS; i++) {
        pid_t tid = subject->thread[i].tid;

        for (unsigned j = 0; i != stopped && j < 5 && tracer_stop(tid); j++) {
            print_place(i);
            tracer_continue(tid);
            sleep_milliseconds(10);
        }
    }
    print_place(stopped);
}

static void release_strays(unsigned stopped)
{
    for (unsigned i = 0; i < SUBJECT_THREADS; i++) {
        if (i != stopped && tracer_release_stray(subject->thread[i].tid)) {
            printf("thread %u was stopped by someone else\n", i);
        }
    }
}

/* Until the thread has done `goal` operations. */
static void await(unsigned index, unsigned long long goal, unsigned stopped)
{
    struct patience patience = patience_of(HANG_SECONDS);

    for (unsigned turns = 1; subject->thread[index].done < goal; turns++) {
        if (turns % 64 == 0) {
            release_strays(stopped);
        }
        if (patience_is_over(&patience)) {
            unsigned long long done = subject->thread[index].done;

            print_hang(stopped);
            subject_kill(subject);
            REQUIRE_EQ(done, goal, "thread %u waits for thread %u, which is stopped at %s", index, stopped,
                       where);
        }
        sched_yield();
    }
}

static void require_others_go_on(unsigned stopped)
{
    unsigned long long before[SUBJECT_THREADS];

    for (unsigned i = 0; i < SUBJECT_THREADS; i++) {
        before[i] = subject->thread[i].done;
    }
    for (unsigned i = 0; i < SUBJECT_THREADS; i++) {
        if (i != stopped) {
            await(i, before[i] + OPERATIONS, stopped);
        }
    }
    CHECK_EQ(subject->thread[stopped].done, before[stopped], "it was not stopped");
}

static void stop_and_await(unsigned stream, bool tracks_gaps, unsigned stops)
{
    begin(stream, tracks_gaps);
    for (unsigned i = 0; i < stops; i++) {
        unsigned stopped = (unsigned)prng_below(&random_numbers, SUBJECT_THREADS);

        stop_inside(stopped);
        require_others_go_on(stopped);
        tracer_continue(subject->thread[stopped].tid);
    }
    end();
    printf("%u stops at about %u instructions\n", stops, different);
    CHECK_GE(different, stops / 10, "the same few instructions");
}

TEST_CASE(thread_stopped, others_finish)
{
    stop_and_await(1, false, STOPS * test_scale() / 2);
}

TEST_CASE(thread_stopped, others_finish_where_gaps_are_tracked)
{
    stop_and_await(3, true, STOPS * test_scale() / 2);
}

/* All threads but the one that forks. */
static void fork_among_stopped(void)
{
    struct patience patience = patience_of(HANG_SECONDS);
    unsigned wanted = subject->forks_done + 1;

    for (unsigned i = 1; i < SUBJECT_THREADS; i++) {
        stop_inside(i);
    }
    subject->forks_wanted = wanted;
    while (subject->forks_done != wanted && !patience_is_over(&patience)) {
        sleep_milliseconds(1);
    }
    if (subject->forks_done != wanted || subject->child_step != 0) {
        int step = subject->child_step;

        subject_kill(subject);
        REQUIRE(false, "fork %u: the child failed at step %d, or the fork hangs if that is 0", wanted, step);
    }
    for (unsigned i = 1; i < SUBJECT_THREADS; i++) {
        tracer_continue(subject->thread[i].tid);
    }
}

static void fork_often(unsigned stream, bool tracks_gaps, unsigned forks)
{
    begin(stream, tracks_gaps);
    for (unsigned i = 0; i < forks; i++) {
        fork_among_stopped();
    }
    end();
    printf("%u forks, with threads stopped at about %u instructions\n", forks, different);
}

TEST_CASE(thread_stopped, child_without_the_stopped_finishes)
{
    fork_often(2, false, FORKS * test_scale() / 2);
}

TEST_CASE(thread_stopped, child_finishes_where_gaps_are_tracked)
{
    fork_often(4, true, FORKS * test_scale() / 2);
}
