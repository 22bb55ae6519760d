// SPDX-License-Identifier: BSD-2-Clause
/*
 * The proof that lives would notice: what was wrong with the library once is put back, one fault at a time, in a
 * process of its own. A life must show a fault, or hang.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/life/life.h"
#include "test/mutations/rules.h"
#include "test/shim/ctest.h"

enum rm_rule rm_broken_rule = RM_NO_RULE;

enum { LIVES = 60, STEPS = 12, HANGS_AFTER_SECONDS = 10 };
enum { SHOWS_NOTHING = 0, SHOWN = 40, HANGS = 41 }; /* exit statuses; crashes show something as well */

static void hang(int signal)
{
    (void)signal;
    _exit(HANGS);
}

/* Never returns. */
static void live(enum rm_rule rule, unsigned lives)
{
    rm_broken_rule = rule;
    life_plugin_breaks = rule;
    for (unsigned i = 1; i <= lives; i++) {
        const char *fault;

        (void)signal(SIGALRM, hang);
        (void)alarm(HANGS_AFTER_SECONDS);
        fault = life_run(test_seed() + i, STEPS);
        if (fault != NULL) {
            printf("life %u: %s\n", i, fault);
            (void)fflush(stdout);
            _exit(SHOWN);
        }
    }
    _exit(SHOWS_NOTHING);
}

static int status_of(enum rm_rule rule, unsigned lives)
{
    int status = 0;
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    REQUIRE_GE(child, 0);
    if (child == 0) {
        live(rule, lives);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == HANGS) {
        printf("a life hangs\n");
    }
    return status;
}

/* The control: what the others show is the rule's, and not the machine's. */
TEST_CASE(life_mutant, unbroken_shows_nothing)
{
    CHECK_EQ(status_of(RM_NO_RULE, 10), SHOWS_NOTHING);
}

#define CATCH_IN(name, rule, lives)                                                                          \
    TEST_CASE(life_mutant, name)                                                                             \
    {                                                                                                        \
        CHECK_NE(status_of(rule, lives), SHOWS_NOTHING, "%d lives show nothing", lives);                     \
    }
#define CATCH(name, rule) CATCH_IN(name, rule, LIVES)

CATCH(gone, RM_LIFE_GONE)
CATCH(ended, RM_LIFE_ENDED)
CATCH(parked, RM_LIFE_PARKED)
CATCH(tended, RM_LIFE_TENDED)
CATCH(budget, RM_LIFE_BUDGET)
CATCH(asked, RM_LIFE_ASKED)
CATCH_IN(cancel, RM_LIFE_CANCEL, 5 * LIVES) /* one life in thirteen is cancelled in a callback */
CATCH(errno_kept, RM_LIFE_ERRNO)
CATCH(unload, RM_LIFE_UNLOAD)
CATCH(freed, RM_LIFE_FREED)
CATCH(flushed, RM_LIFE_FLUSHED)
CATCH(load, RM_LIFE_LOAD)
CATCH(discards, RM_R6_LOSER_DISCARDS)
CATCH(child, RM_LIFE_CHILD)
CATCH(copy, RM_LIFE_COPY)

/* The control of what counts calls of malloc. */
TEST_CASE(life_mutant, hidden_calls_are_seen)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
    TEST_SKIP("malloc is the sanitizer's");
#else
    unsigned before = life_hidden_calls();
    static struct life life;
    char *volatile memory;

    life_enter();
    memory = malloc(1);
    life_leave(&life);
    free(memory);
    CHECK_EQ(life_hidden_calls(), before + 1);
#endif
}
