// SPDX-License-Identifier: BSD-2-Clause
/*
 * vmwatch [OPTION]... PROGRAM [ARGUMENT]...
 *
 * Runs PROGRAM under libvmwatch.so and says, for each process that came of it, whether the map of its address space
 * was the kernel's when it ended.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE_ERROR = 124, DIFFERENCES = 125, FAILED = 126 };

struct options {
    const char *library, *reports;
    bool quiet;
    char **program;
};

struct total {
    unsigned processes, failed;
    unsigned long long differ, explained;
};

static void usage(FILE *out)
{
    (void)fprintf(
        out,
        "usage: vmwatch [OPTION]... PROGRAM [ARGUMENT]...\n\n"
        "Runs PROGRAM and its children with a map of their address spaces that follows every call, and\n"
        "compares it with /proc/self/maps when a process ends by exit() or _exit().\n\n"
        "  --library FILE  libvmwatch.so (default: beside this program)\n"
        "  --reports DIR   keep the reports in DIR, one file per process\n"
        "  --quiet         say nothing of processes that agree\n"
        "  --help\n\n"
        "Exit status: that of PROGRAM (128 + N after signal N); %d for a usage error; %d if a map differs\n"
        "without explanation; %d if PROGRAM cannot be run or nothing was compared.\n",
        USAGE_ERROR, DIFFERENCES, FAILED);
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {{"library", required_argument, NULL, 'l'},
                                          {"reports", required_argument, NULL, 'r'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int name;

    while ((name = getopt_long(argc, argv, "+", names, NULL)) != -1) {
        if (name == 'l') {
            options->library = optarg;
        } else if (name == 'r') {
            options->reports = optarg;
        } else if (name == 'q') {
            options->quiet = true;
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

static bool set_environment(const char *library, const char *reports)
{
    const char *others = getenv("LD_PRELOAD");
    char *all = NULL;

    if (others != NULL && *others != '\0') {
        if (asprintf(&all, "%s:%s", library, others) < 0) {
            return false;
        }
        library = all;
    }
    return setenv("LD_PRELOAD", library, 1) == 0 && setenv("VMWATCH_REPORTS", reports, 1) == 0;
}

/* Runs the program; its exit status. */
static int run(const struct options *options, const char *library, const char *reports)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        if (set_environment(library, reports)) {
            (void)execvp(options->program[0], options->program);
        }
        (void)fprintf(stderr, "vmwatch: %s: %s\n", options->program[0], strerror(errno));
        _exit(FAILED);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0) {
        return FAILED;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Prints what is worth it of one report and adds it up. */
static void read_report(FILE *report, bool quiet, struct total *total)
{
    unsigned long long differ = 0, explained = 0, lost = 0;
    char line[1024], process[1024] = "", ranges[1024] = "";
    bool complete = false;

    while (fgets(line, sizeof line, report) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "process ", 8) == 0) {
            (void)strcpy(process, line + 8);
        } else if (strncmp(line, "ranges ", 7) == 0) {
            (void)strcpy(ranges, line);
        } else if (sscanf(line, "result differ %llu explained %llu lost %llu", &differ, &explained, &lost) ==
                   3) {
            complete = true;
        } else if (strncmp(line, "calls ", 6) != 0) {
            (void)fprintf(stderr, "vmwatch: %s: %s\n", process, line);
            total->failed += strncmp(line, "failed ", 7) == 0;
        }
    }
    total->processes++;
    total->failed += !complete || lost > 0;
    total->differ += differ;
    total->explained += explained;
    if (!quiet || !complete || differ > 0 || lost > 0) {
        (void)fprintf(stderr, "vmwatch: %s: %s; %llu differ, %llu explained, %llu updates lost%s\n", process,
                      ranges, differ, explained, lost, complete ? "" : "; the report is cut off");
    }
}

static bool read_reports(const char *folder, bool quiet, struct total *total)
{
    struct dirent **entry;
    int count = scandir(folder, &entry, NULL, versionsort);

    for (int i = 0; i < count; i++) {
        char *path = NULL;
        FILE *report = NULL;

        if (entry[i]->d_name[0] != '.' && asprintf(&path, "%s/%s", folder, entry[i]->d_name) >= 0) {
            report = fopen(path, "re");
        }
        if (report != NULL) {
            read_report(report, quiet, total);
            (void)fclose(report);
        }
        free(path);
        free(entry[i]);
    }
    if (count >= 0) {
        free(entry);
    }
    return count >= 0;
}

static void remove_folder(const char *folder)
{
    struct dirent **entry;
    int count = scandir(folder, &entry, NULL, NULL);

    for (int i = 0; i < count; i++) {
        char *path = NULL;

        if (entry[i]->d_name[0] != '.' && asprintf(&path, "%s/%s", folder, entry[i]->d_name) >= 0) {
            (void)unlink(path);
        }
        free(path);
        free(entry[i]);
    }
    if (count >= 0) {
        free(entry);
    }
    (void)rmdir(folder);
}

static int watch(const struct options *options, const char *library, const char *reports)
{
    struct total total = {0};
    int status = run(options, library, reports);

    if (!read_reports(reports, options->quiet, &total) || total.processes == 0) {
        (void)fprintf(stderr, "vmwatch: no process was compared (%s ended with status %d)\n",
                      options->program[0], status);
        return status != 0 ? status : FAILED;
    }
    (void)fprintf(stderr, "vmwatch: %u processes, %llu differences, %llu more explained\n", total.processes,
                  total.differ, total.explained);
    return total.differ > 0 || total.failed > 0 ? DIFFERENCES : status;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    char folder[PATH_MAX];
    int status = parse(argc, argv, &options);
    const char *temporary = getenv("TMPDIR");
    char *library, *reports;

    if (status >= 0) {
        return status;
    }
    library = find_library(options.library);
    if (library == NULL) {
        (void)fprintf(stderr, "vmwatch: %s: %s\n",
                      options.library != NULL ? options.library : "libvmwatch.so", strerror(errno));
        return FAILED;
    }
    (void)snprintf(folder, sizeof folder, "%s/vmwatch.XXXXXX", temporary != NULL ? temporary : "/tmp");
    reports = options.reports != NULL ? realpath(options.reports, NULL) : mkdtemp(folder);
    if (reports == NULL) {
        (void)fprintf(stderr, "vmwatch: %s: %s\n", options.reports != NULL ? options.reports : folder,
                      strerror(errno));
        return FAILED;
    }
    status = watch(&options, library, reports);
    if (options.reports == NULL) {
        remove_folder(folder);
    }
    return status;
}
