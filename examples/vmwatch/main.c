// SPDX-License-Identifier: BSD-2-Clause
/*
 * vmwatch [OPTION]... PROGRAM [ARGUMENT]...
 *
 * Runs PROGRAM under libvmwatch.so and says, for each process that came of it, whether the map of its address space
 * was the kernel's when it ended, or why that is not known.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "examples/preload/status.h"
#include "examples/vmwatch/collect.h"
#include "examples/vmwatch/program.h"

enum { UNCOMPARED = 123, USAGE_ERROR = 124, DIFFERENCES = 125, FAILED = 126, LOOK_MS = 20 };

struct options {
    const char *library, *reports;
    bool quiet, wait;
    double every; /* seconds; 0: never */
    char **program;
};

static void usage(FILE *out)
{
    (void)fprintf(
        out,
        "usage: vmwatch [OPTION]... PROGRAM [ARGUMENT]...\n\n"
        "Runs PROGRAM and its children with a map of their address spaces that follows every call, and\n"
        "compares it with /proc/self/maps when a process ends or becomes another program.\n\n"
        "  --every SECONDS  compare while they run, too; SIGUSR1 to vmwatch asks for it once\n"
        "  --wait           wait for processes that outlive PROGRAM\n"
        "  --attach PID     says why it cannot be followed\n"
        "  --library FILE   libvmwatch.so (default: beside this program)\n"
        "  --reports DIR    keep the reports in DIR, one file per process\n"
        "  --quiet          say nothing of processes that agree\n"
        "  --help\n\n"
        "Exit status: %d if a map differs without explanation or an update of it was lost; else that of\n"
        "PROGRAM (128 + N after signal N), or, where that is 0, %d if a process could not be compared at "
        "its\n"
        "end. %d for a usage error; %d if PROGRAM cannot be run or no process was followed.\n",
        DIFFERENCES, UNCOMPARED, USAGE_ERROR, FAILED);
}

static bool parse_seconds(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    return end != text && *end == '\0' && *seconds >= 0.001 && *seconds <= 1e6;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"library", required_argument, NULL, 'l'}, {"reports", required_argument, NULL, 'r'},
        {"quiet", no_argument, NULL, 'q'},         {"every", required_argument, NULL, 'e'},
        {"wait", no_argument, NULL, 'w'},          {"attach", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int name;

    while ((name = getopt_long(argc, argv, "+", names, NULL)) != -1) {
        if (name == 'l') {
            options->library = optarg;
        } else if (name == 'r') {
            options->reports = optarg;
        } else if (name == 'q') {
            options->quiet = true;
        } else if (name == 'w') {
            options->wait = true;
        } else if (name == 'a') {
            (void)fprintf(
                stderr,
                "vmwatch: process %s runs already: calls that are under way in it could not be told\n"
                "from those to come, so it cannot be followed. Start it under vmwatch.\n",
                optarg);
            return USAGE_ERROR;
        } else if (name == 'e' && parse_seconds(optarg, &options->every)) {
            /* done */
        } else {
            usage(name == 'h' ? stdout : stderr);
            return name == 'h' ? 0 : USAGE_ERROR;
        }
    }
    if (optind == argc) {
        usage(stderr);
        return USAGE_ERROR;
    }
    options->program = argv + optind;
    return -1;
}

/* The library as an absolute path, or NULL. */
static char *find_library(const char *given)
{
    char path[PATH_MAX + 32];
    ssize_t length;
    char *slash;

    if (given != NULL) {
        return realpath(given, NULL);
    }
    length = readlink("/proc/self/exe", path, PATH_MAX);
    path[length > 0 ? length : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL) {
        return NULL;
    }
    (void)strcpy(slash + 1, "libvmwatch.so");
    return realpath(path, NULL);
}

