// SPDX-License-Identifier: BSD-2-Clause
/* A recording that another one takes the place of is not read on from the middle. */
#include "examples/pcmap/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/pcmap/stack_file.h"
#include "test/shim/ctest.h"

static void ignore(const char *stack, uint64_t samples, void *unused)
{
    (void)stack;
    (void)samples;
    (void)unused;
}

/* Records that were never finished: these are counted. */
static void write_recording(const char *path, uint64_t begun_ns, unsigned records)
{
    const struct stack_record record = {STACK_UNFINISHED, 64};
    struct stack_file head = {.magic = STACK_FILE_MAGIC, .bytes = 1 << 20, .begun_ns = begun_ns};
    char place[64] = {0};
    FILE *file = fopen(path, "w");

    REQUIRE(file != NULL);
    head.used = sizeof head + records * sizeof place;
    memcpy(place, &record, sizeof record);
    REQUIRE_EQ(fwrite(&head, sizeof head, 1, file), 1);
    for (unsigned i = 0; i < records; i++) {
        REQUIRE_EQ(fwrite(place, sizeof place, 1, file), 1);
    }
    REQUIRE_EQ(fclose(file), 0);
}

TEST_CASE(record, another_recording_in_the_same_file)
{
    char path[] = "/tmp/record_test.XXXXXX";
    int fd = mkstemp(path);
    struct record *record;

    REQUIRE(fd >= 0);
    (void)close(fd);
    write_recording(path, 1, 2);
    record = record_open(path);
    REQUIRE(record != NULL);
    CHECK(record_take(record, ignore, NULL));
    CHECK_EQ(record_lost(record).unfinished, 2);
    write_recording(path, 1, 3); /* it has gone on */
    CHECK(record_take(record, ignore, NULL));
    CHECK_EQ(record_lost(record).unfinished, 3);
    write_recording(path, 2, 5);
    CHECK(!record_take(record, ignore, NULL));
    CHECK_EQ(record_lost(record).unfinished, 5);
    CHECK(record_take(record, ignore, NULL));
    record_close(record);
    (void)unlink(path);
}
