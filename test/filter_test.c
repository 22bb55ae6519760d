// SPDX-License-Identifier: BSD-2-Clause
/*
 * A filter that kills at every system call but those that rangemap.h lists: threads attach under it, update, wait for
 * each other and end their domain.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

enum { LISTED_MAX = 32 };

/* The test's own: to end, to say why, and what libc's semaphores are not without. */
static const uint32_t own_calls[] = {SYS_exit_group, SYS_write};

static uint32_t listed[LISTED_MAX];
static unsigned listed_count;

/* ---- the list ---- */

static const struct {
    const char *name;
    uint32_t number;
} known[] = {{"membarrier", SYS_membarrier},
             {"mmap", SYS_mmap},
             {"munmap", SYS_munmap},
             {"madvise", SYS_madvise},
             {"gettid", SYS_gettid},
             {"getpid", SYS_getpid},
             {"tgkill", SYS_tgkill},
             {"get_robust_list", SYS_get_robust_list},
             {"rt_sigprocmask", SYS_rt_sigprocmask},
             {"clock_gettime", SYS_clock_gettime},
             {"futex", SYS_futex},
             {"sched_yield", SYS_sched_yield},
             {"nanosleep", SYS_nanosleep},
             {"clock_nanosleep", SYS_clock_nanosleep},
             {"restart_syscall", SYS_restart_syscall}};

static void take_listed(const char *word)
{
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, word) == 0) {
            REQUIRE_LT(listed_count, (unsigned)LISTED_MAX);
            listed[listed_count++] = known[i].number;
        }
    }
}

/* The names between "must let pass:" and the next full stop, among words. */
static void read_list(void)
{
    static char text[1 << 17];
    const char separators[] = " *,;:()\n";
    FILE *file = fopen("rangemap/rangemap.h", "re");
    char *at, *end, *rest = NULL;

    REQUIRE(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    REQUIRE_EQ(fclose(file), 0);
    at = strstr(text, "must let pass:");
    REQUIRE(at != NULL);
    end = strchr(at, '.');
    REQUIRE(end != NULL);
    *end = '\0';
    for (char *word = strtok_r(at, separators, &rest); word != NULL;
         word = strtok_r(NULL, separators, &rest)) {
        take_listed(word);
    }
    CHECK_EQ(listed_count, sizeof known / sizeof *known, "each call that this test knows, once");
}

/* ---- the filter ---- */

static void kill_but(const uint32_t *numbers, unsigned count)
{
    struct sock_filter filter[2 * LISTED_MAX + 8];
    unsigned length = 0;
    struct sock_fprog program = {0, filter};

    filter[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < count; i++) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i], 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program.len = (unsigned short)length;
    REQUIRE_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    REQUIRE_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program), 0);
}

static void put_filter_on(void)
{
    uint32_t numbers[LISTED_MAX + 2];
    unsigned count = 0;

    for (; count < listed_count; count++) {
        numbers[count] = listed[count];
    }
    for (unsigned i = 0; i < sizeof own_calls / sizeof *own_calls; i++) {
        numbers[count++] = own_calls[i];
    }
    kill_but(numbers, count);
}

/* ---- under it ---- */

static sem_t filtered, inside, leave;
static struct rangemap_domain *domain;
static struct rangemap *map;

static void *read_for_long(void *unused)
{
    (void)unused;
    sem_post(&inside); /* what libc does at a thread's start is over */
    sem_wait(&filtered);
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    sem_post(&inside);
    sem_wait(&leave);
    for (unsigned i = 0; i < 2000; i++) { /* who waits goes from yields to sleeps */
        (void)sched_yield();
    }
    rangemap_read_end(map);
    sem_wait(&filtered); /* for ever: a thread that ends makes more calls */
    return NULL;
}

static void use_all(void)
{
    struct rangemap_domain_statistics statistics;

    for (uint64_t i = 0; i < 200000; i++) {
        REQUIRE_EQ(rangemap_store(map, i * 8 % 1000003, i * 8 % 1000003 + 5, NULL, NULL, NULL), 0);
    }
    sem_post(&leave);
    REQUIRE_EQ(rangemap_domain_synchronize(domain), 0);
    REQUIRE_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
    REQUIRE(rangemap_domain_trim(domain) >= 0);
    REQUIRE(rangemap_domain_serve(domain, 100) >= 0);
    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    REQUIRE_EQ(rangemap_destroy(map), 0);
    REQUIRE_EQ(rangemap_domain_destroy(domain), 0);
}

static void in_the_child(enum rangemap_callbacks callbacks)
{
    const struct rangemap_domain_options options = {.callbacks = callbacks};
    struct rangemap_options map_options = {0};
    pthread_t reader;

    sem_init(&filtered, 0, 0);
    sem_init(&inside, 0, 0);
    sem_init(&leave, 0, 0);
    REQUIRE_EQ(pthread_create(&reader, NULL, read_for_long, NULL), 0);
    sem_wait(&inside);
    put_filter_on();
    REQUIRE_EQ(rangemap_domain_create(&options, &domain), 0);
    map_options.domain = domain;
    REQUIRE_EQ(rangemap_create(&map_options, &map), 0);
    sem_post(&filtered);
    sem_wait(&inside);
    use_all();
}

/* Whatever it waits in: a call that was begun is gone on with by another one. Until it has ended. */
static void stop_and_go(pid_t child)
{
    siginfo_t info = {.si_pid = 0};

    while (info.si_pid == 0) {
        (void)kill(child, SIGSTOP);
        (void)usleep(100);
        (void)kill(child, SIGCONT);
        (void)usleep(5000);
        REQUIRE_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG), 0);
    }
}

TEST_CASE(filter, that_kills_lets_pass_what_is_listed)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    TEST_SKIP("the sanitizer makes system calls of its own");
#endif
    read_list();
    for (unsigned asked = 0; asked < 2; asked++) {
        int status = 0;
        pid_t child;

        (void)fflush(NULL);
        child = fork();
        if (child == 0) {
            in_the_child(asked ? RANGEMAP_CALLBACKS_WHEN_ASKED : RANGEMAP_CALLBACKS_ANYWHERE);
            _exit(test_has_failed());
        }
        stop_and_go(child);
        REQUIRE_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
              "status %#x: killed at a call that is not listed", (unsigned)status);
    }
}