static bool set_environment(const char *library, const char *slots)
{
    const char *others = getenv("LD_PRELOAD");
    char *all = NULL, filters[24];
    struct status status;

    if (others != NULL && *others != '\0') {
        if (asprintf(&all, "%s:%s", library, others) < 0) {
            return false;
        }
        library = all;
    }
    (void)status_read(&status);
    (void)snprintf(filters, sizeof filters, "%u", status.filters);
    return setenv("LD_PRELOAD", library, 1) == 0 && setenv("VMWATCH_REPORTS", slots, 1) == 0 &&
           setenv("VMWATCH_FILTERS", filters, 1) == 0;
}

/* ---- the file of slots ---- */

/* With a block of the disk for each page: a store to a hole of a full disk is SIGBUS. A long file may be SIGXFSZ. */
static bool extend(int file, size_t bytes)
{
    struct rlimit limit;

    errno = EFBIG;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= bytes &&
           (errno = posix_fallocate(file, 0, (off_t)bytes)) == 0;
}

/* Processes that give up root's rights must still be able to open it, so root's is open to all. */
static struct slots *make_slots(const char *path)
{
    bool is_root = geteuid() == 0;
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct slots *slots = MAP_FAILED;

    if (file >= 0 && fchmod(file, is_root ? 0666 : 0600) == 0 && extend(file, sizeof *slots)) {
        slots = mmap(NULL, sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (file >= 0) {
        (void)close(file);
    }
    if (slots == MAP_FAILED) {
        return NULL;
    }
    slots->version = SLOTS_VERSION;
    return slots;
}

/* ---- running ---- */

static sigset_t heeded; /* signals that are waited for; blocked */
static struct sigaction
    inherited; /* of SIGCHLD: whoever ignores it may have started us, and has no children's status */

static void heed_signals(void)
{
    static const int numbers[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1};
    const struct sigaction as_usual = {.sa_handler = SIG_DFL};

    (void)sigaction(SIGCHLD, &as_usual, &inherited);
    (void)sigemptyset(&heeded);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)sigaddset(&heeded, numbers[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &heeded, NULL);
}

/* The child, which ends with vmwatch, however that ends. */
static pid_t start(const struct options *options, const char *library, const char *slots)
{
    pid_t parent = getpid(), child = fork();

    if (child != 0) {
        return child;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)sigaction(SIGCHLD, &inherited, NULL);
    (void)sigprocmask(SIG_UNBLOCK, &heeded, NULL);
    if (getppid() == parent && set_environment(library, slots)) {
        (void)execvp(options->program[0], options->program);
    }
    (void)fprintf(stderr, "vmwatch: %s: %s\n", options->program[0], strerror(errno));
    _exit(FAILED);
}

static double seconds_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A terminal's signal goes to the program as well; those that were meant for vmwatch are passed on. */
static void heed(const siginfo_t *info, pid_t child, bool *is_told, struct slots *slots)
{
    if (info->si_signo == SIGUSR1) {
        (void)__atomic_add_fetch(&slots->request, 1, __ATOMIC_RELAXED);
    } else if (info->si_signo != SIGCHLD) {
        if (info->si_code != SI_KERNEL) {
            (void)kill(child, *is_told ? SIGKILL : info->si_signo);
        }
        *is_told = true;
    }
}

/* Until the program has ended, and with --wait its children; a signal ends the waiting for these. Its wait status. */
static int run(const struct options *options, pid_t child, struct collector *collector)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    double next = seconds_now() + options->every;
    bool ended = false, is_told = false, is_left = true;
    int status = 0;

    while (!ended || (options->wait && is_left && !is_told)) {
        siginfo_t info;

        if (sigtimedwait(&heeded, &info, &pause) > 0) {
            heed(&info, child, &is_told, collector->slots);
        }
        ended = ended || waitpid(child, &status, WNOHANG) != 0;
        is_left = collect(collector);
        if (options->every > 0 && seconds_now() >= next) {
            (void)__atomic_add_fetch(&collector->slots->request, 1, __ATOMIC_RELAXED);
            next = seconds_now() + options->every;
        }
    }
    return status;
}

static int conclude(const struct options *options, const struct total *total, int wait_status)
{
    int status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    char why[512];

    if (total->followed == 0) {
        program_check(options->program[0], why, sizeof why);
        (void)fprintf(stderr, "vmwatch: no process was followed (%s ended with status %d)%s%s\n",
                      options->program[0], status, *why != '\0' ? ": " : "", why);
        return status != 0 ? status : FAILED;
    }
    (void)fprintf(
        stderr, "vmwatch: %u processes followed, %u compared, %u not; %llu differences, %llu more explained",
        total->followed, total->compared, total->not_compared, total->differ, total->explained);
    (void)fprintf(stderr, total->comparisons > 0 ? "; %llu comparisons while they ran\n" : "\n",
                  total->comparisons);
    if (total->differ > 0 || total->lost > 0) {
        return DIFFERENCES;
    }
    return status == 0 && total->not_compared > 0 ? UNCOMPARED : status;
}

static int watch(const struct options *options, const char *library, const char *folder)
{
    struct collector collector = {.reports = options->reports, .quiet = options->quiet};
    char path[PATH_MAX + 16];
    int status;
    pid_t child;

    (void)snprintf(path, sizeof path, "%s/slots", folder);
    collector.slots = make_slots(path);
    if (collector.slots == NULL) {
        (void)fprintf(stderr, "vmwatch: %s: %s\n", path, strerror(errno));
        (void)unlink(path);
        return FAILED;
    }
    heed_signals();
    child = start(options, library, path);
    if (child < 0) {
        (void)fprintf(stderr, "vmwatch: %s\n", strerror(errno));
        (void)unlink(path);
        return FAILED;
    }
    status = run(options, child, &collector);
    collect_rest(&collector);
    (void)unlink(path);
    return conclude(options, &collector.total, status);
}

/*
 * The folder of the file of slots, for the time being: an absolute path, since programs go elsewhere. Others may pass
 * it, if root's processes become theirs.
 */
static char *make_folder(char *made, size_t size)
{
    const char *set = getenv("TMPDIR"), *temporary = set != NULL ? set : "/tmp";
    char *absolute = realpath(temporary, NULL);

    (void)snprintf(made, size, "%s/vmwatch.XXXXXX", absolute != NULL ? absolute : temporary);
    free(absolute);
    return mkdtemp(made) != NULL && chmod(made, geteuid() == 0 ? 0711 : 0700) == 0 ? made : NULL;
}

static bool is_folder_to_write(const char *path)
{
    struct stat found;

    if (stat(path, &found) != 0) {
        return false;
    }
    errno = ENOTDIR;
    return S_ISDIR(found.st_mode) && faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

/* False: one of them cannot be used, which is said. */
static bool check_paths(const struct options *options, const char *library)
{
    const char *wrong = NULL;

    if (library == NULL) {
        wrong = strerror(errno);
        library = options->library != NULL ? options->library : "libvmwatch.so";
    } else if (strpbrk(library, ": \t") != NULL) {
        wrong = "a path with a blank or a colon cannot be preloaded";
    } else if (options->reports != NULL && !is_folder_to_write(options->reports)) {
        wrong = strerror(errno);
        library = options->reports;
    }
    if (wrong != NULL) {
        (void)fprintf(stderr, "vmwatch: %s: %s\n", library, wrong);
    }
    return wrong == NULL;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    char folder[PATH_MAX];
    int status = parse(argc, argv, &options);
    char *library;

    if (status >= 0) {
        return status;
    }
    library = find_library(options.library);
    if (!check_paths(&options, library)) {
        return FAILED;
    }
    if (make_folder(folder, sizeof folder) == NULL) {
        (void)fprintf(stderr, "vmwatch: %s: %s\n", folder, strerror(errno));
        return FAILED;
    }
    status = watch(&options, library, folder);
    (void)rmdir(folder);
    return status;
}
