// SPDX-License-Identifier: BSD-2-Clause
/* The fuzzer's machine without a fuzzer: every program of the corpus, and random ones. */
#include <dirent.h>
#include <stdio.h>

#include "test/fuzz/machine.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { PROGRAM_MAX = 1 << 16, RANDOM_PROGRAMS = 2000, RANDOM_BYTES = 2048 };

static uint8_t program[PROGRAM_MAX];

static void run_file(const char *name)
{
    char path[512];
    FILE *file;
    size_t size;

    (void)snprintf(path, sizeof path, "test/fuzz/corpus/%s", name);
    file = fopen(path, "rb");
    REQUIRE(file != NULL, "%s", path);
    size = fread(program, 1, sizeof program, file);
    REQUIRE(feof(file), "%s is too long", path);
    (void)fclose(file);
    machine_name(path);
    machine_run(program, size);
}

TEST_CASE(fuzz, corpus)
{
    DIR *folder = opendir("test/fuzz/corpus");
    unsigned files = 0;

    REQUIRE(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            run_file(entry->d_name);
            files++;
        }
    }
    (void)closedir(folder);
    printf("%u programs\n", files);
    CHECK_GE(files, 100u, "the corpus is not there");
}

/* Half of the bytes of a program are small, so that some keys and some operations are more frequent. */
TEST_CASE(fuzz, random_programs)
{
    for (unsigned i = 0; i < RANDOM_PROGRAMS * test_scale(); i++) {
        struct prng random = prng_stream(test_seed(), i);
        size_t size = 1 + prng_below(&random, RANDOM_BYTES);
        uint64_t bits = 1 + prng_below(&random, 8);
        char name[64];

        for (size_t j = 0; j < size; j++) {
            program[j] = (uint8_t)prng_below(&random, UINT64_C(1) << (prng_below(&random, 2) ? bits : 8));
        }
        (void)snprintf(name, sizeof name, "random program %u", i);
        machine_name(name);
        machine_run(program, size);
    }
}
