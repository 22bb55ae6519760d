// SPDX-License-Identifier: BSD-2-Clause
/* Stops single threads of another process at instructions of our choice, by ptrace. */
#ifndef RANGEMAP_TEST_STOP_TRACER_H
#define RANGEMAP_TEST_STOP_TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* 0, or the errno that tells why threads can't be traced here. */
int tracer_attach(pid_t thread);
void tracer_detach(pid_t thread);

/* Stops it wherever it is; false if it is gone. */
bool tracer_stop(pid_t thread);

/* One instruction on; false if it is gone. */
bool tracer_step(pid_t thread);

/* The instruction that a stopped thread would execute next; 0 if it is gone. */
uint64_t tracer_instruction(pid_t thread);

void tracer_continue(pid_t thread);

/*
 * A signal that cannot be blocked, such as the SIGSTOP of someone who pauses the machine's load, stops a traced
 * thread until its tracer lets it go on. Does so, and tells whether it had to.
 */
bool tracer_release_stray(pid_t thread);

#endif
